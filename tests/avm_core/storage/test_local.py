"""Tests of the store in a folder."""

from __future__ import annotations

import errno
import hashlib
import multiprocessing
import os
from pathlib import Path

import pytest

from avm_core.errors import (
    BadSettings,
    BucketMissing,
    ObjectMissing,
    PreconditionFailed,
    StoreUnavailable,
)
from avm_core.storage.local import LocalStore
from tests.contracts.object_store import ObjectStoreContract, increment


class TestLocalStore(ObjectStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> LocalStore:
        (tmp_path / "store").mkdir()
        return LocalStore(tmp_path / "store")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def _increment_in_process(folder: Path, times: int) -> None:
    increment(LocalStore(folder), "counter", times)


def _create_in_process(folder: Path, name: str) -> None:
    try:
        LocalStore(folder).put("deep/new", name.encode(), if_absent=True)
        LocalStore(folder).put(f"winners/{name}", b"1")
    except PreconditionFailed:
        LocalStore(folder).put(f"losers/{name}", b"1")


def _run(target: object, arguments: list[tuple[object, ...]]) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=target, args=each) for each in arguments]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * len(processes)


def test_no_increment_of_many_processes_is_lost(store: LocalStore, tmp_path: Path) -> None:
    store.put("counter", b"0")
    _run(_increment_in_process, [(tmp_path / "store", 40)] * 3)
    assert store.get("counter") == b"120"


def test_exactly_one_of_many_processes_creates(store: LocalStore, tmp_path: Path) -> None:
    _run(_create_in_process, [(tmp_path / "store", name) for name in "abc"])
    winners = [info.key for info in store.list("winners/")]
    assert len(winners) == 1
    assert store.get("deep/new").decode() == winners[0].removeprefix("winners/")
    assert len(list(store.list("losers/"))) == 2


def test_uri_is_the_path_as_it_is(tmp_path: Path) -> None:
    assert LocalStore(tmp_path / "a b%").uri == f"file://{tmp_path}/a b%"
    assert LocalStore(f"{tmp_path}/x/../y/").uri == f"file://{tmp_path}/y"


@pytest.mark.parametrize(
    "key", ["../up", "a/../../up", "a/./b", "a//b", ".hidden", "a/.avm-objects/lock", "a/"]
)
def test_refuses_keys_that_escape_or_hide(store: LocalStore, key: str, tmp_path: Path) -> None:
    (tmp_path / "up").write_bytes(b"precious")
    for call in (store.get, store.head, store.delete, lambda key: store.put(key, b"x")):
        with pytest.raises(BadSettings, match="cannot be a file"):
            call(key)
    assert (tmp_path / "up").read_bytes() == b"precious"


def test_a_linked_folder_does_not_lead_out(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/film").write_bytes(b"precious")
    store.put("a", b"1")
    (tmp_path / "store/link").symlink_to(tmp_path / "outside")
    for call in (store.get, store.delete, lambda key: store.put(key, b"x")):
        with pytest.raises(BadSettings, match="through a link"):
            call("link/film")
    assert [info.key for info in store.list()] == ["a"]
    assert (tmp_path / "outside/film").read_bytes() == b"precious"


def test_a_linked_file_is_read_and_replaced_not_written_through(
    store: LocalStore, tmp_path: Path
) -> None:
    (tmp_path / "film").write_bytes(b"precious")
    store.put("a", b"1")
    (tmp_path / "store/link").symlink_to(tmp_path / "film")
    (tmp_path / "store/nowhere").symlink_to(tmp_path / "missing")
    assert store.get("link") == b"precious"
    assert [info.key for info in store.list()] == ["a", "link"]
    store.put("link", b"new")
    assert store.get("link") == b"new"
    assert (tmp_path / "film").read_bytes() == b"precious"


def test_files_of_others_are_objects(store: LocalStore, tmp_path: Path) -> None:
    folder = tmp_path / "store/films"
    folder.mkdir(parents=True)
    for name in ("one.mp4", "two.mp4"):
        (folder / name).write_bytes(name.encode())
        (folder / f".{name}.tmp").write_bytes(b"unfinished")
    infos = list(store.list())
    assert [info.key for info in infos] == ["films/one.mp4", "films/two.mp4"]
    for info in infos:
        name = info.key.removeprefix("films/").encode()
        assert info.etag == hashlib.md5(name).hexdigest() == store.head(info.key).etag
    store.put("films/one.mp4", b"mine", if_match=infos[0].etag)
    assert store.get("films/one.mp4") == b"mine"


def test_reading_leaves_no_trace(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store/a").write_bytes(b"1")
    (tmp_path / "store/b").write_bytes(b"2")
    assert [store.get(info.key) for info in store.list()] == [b"1", b"2"]
    assert sorted(path.name for path in (tmp_path / "store").iterdir()) == ["a", "b"]


def test_a_change_by_others_changes_the_etag(store: LocalStore, tmp_path: Path) -> None:
    etag = store.put("a", b"12345", metadata={"x": "1"})
    (tmp_path / "store/a").write_bytes(b"other bytes")
    changed = store.head("a")
    assert changed.etag == hashlib.md5(b"other bytes").hexdigest()
    assert changed.metadata == ()
    with pytest.raises(PreconditionFailed):
        store.put("a", b"2", if_match=etag)


def test_stores_over_a_folder_and_its_parent_agree(store: LocalStore, tmp_path: Path) -> None:
    inner = LocalStore(tmp_path / "store/sub")
    etag = inner.put("a", b"1", metadata={"x": "1"})
    assert store.head("sub/a").metadata == (("x", "1"),)
    store.put("sub/a", b"2", if_match=etag)
    with pytest.raises(PreconditionFailed):
        inner.put("a", b"3", if_match=etag)


def test_versions_leave_no_litter(store: LocalStore, tmp_path: Path) -> None:
    for number in range(5):
        store.put("a", str(number).encode(), metadata={"n": str(number)})
        store.put("b", b"same")
    hidden = tmp_path / "store/.avm-objects"
    assert len(list(hidden.iterdir())) == 3  # the lock and two notes
    store.delete("a")
    store.delete("b")
    assert [path.name for path in hidden.iterdir()] == ["lock"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_crash_while_writing_keeps_the_old_object(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    etag = store.put("a", b"old", metadata={"x": "1"})

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, step, fail)
        with pytest.raises(StoreUnavailable, match="No space left"):
            store.put("a", b"new", metadata={"x": "2"})
    assert store.get("a") == b"old"
    assert (store.head("a").etag, store.head("a").metadata) == (etag, (("x", "1"),))
    assert [info.key for info in store.list()] == ["a"]


def test_a_torn_note_costs_the_metadata_only(store: LocalStore, tmp_path: Path) -> None:
    etag = store.put("a", b"1", metadata={"x": "1"})
    for torn in ("", '{"etag": "', "[1, 2]"):
        (note,) = (tmp_path / "store/.avm-objects").glob("*.json")
        note.write_text(torn)
        assert (store.head("a").etag, store.head("a").metadata) == (etag, ())


def test_a_missing_folder(store: LocalStore, tmp_path: Path) -> None:
    with pytest.raises(BucketMissing, match="store' does not exist: create it"):
        next(store.list())
    with pytest.raises(ObjectMissing):
        store.get("a")
    store.delete("a")
    assert not (tmp_path / "store").exists()
    store.put("a", b"1")
    assert [info.key for info in store.list()] == ["a"]


def test_a_key_that_no_file_can_have(store: LocalStore) -> None:
    store.put("a", b"1")
    store.put("b/c", b"2")
    for key in ("a/below", "b", "x" * 300):
        with pytest.raises(BadSettings, match="cannot be a file"):
            store.put(key, b"1")
        with pytest.raises(ObjectMissing):
            store.get(key)
    assert [info.key for info in store.list()] == ["a", "b/c"]


def test_keeps_no_versions(store: LocalStore, tmp_path: Path) -> None:
    for value in (b"1", b"2"):
        store.put("a", value)
    assert store.head("a").version_id == ""
    with pytest.raises(ObjectMissing, match="version 'v1'"):
        store.download("a", tmp_path / "target", version_id="v1")
    with pytest.raises(ObjectMissing, match="version 'v1'"):
        store.get_range("a", 0, 1, version_id="v1")
    assert not (tmp_path / "target").exists()
