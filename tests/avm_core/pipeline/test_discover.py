"""Discovery: what is new, changed, gone, back and said anew, and what it asks the store."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from avm_core.config import S3Config
from avm_core.errors import BucketMissing, MassDeletion, ObjectMissing, StoreUnavailable
from avm_core.pipeline import discover as module
from avm_core.pipeline import listing, stages
from avm_core.pipeline.platform import Platform
from avm_core.storage import MemoryStore
from avm_core.types import ObjectInfo, ObjectStore, Role
from tests.contracts.object_store import ODD_KEYS

LICENSED = "memory://{}/licensed"


class CountingStore(MemoryStore):
    """A real store that remembers what it was asked, and can lose its voice."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self._bucket = MemoryStore.shared(uri)._bucket
        self.calls: Counter[str] = Counter()
        self.hidden: set[str] = set()
        self.fails_after: int | None = None

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        for number, info in enumerate(super().list(prefix)):
            if number == self.fails_after:
                raise StoreUnavailable("the store went away")
            if info.key not in self.hidden:
                yield info

    def head(self, key: str) -> ObjectInfo:
        self.calls["head"] += 1
        return super().head(key)

    def get(self, key: str) -> bytes:
        self.calls["get"] += 1
        return super().get(key)


class World:
    """A platform whose licensed media are in a counting store."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.store = CountingStore(platform.settings.licensed_uri)
        opened = self.store

        class Watched(Platform):
            def media_store(self, role: Role) -> ObjectStore:
                return opened

        self.watched = Watched(platform.settings)

    def discover(self, **options: Any) -> int:
        self.store.calls.clear()
        units = stages.discover(self.watched, role="licensed", **options)
        return stages.record(self.platform, units, message="test")

    def sql(self, text: str) -> list[dict[str, Any]]:
        with self.platform.catalog() as catalog:
            return catalog.select(text).to_pylist()

    def media(self) -> dict[str, dict[str, Any]]:
        """Rows that are not gone, by key."""
        base = f"{self.store.uri}/"
        rows = self.sql("SELECT * FROM media WHERE gone_at IS NULL")
        return {row["uri"].removeprefix(base): row for row in rows}

    def titles(self) -> dict[str, str]:
        return {key: row["title"] for key, row in self.media().items()}

    def problems(self) -> list[str]:
        rows = self.sql("SELECT message FROM errors WHERE stage = 'metadata' ORDER BY message")
        return [row["message"] for row in rows]

    def note(self, key: str, **fields: Any) -> None:
        self.store.put(key, json.dumps(fields).encode())


@pytest.fixture
def world(make_platform: Any, request: pytest.FixtureRequest) -> World:
    uri = LICENSED.format(request.node.name)
    return World(make_platform(licensed_uri=uri))


def test_known_objects_cost_no_call(world: World) -> None:
    for number in range(25):
        world.store.put(f"{number:03}.mp4", b"%d" % number)
    world.note("000.mp4.json", title="One")
    assert world.discover() == 1
    assert world.store.calls == {"head": 25, "get": 1}
    assert world.discover() == 0
    assert world.store.calls == {}
    world.store.put("007.mp4", b"changed")
    world.store.put("new.mp4", b"new")
    assert world.discover() == 1
    assert world.store.calls == {"head": 2}
    assert len(world.media()) == 26


def test_the_listing_is_compared_stretch_by_stretch(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "STRETCH", 7)
    keys = [f"{number:03}.mp4" for number in range(40)]
    for key in keys:
        world.store.put(key, key.encode())
    assert world.discover() == 6
    assert sorted(world.media()) == keys
    for key in (keys[0], keys[6], keys[7], keys[20], keys[39]):
        world.store.delete(key)
    world.store.put("013.mp4", b"another")
    world.store.put("zzz.mp4", b"last")
    world.discover()
    assert world.store.calls == {"head": 5 + 2}
    left = {*keys, "zzz.mp4"} - {keys[0], keys[6], keys[7], keys[20], keys[39]}
    assert set(world.media()) == left
    gone = world.sql("SELECT count(*) AS n FROM media WHERE gone_at IS NOT NULL")
    assert gone == [{"n": 5 + 1}]
    assert world.discover() == 0


def test_a_replaced_object_is_a_new_media_and_the_old_one_is_gone(world: World) -> None:
    world.store.put("a.mp4", b"first", metadata={"title": "One"})
    world.discover()
    first = world.media()["a.mp4"]
    world.store.put("a.mp4", b"second", metadata={"title": "Two"})
    world.discover()
    rows = {row["title"]: row for row in world.sql("SELECT * FROM media")}
    assert set(rows) == {"One", "Two"}
    assert rows["One"]["media_id"] == first["media_id"] != rows["Two"]["media_id"]
    assert rows["One"]["gone_at"]
    assert rows["Two"]["gone_at"] is None


def test_a_deleted_object_is_gone_until_it_comes_back_as_often_as_that_happens(
    world: World,
) -> None:
    world.store.put("a.mp4", b"same", metadata={"title": "One"})
    world.store.put("b.mp4", b"b")
    world.discover()
    before = world.media()["a.mp4"]
    for turn in range(3):
        world.store.delete("a.mp4")
        assert world.discover() == 1
        assert set(world.media()) == {"b.mp4"}
        world.store.put("a.mp4", b"same", metadata={"title": f"Back {turn}"})
        assert world.discover() == 1
        now = world.media()["a.mp4"]
        assert now["title"] == f"Back {turn}"
        assert now["media_id"] == before["media_id"]
        assert now["discovered_at"] == before["discovered_at"]


def test_a_short_listing_marks_nothing_as_gone(world: World) -> None:
    keys = [f"{number}.mp4" for number in range(9)]
    for key in keys:
        world.store.put(key, key.encode())
    world.note("0.mp4.json", title="Kept")
    world.discover()
    for hidden in (set(keys[4:]), {*keys, "0.mp4.json"}):
        world.store.hidden = hidden
        assert world.discover() == 0
        assert set(world.media()) == set(keys)
    world.store.hidden = set()
    world.store.put("more.mp4", b"more")
    world.store.fails_after = 5
    with pytest.raises(StoreUnavailable):
        world.discover()
    assert set(world.media()) == set(keys)
    assert world.titles()["0.mp4"] == "Kept"


def test_most_of_a_library_must_be_deleted_on_purpose(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MASS_COUNT", 10)
    keys = [f"{number:02}.mp4" for number in range(30)]
    for key in keys:
        world.store.put(key, key.encode())
    world.discover()
    for key in keys[:20]:
        world.store.delete(key)
    with pytest.raises(MassDeletion, match=r"20 of 30 licensed media .* accept_gone"):
        world.discover()
    assert len(world.media()) == 30
    assert world.discover(accept_gone=True) == 1
    assert set(world.media()) == set(keys[20:])
    for key in keys[20:]:
        world.store.delete(key)
    assert world.discover() == 1  # so few are no accident
    assert world.media() == {}


def test_a_missing_folder_raises_and_an_empty_one_is_fine(make_platform: Any) -> None:
    platform = make_platform()
    assert stages.discover(platform, role="licensed") == []
    folder = Path(platform.settings.licensed_uri)
    (folder / "a.mp4").write_bytes(b"a")
    stages.record(platform, stages.discover(platform, role="licensed"), message="test")
    (folder / "a.mp4").unlink()
    folder.rmdir()
    with pytest.raises(BucketMissing, match="create it"):
        stages.discover(platform, role="licensed")


def test_another_prefix_leaves_the_media_of_the_former_alone(make_platform: Any) -> None:
    platform = make_platform()
    for name in ("one", "two"):
        uri = f"{platform.settings.licensed_uri}/{name}"
        Path(uri).mkdir()
        Path(uri, "a.mp4").write_bytes(name.encode())
        moved = Platform(platform.settings.model_copy(update={"licensed_uri": uri}))
        stages.record(moved, stages.discover(moved, role="licensed"), message="test")
    with platform.catalog() as catalog:
        rows = catalog.select("SELECT gone_at FROM media").to_pylist()
    assert rows == [{"gone_at": None}] * 2


def test_a_manifest_goes_before_a_sidecar_before_the_object(world: World) -> None:
    keys = ("object.mp4", "sidecar.mp4", "manifest.mp4")
    for key in keys:
        world.store.put(key, key.encode(), metadata={"title": "object", "uploader": "object"})
    for key in keys[1:]:
        world.note(f"{key}.json", title="sidecar", rights_holder="sidecar")
    world.store.put("_manifest.csv", b"key,title,views\nmanifest.mp4,manifest,5\n")
    world.discover()
    assert world.titles() == {
        "object.mp4": "object",
        "sidecar.mp4": "sidecar",
        "manifest.mp4": "manifest",
    }
    row = world.media()["manifest.mp4"]
    assert (row["rights_holder"], row["uploader"], row["views"]) == ("sidecar", "object", 5)
    world.store.put("_manifest.csv", b"key,title\nobject.mp4,manifest\n")
    world.store.delete("sidecar.mp4.json")
    world.discover()
    assert world.titles() == {
        "object.mp4": "manifest",
        "sidecar.mp4": "object",
        "manifest.mp4": "sidecar",
    }
    world.store.delete("_manifest.csv")
    world.discover()
    assert set(world.titles().values()) == {"object", "sidecar"}
    assert world.media()["manifest.mp4"]["views"] is None


def test_the_manifest_of_the_nearest_folder_counts_and_its_keys_are_below_it(
    world: World,
) -> None:
    world.store.put("f/g/a.mp4", b"a")
    world.store.put("f/b.mp4", b"b")
    world.store.put("z.manifest.csv", b"key,title,uploader\nf/g/a.mp4,far,far\nf/b.mp4,far,far\n")
    world.store.put("f/g/x.manifest.csv", b"key,title\na.mp4,near\n")
    world.discover()
    assert world.titles() == {"f/g/a.mp4": "near", "f/b.mp4": "far"}
    assert world.media()["f/g/a.mp4"]["uploader"] == "far"


def test_descriptions_may_come_before_their_media_and_after(world: World) -> None:
    world.note("a.mp4.json", title="Before")
    world.store.put("_manifest.csv", b"key,territories\na.mp4,de fr\n")
    world.discover()
    assert world.media() == {}
    world.store.put("a.mp4", b"a")
    world.discover()
    assert world.store.calls == {"head": 1}
    before = world.media()["a.mp4"]
    assert (before["title"], before["territories"]) == ("Before", "DE,FR")
    world.note("a.mp4.json", title="After", licensed_from="2026-05-01")
    world.discover()
    assert world.store.calls == {"get": 1}
    after = world.media()["a.mp4"]
    assert after["title"] == "After"
    assert after["licensed_from"] == datetime(2026, 5, 1, tzinfo=UTC)
    assert (after["media_id"], after["discovered_at"]) == (
        before["media_id"],
        before["discovered_at"],
    )


def test_a_changed_description_does_not_ask_for_a_new_fingerprint(world: World) -> None:
    world.store.put("a.mp4", b"a")
    world.discover()
    batches = stages.plan_fingerprints(world.platform)
    unit = stages.fingerprint_batch(world.platform, batches[0])  # not media: recorded as such
    stages.record(world.platform, [unit], message="test")
    assert stages.plan_fingerprints(world.platform) == []
    world.note("a.mp4.json", title="Named")
    world.discover()
    assert world.titles() == {"a.mp4": "Named"}
    assert stages.plan_fingerprints(world.platform) == []


def test_malformed_descriptions_are_recorded_and_the_media_taken_in(world: World) -> None:
    world.store.put("a.mp4", b"a", metadata={"licensed-from": "soon", "title": "A"})
    world.store.put("b.mp4", b"b")
    world.store.put("b.mp4.json", b"{")
    world.store.put("_manifest.csv", b"name,title\na.mp4,x\n")
    world.note("orphan.mp4.json", views="many")
    world.discover()
    assert world.titles() == {"a.mp4": "A", "b.mp4": "b"}
    uri = world.store.uri
    found = {row["uri"]: row for row in world.sql("SELECT * FROM errors WHERE stage = 'metadata'")}
    assert set(found) == {f"{uri}/{k}" for k in ("a.mp4", "b.mp4", "_manifest.csv", "orphan.mp4")}
    assert "field 'licensed_from': 'soon' is not a time" in found[f"{uri}/a.mp4"]["message"]
    assert f"'{uri}/b.mp4.json' is not JSON" in found[f"{uri}/b.mp4"]["message"]
    assert found[f"{uri}/b.mp4"]["media_id"] == world.media()["b.mp4"]["media_id"]
    assert "no column 'key'" in found[f"{uri}/_manifest.csv"]["message"]
    assert {row["error_class"] for row in found.values()} == {"BadMetadata"}

    world.store.put("_manifest.csv", b"key,title\na.mp4,x\n")
    world.note("b.mp4.json", title="mended")
    world.store.delete("orphan.mp4.json")
    world.discover()
    assert [text for text in world.problems() if "soon" not in text] == []
    assert world.titles() == {"a.mp4": "x", "b.mp4": "mended"}


def test_a_file_that_breaks_leaves_what_it_said_before(world: World) -> None:
    world.store.put("a.mp4", b"a")
    world.store.put("_manifest.csv", b"key,rights_holder\na.mp4,Mosfilm\n")
    world.note("a.mp4.json", territories=["DE"])
    world.discover()
    world.store.put("_manifest.csv", b"\xff\xfe broken")
    world.store.put("a.mp4.json", b"broken")
    world.discover()
    row = world.media()["a.mp4"]
    assert (row["rights_holder"], row["territories"]) == ("Mosfilm", "DE")
    assert len(world.problems()) == 2


def test_two_rows_for_one_key_are_told(world: World) -> None:
    world.store.put("a.mp4", b"a")
    world.store.put("_manifest.csv", b"key,title\na.mp4,x\na.mp4,y\n,z\n")
    world.discover()
    assert world.titles() == {"a.mp4": "y"}
    [told] = world.problems()
    assert "several rows for 'a.mp4'" in told
    assert "line 4: no key" in told


def test_no_more_are_taken_in_than_the_settings_say(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "STRETCH", 5)
    few = world.platform.settings.pipeline.model_copy(update={"discover_count": 10})
    settings = world.platform.settings.model_copy(update={"pipeline": few})
    world.watched = type(world.watched)(settings)
    for number in range(23):
        world.store.put(f"{number:02}.mp4", b"%d" % number)
    counts = []
    for _ in range(4):
        world.discover()
        counts.append(len(world.media()))
    assert counts == [10, 20, 23, 23]


def test_an_object_deleted_while_it_is_listed_is_not_taken_in(world: World) -> None:
    world.store.put("a.mp4", b"a")

    def vanished(key: str) -> ObjectInfo:
        raise ObjectMissing(key)

    world.store.head = vanished  # type: ignore[method-assign]
    assert world.discover() == 0
    assert world.media() == {}


def test_a_listing_out_of_order_is_refused(world: World) -> None:
    infos = [ObjectInfo(key, 1, "e", datetime.now(UTC)) for key in ("b", "a")]
    world.store.list = lambda prefix="": iter(infos)  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable, match="order of keys"):
        world.discover()


LONG = "/".join(["long " + "é" * 90 + f" {n}" for n in range(5)])[:990] + ".mp4"


@pytest.mark.s3
def test_odd_keys_of_a_real_store(make_platform: Any, s3_config: S3Config, bucket_uri: str) -> None:
    platform = make_platform(ugc_uri=f"{bucket_uri}/in box", s3=s3_config)
    store = platform.media_store("ugc")
    keys = [*ODD_KEYS, "zero.mp4", "dots/..mp4", "..hidden/a..b.mp4", "ends in dot./x.mp4."]
    wide = "w" * 200
    keys += ["/".join([wide] * 4) + "/" + "x" * 192 + ".mp4"]
    assert len(keys[-1]) == 1000
    for key in keys:
        store.put(key, b"" if key == "zero.mp4" else key.encode(), metadata={"title": key})
        store.put(f"{key}.json", json.dumps({"uploader": key}).encode())
    platform.resolve(f"{bucket_uri}/x")[0].put("in box/folder/", b"")
    stages.record(platform, stages.discover(platform, role="ugc"), message="test")
    with platform.catalog() as catalog:
        rows = catalog.select("FROM media").to_pylist()
        assert catalog.select("FROM errors").num_rows == 0
        assert {name: n for name, n in catalog.check().items() if n} == {}
    base = f"{bucket_uri}/in box/"
    assert sorted(row["uri"] for row in rows) == sorted(base + key for key in keys)
    assert {row["uri"].removeprefix(base): row["title"] for row in rows} == {k: k for k in keys}
    assert {row["uploader"] for row in rows} == set(keys)
    assert stages.discover(platform, role="ugc") == []
    for row in rows:
        opened, key = platform.resolve(row["uri"])
        assert opened.head(key).etag == row["etag"]
    for key in keys:
        store.delete(key)
    stages.record(platform, stages.discover(platform, role="ugc"), message="test")
    with platform.catalog() as catalog:
        left = catalog.select("FROM media WHERE gone_at IS NULL").num_rows
    assert left == 0
