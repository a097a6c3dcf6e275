"""Compaction keeps partitions apart and leaves large segments alone while they are mostly alive."""

from __future__ import annotations

import pytest

from avm_core.config import IndexConfig
from avm_core.index.exact import ExactIndex
from avm_core.index.reader import SnapshotReader
from avm_core.index.snapshot import compact, current, media_ids, publish
from tests.avm_core.index.builders import (
    AUDIO,
    FLAT,
    NAME,
    assert_same_hits,
    make_batch,
    make_fingerprint,
    noisy_copy,
    open_current,
)

DAYS = {"m00": "2030-01-01", "m01": "2030-01-02", "m02": "2030-01-01", "m03": "2030-01-02"}


def put(store, names, *, windows=20, config=FLAT, remove=(), partition_of=None):
    media = [(name, make_fingerprint(int(name[1:]), windows=windows)) for name in names]
    return publish(
        store, NAME, AUDIO, media, config=config, remove=remove, partition_of=partition_of
    )


def layout(manifest):
    return [(ref.partition, ref.media_count, ref.windows) for ref in manifest.segments]


def test_each_partition_has_segments_of_its_own_and_keeps_them(store, tmp_path):
    first = put(store, ["m00", "m01", "m02", "m04"], partition_of=DAYS)
    assert layout(first) == [("", 1, 20), ("2030-01-01", 2, 40), ("2030-01-02", 1, 20)]
    second = put(store, ["m03", "m05"], partition_of=DAYS)
    assert second.partitions == ("", "2030-01-01", "2030-01-02")
    after = compact(store, NAME, config=FLAT)
    assert layout(after) == [("", 2, 40), ("2030-01-02", 2, 40), ("2030-01-01", 2, 40)]
    assert media_ids(store, after) == media_ids(store, second)
    for day, names in (("2030-01-02", ("m01", "m03")), ("2030-01-01", ("m00", "m02"))):
        reader = SnapshotReader.open(store, after, cache_dir=tmp_path, config=FLAT, partition=day)
        assert reader.media_ids == names
    whole = SnapshotReader.open(store, after, cache_dir=tmp_path, config=FLAT)
    assert len(whole.media_ids) == 6


def test_the_partition_belongs_to_the_snapshot_id(store):
    one = put(store, ["m00"], partition_of={"m00": "2030-01-01"})
    store.delete(f"index/{NAME}/CURRENT")
    other = put(store, ["m00"], partition_of={"m00": "2030-01-02"})
    assert one.snapshot_id != other.snapshot_id
    assert one.segments[0].sha256 == other.segments[0].sha256


def test_segments_grow_up_to_the_limit_and_are_then_left_alone(store):
    config = IndexConfig(segment_windows=50)
    for number in range(5):
        put(store, [f"m{number:02d}"], config=config)
    first = compact(store, NAME, config=config)
    assert layout(first) == [("", 2, 40), ("", 2, 40), ("", 1, 20)]
    put(store, ["m05"], config=config)
    second = compact(store, NAME, config=config)
    assert layout(second) == [("", 2, 40), ("", 2, 40), ("", 2, 40)]
    assert {ref.key for ref in first.segments[:2]} < {ref.key for ref in second.segments}
    assert compact(store, NAME, config=config) == second


def test_a_large_segment_keeps_few_dead_windows_and_their_tombstones(store, tmp_path):
    config = IndexConfig(segment_windows=100, dead_share=0.2)
    names = [f"m{number:02d}" for number in range(5)]
    put(store, names, config=config)
    put(store, ["m05"], config=config)
    put(store, [], config=config, remove=["m01"])
    put(store, ["m06"], config=config, remove=["m05"])
    after = compact(store, NAME, config=config)
    # The small segment of the dead m05 went with its tombstone; a fifth of the large one is dead.
    assert layout(after) == [("", 1, 20), ("", 5, 100)]
    assert [stone.media_id for stone in after.tombstones] == ["m01"]
    assert open_current(store, tmp_path).media_ids == ("m00", "m02", "m03", "m04", "m06")
    assert compact(store, NAME, config=config) == after
    put(store, [], config=config, remove=["m02"])
    rewritten = compact(store, NAME, config=config)
    assert (layout(rewritten), rewritten.tombstones) == ([("", 4, 80)], ())
    assert open_current(store, tmp_path).media_ids == ("m00", "m03", "m04", "m06")


@pytest.mark.parametrize("large", [25, 10_000])
def test_a_media_that_came_back_unchanged_survives(store, tmp_path, large):
    # The same bytes make the same object, so the manifest names it twice: once dead, once alive.
    config = IndexConfig(segment_windows=large)
    for remove in ([], ["m00"]):
        put(store, ["m00"] if not remove else [], config=config, remove=remove)
    put(store, ["m00"], config=config)
    put(store, ["m01"], config=config)
    keys = [ref.key for ref in current(store, NAME).segments]
    assert keys[0] == keys[1]
    after = compact(store, NAME, config=config)
    assert set(media_ids(store, after)) == {"m00", "m01"}
    media = [(f"m0{number}", make_fingerprint(number, windows=20)) for number in range(2)]
    query = noisy_copy(media[0][1], seed=1)
    assert_same_hits(
        open_current(store, tmp_path).search(query, k=5, min_similarity=-1.0),
        ExactIndex(media).search(query, k=5, min_similarity=-1.0),
    )


def test_a_spent_tombstone_is_dropped_without_a_rewrite(store):
    batch = make_batch(2)
    publish(store, NAME, AUDIO, batch, config=FLAT)
    publish(store, NAME, AUDIO, [], remove=["m00"], config=FLAT)
    after = compact(store, NAME, config=FLAT)
    assert (len(after.segments), after.tombstones) == (1, ())
