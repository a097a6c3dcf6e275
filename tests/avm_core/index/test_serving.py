"""A damaged snapshot is told by the name of its object, and the one before it serves."""

from __future__ import annotations

import pytest

from avm_core.errors import ChecksumMismatch, ObjectMissing
from avm_core.index.exact import ExactIndex
from avm_core.index.reader import SnapshotReader
from avm_core.index.serving import servable
from avm_core.index.snapshot import compact, current, publish
from tests.avm_core.index.builders import (
    AUDIO,
    FLAT,
    HNSW,
    NAME,
    OTHER,
    assert_same_hits,
    make_batch,
    make_fingerprint,
    noisy_copy,
)


def open_servable(store, cache_dir, config=FLAT):
    manifest = servable(store, current(store, NAME), cache_dir=cache_dir, config=config)
    reader = SnapshotReader.open(store, manifest, cache_dir=cache_dir, config=config)
    return manifest, reader


def damage(store, key, how):
    data = store.get(key)
    if how == "missing":
        store.delete(key)
    elif how == "truncated":
        store.put(key, data[: len(data) // 2])
    else:
        store.put(key, data[:-1] + bytes([data[-1] ^ 1]))


def test_a_whole_snapshot_serves_itself(store, tmp_path):
    latest = publish(store, NAME, AUDIO, make_batch(3), config=HNSW)
    assert open_servable(store, tmp_path, HNSW)[0] == latest


@pytest.mark.parametrize("how", ["missing", "truncated", "changed"])
@pytest.mark.parametrize("part", ["key", "media_key", "graph_key"])
def test_the_newest_whole_snapshot_serves_without_what_was_removed(
    store, tmp_path, caplog, how, part
):
    media = make_batch(6)
    first = publish(store, NAME, AUDIO, media[:3], config=HNSW)
    publish(store, NAME, AUDIO, media[3:5], config=HNSW)
    publish(store, NAME, AUDIO, media[5:], remove=["m01"], config=HNSW)
    _, second, third = current(store, NAME).segments
    key = getattr(second, part)
    damage(store, key, how)
    damage(store, third.key, "changed")
    manifest, reader = open_servable(store, tmp_path, HNSW)
    assert manifest.version == first.version
    assert reader.media_ids == ("m00", "m02")
    query = noisy_copy(media[1][1], seed=3)
    oracle = ExactIndex([media[0], media[2]])
    assert_same_hits(
        reader.search(query, k=9, min_similarity=-1.0),
        oracle.search(query, k=9, min_similarity=-1.0),
    )
    [record] = caplog.records
    assert "snapshot 3 is damaged" in record.message
    assert "snapshot 1 is searched instead" in record.message
    assert key in record.message or third.key in record.message


def test_a_damaged_compaction_is_replaced_by_what_it_came_from(store, tmp_path):
    media = make_batch(4)
    publish(store, NAME, AUDIO, media[:2], config=FLAT)
    publish(store, NAME, AUDIO, media[2:], remove=["m00"], config=FLAT)
    merged = compact(store, NAME, config=FLAT)
    damage(store, merged.segments[0].key, "truncated")
    manifest, reader = open_servable(store, tmp_path)
    assert (manifest.version, reader.media_ids) == (2, ("m01", "m02", "m03"))


def test_without_a_whole_snapshot_the_damaged_object_is_named(store, tmp_path):
    publish(store, NAME, AUDIO, make_batch(2), config=FLAT)
    [ref] = publish(store, NAME, AUDIO, [], remove=["m00"], config=FLAT).segments
    damage(store, ref.key, "changed")
    with pytest.raises(ChecksumMismatch, match=ref.key):
        open_servable(store, tmp_path)
    damage(store, ref.key, "missing")
    with pytest.raises(ObjectMissing):
        open_servable(store, tmp_path)


def test_a_snapshot_of_another_fingerprinter_never_serves(store, tmp_path):
    publish(store, NAME, AUDIO, make_batch(2), config=FLAT)
    new = [(f"n{i}", make_fingerprint(i, fingerprinter=OTHER)) for i in range(2)]
    fresh = publish(store, NAME, OTHER, new, config=FLAT, replace=True)
    damage(store, fresh.segments[0].key, "changed")
    with pytest.raises(ChecksumMismatch, match=fresh.segments[0].key):
        open_servable(store, tmp_path)


def test_a_publisher_that_lost_its_race_never_serves(store, tmp_path):
    media = make_batch(4)
    first = publish(store, NAME, AUDIO, media[:2], config=FLAT)
    store.die_at = "CURRENT"
    with pytest.raises(KeyboardInterrupt):
        publish(store, NAME, AUDIO, media[2:3], config=FLAT)
    store.die_at = ""
    latest = publish(store, NAME, AUDIO, media[3:], config=FLAT)
    damage(store, latest.segments[1].key, "changed")
    assert open_servable(store, tmp_path)[0] == first
