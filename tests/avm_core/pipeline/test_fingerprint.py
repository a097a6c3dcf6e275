"""Fingerprinting goes on: broken files are rows, what may pass is tried again, batches balance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avm_core.config import PipelineConfig
from avm_core.errors import BadMedia, BadSettings, StoreUnavailable
from avm_core.pipeline import again, stages
from avm_core.pipeline.fingerprint import StoreDown
from avm_core.pipeline.fingerprint_plan import balanced, seconds
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.staging import pack, read_plan
from avm_core.storage import LocalStore
from avm_core.types import ObjectStore
from tests.avm_core.media.makers import write_sound

Hook = Callable[[str], None]


class Troubled(LocalStore):
    """A real folder whose downloads can be interrupted, and which can be down."""

    before: Hook = staticmethod(lambda key: None)
    after: Hook = staticmethod(lambda key: None)
    down = False

    def download(self, key: str, path: Path, **options: Any) -> None:
        self.before(key)
        super().download(key, path, **options)
        self.after(key)

    def list(self, prefix: str = "") -> Iterator[Any]:
        if self.down:
            raise StoreUnavailable("no answer")
        return super().list(prefix)


class TroubledPlatform(Platform):
    """Resolves media to one store that the test holds."""

    store: Troubled

    def resolve(self, uri: str) -> tuple[ObjectStore, str]:
        base = f"{TroubledPlatform.store.uri}/"
        if uri.startswith(base):
            return TroubledPlatform.store, uri.removeprefix(base)
        return super().resolve(uri)


@pytest.fixture
def platform(make_platform: Any) -> Platform:
    made = make_platform()
    pipeline = made.settings.pipeline.model_copy(update={"fingerprint_workers": 1})
    TroubledPlatform.store = Troubled(made.settings.ugc_uri)
    return TroubledPlatform(made.settings.model_copy(update={"pipeline": pipeline}))


@pytest.fixture(scope="session")
def tone(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Ten seconds of noise that swells, as a WAV file."""
    path = tmp_path_factory.mktemp("tone") / "tone.wav"
    rng = np.random.default_rng(3)
    samples = rng.normal(size=80_000) * np.linspace(0.01, 0.2, 80_000)
    write_sound(path, samples.astype(np.float32), 8_000)
    return path.read_bytes()


def discover(platform: Platform) -> None:
    stages.record(platform, stages.discover(platform, role="ugc"), message="test")


def work(platform: Platform) -> int:
    """One run of avm_fingerprint; how many media it took."""
    batches = stages.plan_fingerprints(platform)
    units = [stages.fingerprint_batch(platform, batch) for batch in batches]
    stages.record(platform, units, message="test")
    return sum(batch["media_count"] for batch in batches)


def sql(platform: Platform, text: str) -> list[dict[str, Any]]:
    with platform.catalog() as catalog:
        return catalog.select(text).to_pylist()


def errors(platform: Platform) -> dict[str, dict[str, Any]]:
    return {Path(row["uri"]).name: row for row in sql(platform, "FROM errors")}


def later(platform: Platform, monkeypatch: pytest.MonkeyPatch, when: timedelta) -> None:
    """Let the clock of planning be ahead."""
    from avm_core.pipeline import fingerprint, fingerprint_plan

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + when

    for module in (fingerprint, fingerprint_plan):
        monkeypatch.setattr(module, "datetime", Clock)


def test_a_batch_of_nothing_but_broken_files_is_rows(platform: Platform) -> None:
    files = {"empty.mp4": b"", "text.mp4": b"no film", "noise.mp3": bytes(range(256)) * 40}
    for key, data in files.items():
        TroubledPlatform.store.put(key, data)
    discover(platform)
    assert work(platform) == 3
    found = errors(platform)
    assert set(found) == set(files)
    for row in found.values():
        assert (row["error_class"], row["terminal"]) == ("BadMedia", True)
        assert (row["attempts"], row["next_attempt_at"]) == (1, None)
    assert work(platform) == 0  # never again by itself


def test_an_operator_may_ask_for_another_attempt_as_often_as_wanted(platform: Platform) -> None:
    for key in ("a.mp4", "b.mp4"):
        TroubledPlatform.store.put(key, b"no film")
    discover(platform)
    work(platform)
    for turn in (2, 3):
        assert stages.retry_media(platform, error_classes=["BadMedia"]) == 2
        assert work(platform) == 2
        assert {row["attempts"] for row in errors(platform).values()} == {turn}
        assert work(platform) == 0
    chosen = errors(platform)["b.mp4"]["media_id"]
    assert stages.retry_media(platform, media_ids=[chosen]) == 1
    assert work(platform) == 1
    assert {name: row["attempts"] for name, row in errors(platform).items()} == {
        "a.mp4": 3,
        "b.mp4": 4,
    }
    assert stages.retry_media(platform, error_classes=["MediaVanished"]) == 0
    with pytest.raises(BadSettings, match="what to retry"):
        stages.retry_media(platform)


def test_what_may_pass_is_tried_again_later_and_forgotten_once_it_succeeds(
    platform: Platform, tone: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(key: str) -> None:
        if key == "bad_luck.m4a":
            raise StoreUnavailable("the disk below this object is slow")

    TroubledPlatform.store.put("bad_luck.m4a", tone)
    TroubledPlatform.store.put("good.m4a", tone + b"\0")
    TroubledPlatform.store.before = refuse
    discover(platform)
    assert work(platform) == 2
    [row] = errors(platform).values()
    assert (row["error_class"], row["terminal"], row["attempts"]) == ("StoreUnavailable", False, 1)
    wait = row["next_attempt_at"] - row["occurred_at"]
    assert wait > timedelta(seconds=800)
    assert work(platform) == 0
    assert sql(platform, "SELECT waiting, retrying FROM intake") == [{"waiting": 0, "retrying": 1}]

    later(platform, monkeypatch, timedelta(hours=1))
    assert work(platform) == 1
    [row] = errors(platform).values()
    assert row["attempts"] == 2
    TroubledPlatform.store.before = lambda key: None
    later(platform, monkeypatch, timedelta(hours=9))
    assert work(platform) == 1
    assert errors(platform) == {}
    assert sql(platform, "SELECT DISTINCT status FROM media_fingerprint") == [{"status": "ok"}]


def test_attempts_end(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(key: str) -> None:
        raise StoreUnavailable("never")

    TroubledPlatform.store.put("a.m4a", b"a")
    TroubledPlatform.store.before = refuse
    discover(platform)
    done = 0
    for day in range(12):
        later(platform, monkeypatch, timedelta(days=day))
        done += work(platform)
    assert done == platform.settings.pipeline.max_attempts == 5
    [row] = errors(platform).values()
    assert (row["attempts"], row["next_attempt_at"]) == (5, None)
    assert sql(platform, "SELECT retrying, given_up FROM intake") == [
        {"retrying": 0, "given_up": 1}
    ]


def test_a_store_that_is_down_fails_the_batch_and_records_nothing(platform: Platform) -> None:
    def refuse(key: str) -> None:
        TroubledPlatform.store.down = True
        raise StoreUnavailable("no answer")

    for number in range(8):
        TroubledPlatform.store.put(f"{number}.m4a", b"%d" % number)
    discover(platform)
    TroubledPlatform.store.before = refuse
    with pytest.raises(StoreDown):
        work(platform)
    assert errors(platform) == {}


def test_many_objects_that_cannot_be_had_do_not_stop_a_batch_while_the_store_answers(
    platform: Platform, tone: bytes
) -> None:
    def refuse(key: str) -> None:
        if key.startswith("bad"):
            raise StoreUnavailable("this volume is lost")

    for number in range(12):
        TroubledPlatform.store.put(f"bad{number}.m4a", tone + b"%d" % number)
    TroubledPlatform.store.put("good.m4a", tone)
    discover(platform)
    TroubledPlatform.store.before = refuse
    assert work(platform) == 13
    assert len(errors(platform)) == 12
    rows = sql(platform, "SELECT DISTINCT status FROM media_fingerprint")
    assert rows == [{"status": "ok"}]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_object_that_changes_while_it_is_read_is_recorded_and_its_new_version_taken(
    platform: Platform, tone: bytes, moment: str
) -> None:
    store = TroubledPlatform.store

    def replace(key: str) -> None:
        store.put("a.m4a", tone)
        setattr(store, moment, lambda key: None)

    store.put("a.m4a", b"first")
    discover(platform)
    if moment == "after":  # someone writes into the file while it is copied

        def scribble(key: str, etag: str | None) -> None:
            require(key, etag)
            Path(platform.settings.ugc_uri, key).write_bytes(b"other")

        require = store._require
        store._require = scribble  # type: ignore[method-assign]
        work(platform)
        del store._require  # type: ignore[method-assign]
        store.put("a.m4a", tone)
    else:
        store.before = replace
        work(platform)
    [row] = errors(platform).values()
    assert (row["error_class"], row["terminal"]) == ("MediaChanged", True)
    discover(platform)
    assert work(platform) == 1
    rows = sql(platform, "SELECT gone_at IS NULL AS live FROM media ORDER BY live")
    assert rows == [{"live": False}, {"live": True}]
    assert sql(platform, "SELECT status FROM media_fingerprint WHERE status = 'ok'")


def test_gone_media_are_not_planned(platform: Platform) -> None:
    for key in ("a.mp4", "b.mp4"):
        TroubledPlatform.store.put(key, key.encode())
    discover(platform)
    TroubledPlatform.store.delete("a.mp4")
    discover(platform)
    assert work(platform) == 1
    waiting = "SELECT waiting FROM backlog WHERE stage = 'fingerprint'"
    assert sql(platform, waiting) == [{"waiting": 0}]
    assert sql(platform, "SELECT media, gone FROM intake") == [{"media": 1, "gone": 1}]


def test_a_long_backlog_is_planned_licensed_and_oldest_first(make_platform: Any) -> None:
    few = PipelineConfig(max_batches=3, batch_media_count=4)
    platform = make_platform(pipeline=few)
    for role, count in (("ugc", 30), ("licensed", 6)):
        for number in range(count):
            platform.media_store(role).put(f"{number:02}.mp4", f"{role} {number}".encode())
        stages.record(platform, stages.discover(platform, role=role), message="test")
    batches = stages.plan_fingerprints(platform)
    assert len(batches) == 3
    rows = [read_plan(platform, batch)["rows"] for batch in batches]
    assert ["licensed" in row["uri"] for batch in rows for row in batch] == [True] * 6 + [False] * 4
    assert sorted(len(batch) for batch in rows[:2]) == [3, 3]
    assert stages.plan_fingerprints(platform) == batches


def test_the_alert_says_for_how_long_the_oldest_media_waits(platform: Platform) -> None:
    TroubledPlatform.store.put("a.mp4", b"a")
    discover(platform)
    assert sql(platform, "SELECT alert FROM intake") == [{"alert": None}]
    [row] = sql(platform, "SELECT * FROM media")
    old = row | {"discovered_at": datetime.now(UTC) - timedelta(hours=40)}
    from avm_core.pipeline.staging import stage

    unit = stage(platform, kind="media", unit_id="old", input_digest="old", tables={"media": [old]})
    stages.record(platform, [unit], message="test")
    [row] = sql(platform, "SELECT backlog_hours, alert FROM intake")
    assert row["backlog_hours"] == pytest.approx(40.0, abs=0.1)
    assert "the oldest for 40 h" in row["alert"]


@given(
    st.lists(st.floats(0.1, 5_000.0), min_size=1, max_size=120),
    st.integers(1, 30),
)
def test_balanced_batches_hold_the_same_rows_and_differ_by_one_media_at_most(
    lengths: list[float], count: int
) -> None:
    rows = [{"media_id": f"{n:04}", "seconds": s} for n, s in enumerate(lengths)]
    packed = pack(rows, weight="seconds", limit=3_600.0, count=count)
    result = balanced(packed, count=count)
    assert len(result) == len(packed)
    assert sorted(row["media_id"] for batch in result for row in batch) == [
        row["media_id"] for row in rows
    ]
    assert max(len(batch) for batch in result) <= count
    loads = [sum(row["seconds"] for row in batch) for batch in result]
    free = [load for load, batch in zip(loads, result, strict=True) if len(batch) < count]
    if len(free) == len(result):  # the count bound nobody: greedy keeps them one media apart
        assert max(loads) - min(loads) <= max(lengths) + 1e-6


def test_seconds_come_from_the_probe_then_from_what_was_measured_then_from_the_kind() -> None:
    row = {"uri": "s3://b/x/film.MP4", "size_bytes": 1_000_000, "duration": None}
    assert seconds(row | {"duration": 12.5}, {}) == 12.5
    assert seconds(row, {"mp4": 100_000.0}) == 10.0
    assert seconds(row, {}) == 4.0
    assert seconds(row | {"uri": "s3://b/x/song.mp3"}, {}) == 62.5
    assert seconds(row | {"uri": "s3://b/no_suffix"}, {}) == 4.0


def test_what_a_kind_weighs_is_measured(make_platform: Any, tone: bytes) -> None:
    platform = make_platform()
    store = platform.media_store("ugc")
    for number in range(3):
        store.put(f"{number}.M4A", tone + bytes(number))
    stages.record(platform, stages.discover(platform, role="ugc"), message="test")
    work(platform)
    with platform.catalog() as catalog:
        [row] = catalog.query("media/bytes_per_second", enough=1.0)
        assert catalog.query("media/bytes_per_second", enough=1e6) == []
        [truth] = catalog.select("SELECT sum(duration) AS s FROM media_content").to_pylist()
    assert row["suffix"] == "m4a"
    assert row["rate"] == pytest.approx((3 * len(tone) + 3) / truth["s"])


def test_the_pause_doubles_and_only_what_may_pass_is_tried_again() -> None:
    config, now = PipelineConfig(), datetime(2026, 1, 1, tzinfo=UTC)

    def pause(error: Exception, attempts: int) -> float | None:
        when = again.next_attempt(config, error, attempts=attempts, now=now)
        return (when - now).total_seconds() if when else None

    waits = [pause(StoreUnavailable("x"), n) for n in range(1, 6)]
    assert waits == [900.0, 1800.0, 3600.0, 7200.0, None]
    assert pause(OSError(28, "No space left on device"), 1) == 900.0
    assert pause(MemoryError(), 1) == 900.0
    assert pause(BadMedia("x"), 1) is None
    assert pause(ValueError("x"), 1) is None
    assert np.isclose(waits[0] or 0, config.retry_seconds)
