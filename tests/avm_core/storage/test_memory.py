"""Tests of the store in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from avm_core.errors import BadSettings, ObjectMissing
from avm_core.storage.memory import MemoryStore
from tests.contracts.object_store import ObjectStoreContract


class TestMemoryStore(ObjectStoreContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore("memory://contract")


class TestMemoryStoreBelowAPrefix(ObjectStoreContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore("memory://contract/some/prefix")


def test_constructed_stores_share_nothing() -> None:
    first, second = MemoryStore("memory://one"), MemoryStore("memory://one")
    first.put("a", b"1")
    assert list(second.list()) == []


def test_shared_stores_of_one_name_hold_the_same_objects() -> None:
    base = MemoryStore.shared("memory://shared-name")
    below = MemoryStore.shared("memory://shared-name/sub/")
    other = MemoryStore.shared("memory://shared-other")
    below.put("a", b"1")
    base.put("b", b"2")
    assert [info.key for info in base.list()] == ["b", "sub/a"]
    assert [info.key for info in below.list()] == ["a"]
    assert list(other.list()) == []
    assert (base.uri, below.uri) == ("memory://shared-name", "memory://shared-name/sub")


@pytest.mark.parametrize("uri", ["memory://", "s3://bucket", "name"])
def test_refuses_other_uris(uri: str) -> None:
    with pytest.raises(BadSettings, match="memory://name"):
        MemoryStore(uri)


def test_keeps_no_versions(tmp_path: Path) -> None:
    store = MemoryStore("memory://versions")
    for value in (b"1", b"2"):
        store.put("a", value)
    assert store.head("a").version_id == ""
    with pytest.raises(ObjectMissing, match="version 'v1'"):
        store.download("a", tmp_path / "target", version_id="v1")
    with pytest.raises(ObjectMissing, match="version 'v1'"):
        store.get_range("a", 0, 1, version_id="v1")
    assert not (tmp_path / "target").exists()
