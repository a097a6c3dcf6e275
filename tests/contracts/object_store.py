"""What every object store promises; a subclass provides the fixture `store`."""

from __future__ import annotations

import hashlib
import itertools
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from avm_core.errors import BadSettings, ObjectMissing, PreconditionFailed, Transient
from avm_core.types import ObjectStore

ODD_KEYS = (
    "films/Война и мир (1 серия).mp4",
    "films/Ёлки+снег & 100%.mp4",
    "films/#1 what?/a=b;c,d.mkv",
    "films/%D0%90 %2F literally.mp4",
    "films/two  spaces/tail .wav",
    "films/日本語/🎬.mp3",
    "films/quote'\"<>&[].mp4",
)


def increment(store: ObjectStore, key: str, times: int) -> None:
    """Add 1 to the number in an object `times` times, whoever else does the same."""
    for _ in range(times):
        while True:
            etag = store.head(key).etag
            number = int(store.get(key))
            try:
                store.put(key, str(number + 1).encode(), if_match=etag)
                break
            except PreconditionFailed:
                continue


def race(functions: list[Callable[[], str]]) -> list[str | Exception]:
    """Call all of them from threads at one moment; what each returned or raised."""
    barrier = threading.Barrier(len(functions))

    def run(function: Callable[[], str]) -> str | Exception:
        barrier.wait()
        try:
            return function()
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(run, functions))


class ObjectStoreContract:
    """The behaviour that the rest of AVM builds on."""

    many = 1_100

    def test_returns_what_was_put(self, store: ObjectStore) -> None:
        values = {"a.bin": bytes(range(256)), "deep/er/b.bin": b"", "c": b"\r\n\0" * 1000}
        for key, value in values.items():
            store.put(key, value)
        assert {key: store.get(key) for key in values} == values

    def test_overwrites_whole_objects(self, store: ObjectStore) -> None:
        first, second = store.put("x/a", b"a long first value"), store.put("x/a", b"short")
        assert first != second
        assert store.get("x/a") == b"short"
        assert store.head("x/a").size == 5

    def test_put_head_and_list_agree(self, store: ObjectStore) -> None:
        before = datetime.now(UTC) - timedelta(seconds=5)
        etags = {key: store.put(key, key.encode()) for key in ("a/1", "a/2", "b/3")}
        listed = {info.key: info for info in store.list()}
        assert set(listed) == set(etags)
        for key, etag in etags.items():
            head = store.head(key)
            assert head.key == key
            assert listed[key].etag == head.etag == etag
            assert listed[key].size == head.size == 3
            assert head.modified >= before
            assert listed[key].modified.utcoffset() == timedelta(0)

    def test_etag_changes_with_the_bytes_only(self, store: ObjectStore) -> None:
        assert store.put("a", b"same") == store.put("b", b"same") != store.put("c", b"else")
        assert store.put("a", b"same") == hashlib.md5(b"same").hexdigest()

    def test_lists_below_a_prefix_in_key_order(self, store: ObjectStore) -> None:
        keys = ["a/b", "a-b", "a.b/c", "ab", "a/c/d", "a/c-d", "Z/z", "б/в", "a/c.d", "aa/1"]
        random.Random(7).shuffle(keys)
        for key in keys:
            store.put(key, b"1")
        assert [info.key for info in store.list()] == sorted(keys)
        for prefix in ("a", "a/", "a/c", "a/c/", "б", "nothing"):
            expected = sorted(key for key in keys if key.startswith(prefix))
            assert [info.key for info in store.list(prefix)] == expected

    def test_lists_more_than_a_page(self, store: ObjectStore) -> None:
        keys = [f"many/{number:05}" for number in range(self.many)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda key: store.put(key, b"1"), keys))
        assert [info.key for info in store.list("many/")] == keys

    def test_lists_lazily(self, store: ObjectStore) -> None:
        for number in range(5):
            store.put(f"lazy/{number}", b"1")
        listing = store.list("lazy/")
        assert [info.key for info in itertools.islice(listing, 2)] == ["lazy/0", "lazy/1"]
        assert next(listing).key == "lazy/2"

    def test_an_empty_store_lists_nothing(self, store: ObjectStore) -> None:
        store.put("a", b"1")
        store.delete("a")
        assert list(store.list()) == []
        assert list(store.list("a")) == []

    @pytest.mark.parametrize("key", ODD_KEYS)
    def test_keys_may_hold_any_unicode(self, store: ObjectStore, key: str, tmp_path: Path) -> None:
        store.put("films/other", b"other")
        etag = store.put(key, key.encode(), metadata={"k": "v"})
        assert store.get(key) == key.encode()
        assert store.head(key).etag == etag
        assert [info.key for info in store.list(key[:-1])] == [key]
        assert {info.key for info in store.list("films/")} == {"films/other", key}
        store.download(key, tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == key.encode()
        store.delete(key)
        assert [info.key for info in store.list()] == ["films/other"]

    @pytest.mark.parametrize("key", ["", "/absolute", "nul\0"])
    def test_refuses_impossible_keys(self, store: ObjectStore, key: str) -> None:
        with pytest.raises(BadSettings, match="key"):
            store.put(key, b"1")
        with pytest.raises(BadSettings, match="key"):
            store.get(key)

    def test_metadata_comes_back_from_head(self, store: ObjectStore, tmp_path: Path) -> None:
        metadata = {"title": "Война и мир", "Media-Id": "a b%20+c", "empty": "", "n": " x "}
        expected = tuple(sorted((name.lower(), value) for name, value in metadata.items()))
        store.put("a", b"1", metadata=metadata)
        (tmp_path / "file").write_bytes(b"2")
        store.upload("b", tmp_path / "file", metadata=metadata)
        assert store.head("a").metadata == expected
        assert store.head("b").metadata == expected
        assert {info.metadata for info in store.list()} == {()}

    def test_a_new_version_drops_old_metadata(self, store: ObjectStore) -> None:
        store.put("a", b"1", metadata={"x": "1", "y": "1"})
        store.put("a", b"1", metadata={"x": "2"})
        assert store.head("a").metadata == (("x", "2"),)
        store.put("a", b"1")
        assert store.head("a").metadata == ()

    def test_refuses_metadata_names_that_are_no_header(self, store: ObjectStore) -> None:
        for name in ("имя", "a b", ""):
            with pytest.raises(BadSettings, match="metadata name"):
                store.put("a", b"1", metadata={name: "x"})
        assert list(store.list()) == []

    def test_a_missing_key_says_its_name(self, store: ObjectStore, tmp_path: Path) -> None:
        store.put("there", b"1")
        target = tmp_path / "down/target"
        for call in (store.get, store.head, lambda key: store.download(key, target)):
            for key in ("not/there", "there2"):
                with pytest.raises(ObjectMissing, match=key):
                    call(key)
        assert not target.exists()

    def test_a_range_is_the_bytes_from_start_to_before_end(self, store: ObjectStore) -> None:
        data = bytes(range(256)) * 40
        store.put("a", data)
        for start, end in ((0, 1), (0, len(data)), (300, 1000), (len(data) - 1, len(data))):
            assert store.get_range("a", start, end) == data[start:end]
        assert store.get_range("a", 10_000, 99_999) == data[10_000:]
        assert store.get_range("a", len(data), len(data) + 1) == b""
        assert store.get_range("a", 99_999, 100_000) == b""

    @pytest.mark.parametrize(("start", "end"), [(0, 0), (-1, 5), (5, 4)])
    def test_a_range_without_bytes_is_refused(
        self, store: ObjectStore, start: int, end: int
    ) -> None:
        store.put("a", b"0123456789")
        with pytest.raises(BadSettings, match="0 <= start < end"):
            store.get_range("a", start, end)

    def test_a_range_of_a_missing_key_says_its_name(self, store: ObjectStore) -> None:
        store.put("there", b"1")
        with pytest.raises(ObjectMissing, match="not/there"):
            store.get_range("not/there", 0, 1)

    def test_a_range_can_ask_for_the_version_it_means(self, store: ObjectStore) -> None:
        first = store.put("a", b"first")
        assert store.get_range("a", 0, 2, etag=first) == b"fi"
        second = store.put("a", b"second")
        with pytest.raises(PreconditionFailed, match="was written by someone else"):
            store.get_range("a", 0, 2, etag=first)
        assert store.get_range("a", 0, 2, etag=second) == b"se"

    def test_delete_is_silent_and_idempotent(self, store: ObjectStore) -> None:
        store.put("a/1", b"1")
        store.put("a/2", b"2")
        store.delete("a/1")
        store.delete("a/1")
        store.delete("no/such/key")
        assert [info.key for info in store.list()] == ["a/2"]
        with pytest.raises(ObjectMissing):
            store.get("a/1")

    def test_if_absent_writes_once(self, store: ObjectStore) -> None:
        store.put("a", b"first", if_absent=True)
        with pytest.raises(PreconditionFailed, match="was written by someone else"):
            store.put("a", b"second", if_absent=True)
        assert store.get("a") == b"first"
        store.delete("a")
        store.put("a", b"third", if_absent=True)
        assert store.get("a") == b"third"

    def test_if_match_writes_over_that_version_only(self, store: ObjectStore) -> None:
        first = store.put("a", b"first")
        second = store.put("a", b"second", if_match=first)
        with pytest.raises(PreconditionFailed):
            store.put("a", b"third", if_match=first)
        with pytest.raises(PreconditionFailed):
            store.put("missing", b"third", if_match=first)
        assert store.get("a") == b"second"
        assert store.head("a").etag == second
        assert [info.key for info in store.list()] == ["a"]

    def test_both_conditions_at_once_are_refused(self, store: ObjectStore) -> None:
        with pytest.raises(BadSettings, match="either"):
            store.put("a", b"1", if_match="x", if_absent=True)

    def test_a_lost_race_is_worth_a_retry(self, store: ObjectStore) -> None:
        store.put("a", b"1")
        with pytest.raises(Transient):
            store.put("a", b"2", if_absent=True)

    @pytest.mark.parametrize("writers", [2, 8])
    def test_exactly_one_of_many_creators_wins(self, store: ObjectStore, writers: int) -> None:
        for turn in range(3):
            key = f"turn/{turn}"
            results = race(
                [
                    partial(store.put, key, str(number).encode(), if_absent=True)
                    for number in range(writers)
                ]
            )
            won = [number for number, result in enumerate(results) if isinstance(result, str)]
            assert len(won) == 1
            lost = [result for result in results if not isinstance(result, str)]
            assert {type(error) for error in lost} == {PreconditionFailed}
            assert store.get(key) == str(won[0]).encode()

    def test_no_increment_is_lost(self, store: ObjectStore) -> None:
        store.put("counter", b"0")
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: increment(store, "counter", 8), range(4)))
        assert store.get("counter") == b"32"

    @pytest.mark.parametrize("size", [0, 70_001, 20_000_000])
    def test_files_go_up_and_come_down(self, store: ObjectStore, tmp_path: Path, size: int) -> None:
        data = random.Random(size).randbytes(size)
        (tmp_path / "source").write_bytes(data)
        etag = store.upload("big/файл", tmp_path / "source", metadata={"role": "ugc"})
        head = store.head("big/файл")
        assert (head.etag, head.size, head.metadata) == (etag, size, (("role", "ugc"),))
        target = tmp_path / "new/folder/target"
        store.download("big/файл", target)
        assert target.read_bytes() == data
        assert [path.name for path in target.parent.iterdir()] == ["target"]

    @pytest.mark.parametrize("size", [5, 20_000_000])
    def test_a_download_of_one_version_refuses_every_other(
        self, store: ObjectStore, tmp_path: Path, size: int
    ) -> None:
        first = store.put("a", b"1" * size)
        store.download("a", tmp_path / "target", if_match=first)
        assert (tmp_path / "target").read_bytes() == b"1" * size
        second = store.put("a", b"2" * size)
        with pytest.raises(PreconditionFailed):
            store.download("a", tmp_path / "target", if_match=first)
        assert (tmp_path / "target").read_bytes() == b"1" * size
        store.download("a", tmp_path / "target", if_match=second)
        assert (tmp_path / "target").read_bytes() == b"2" * size
        store.delete("a")
        with pytest.raises(ObjectMissing):
            store.download("a", tmp_path / "target", if_match=second)

    def test_download_replaces_the_target(self, store: ObjectStore, tmp_path: Path) -> None:
        for value in (b"a long value", b"short"):
            store.put("a", value)
            store.download("a", tmp_path / "target")
            assert (tmp_path / "target").read_bytes() == value

    def test_a_failed_download_leaves_the_target_alone(
        self, store: ObjectStore, tmp_path: Path
    ) -> None:
        target = tmp_path / "down/target"
        target.parent.mkdir()
        target.write_bytes(b"old")
        for key in ("missing", "also/missing"):
            with pytest.raises(ObjectMissing):
                store.download(key, target)
        assert target.read_bytes() == b"old"
        assert list(target.parent.iterdir()) == [target]

    def test_uploading_a_missing_file_writes_nothing(
        self, store: ObjectStore, tmp_path: Path
    ) -> None:
        with pytest.raises(FileNotFoundError):
            store.upload("a", tmp_path / "missing")
        assert list(store.list()) == []

    def test_readers_never_see_a_part(self, store: ObjectStore) -> None:
        values = {bytes([letter]) * 300_000 for letter in b"abcd"}
        store.put("a", min(values))
        done = threading.Event()

        def write() -> None:
            for value in sorted(values) * 3:
                store.put("a", value)
            done.set()

        writer = threading.Thread(target=write)
        writer.start()
        seen = []
        while not done.is_set():
            seen.append(store.get("a"))
        writer.join()
        seen.append(store.get("a"))
        assert set(seen) <= values
