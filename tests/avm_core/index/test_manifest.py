"""A manifest that was changed, broken or written by another format is never trusted."""

from __future__ import annotations

import json

import pytest

from avm_core.errors import ChecksumMismatch, IndexMismatch
from avm_core.index.manifest import IndexManifest
from avm_core.index.snapshot import current, publish
from tests.avm_core.index.builders import AUDIO, FLAT, NAME, make_batch


@pytest.fixture
def manifest(store):
    publish(store, NAME, AUDIO, make_batch(3), config=FLAT)
    return publish(store, NAME, AUDIO, [], remove=["m01"], config=FLAT)


def test_bytes_round_trip(manifest):
    assert IndexManifest.from_bytes(manifest.to_bytes(), key="k") == manifest


def test_creation_time_is_not_part_of_the_identity(manifest):
    later = json.loads(manifest.to_bytes()) | {"created_at": "2031-01-01T00:00:00+00:00"}
    read = IndexManifest.from_bytes(json.dumps(later).encode(), key="k")
    assert read.snapshot_id == manifest.snapshot_id


@pytest.mark.parametrize("change", [{"tombstones": []}, {"version": 7}, {"fingerprinter": "x"}])
def test_changed_content_is_noticed(manifest, change):
    data = json.dumps(json.loads(manifest.to_bytes()) | change).encode()
    with pytest.raises(ChecksumMismatch, match="changed after"):
        IndexManifest.from_bytes(data, key="k")


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b'{"format_version": 1}', b"\xff"])
def test_broken_manifest_is_a_checksum_mismatch(data):
    with pytest.raises(ChecksumMismatch, match="manifest k"):
        IndexManifest.from_bytes(data, key="k")


def test_another_format_says_upgrade():
    with pytest.raises(IndexMismatch, match="upgrade"):
        IndexManifest.from_bytes(b'{"format_version": 2}', key="k")


@pytest.mark.parametrize("data", [b"", b"nonsense", b'{"snapshot": 1}'])
def test_broken_pointer_is_a_checksum_mismatch(store, manifest, data):
    store.put(f"index/{NAME}/CURRENT", data)
    with pytest.raises(ChecksumMismatch, match="CURRENT"):
        current(store, NAME)
