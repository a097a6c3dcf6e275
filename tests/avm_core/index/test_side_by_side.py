"""Segments built at once: the same index as one after the other, and never too many in memory."""

from __future__ import annotations

import threading

import pytest

from avm_core.index.cache import fetch_entries
from avm_core.index.rebuild import rebuild
from avm_core.index.side_by_side import side_by_side
from avm_core.index.snapshot import compact, media_ids, publish, verify
from avm_core.storage import MemoryStore
from tests.avm_core.index.builders import AUDIO, HNSW, NAME, make_batch

DAYS = {"m00": "b", "m01": "a", "m02": "b", "m03": "a", "m04": "c", "m05": "b"}


def split_after(media: int, threads: int):
    # Media have 20 to 25 windows.
    return HNSW.model_copy(update={"segment_windows": media * 25, "build_threads": threads})


def contents(manifest):
    return [(ref.partition, ref.key, ref.graph_key) for ref in manifest.segments]


def lived(threads: int):
    """Contents after a publish of three days, another of the same, compaction and a rebuild."""
    store, config, batch = MemoryStore(), split_after(2, threads), make_batch(6)
    seen = []
    for part in (batch[:5], batch):
        made = publish(store, NAME, AUDIO, part, config=config, partition_of=DAYS)
        seen.append(contents(made))
    compacted = compact(store, NAME, config=split_after(4, threads))
    seen.append(contents(compacted))
    days = sorted(set(DAYS.values()))
    batches = ((day, [pair for pair in batch if DAYS[pair[0]] == day]) for day in days)
    made = rebuild(store, compacted, batches, config=config)
    assert verify(store, made) == []
    return [*seen, contents(made)]


def test_any_number_of_threads_makes_the_same_bytes():
    assert lived(1) == lived(3)


def test_a_large_publish_is_split_in_its_order_and_loses_nothing():
    store = MemoryStore()
    made = publish(store, NAME, AUDIO, make_batch(5), config=split_after(2, 2))
    held = [[entry.media_id for entry in fetch_entries(store, ref)] for ref in made.segments]
    assert held == [["m00", "m01"], ["m02", "m03"], ["m04"]]
    assert set(media_ids(store, made)) == {"m00", "m01", "m02", "m03", "m04"}


def test_a_media_larger_than_a_segment_has_one_of_its_own():
    config = HNSW.model_copy(update={"segment_windows": 1})
    made = publish(MemoryStore(), NAME, AUDIO, make_batch(3), config=config)
    assert [ref.media_count for ref in made.segments] == [1, 1, 1]


def test_results_keep_the_order_of_the_jobs():
    first_waits = threading.Event()

    def build(job: int) -> int:
        if job == 0:
            assert first_waits.wait(30)
        if job == 1:
            first_waits.set()
        return job * job

    assert side_by_side(build, range(5), threads=2) == [0, 1, 4, 9, 16]


def test_jobs_are_taken_as_threads_come_free():
    taken, done = [], []

    def jobs():
        for job in range(9):
            taken.append(job)
            yield job

    def build(job: int) -> None:
        assert len(taken) - len(done) <= 3
        done.append(job)

    side_by_side(build, jobs(), threads=2)
    assert sorted(done) == list(range(9))


def test_the_first_error_is_raised():
    def build(job: int) -> int:
        return 1 // (job - 1)

    with pytest.raises(ZeroDivisionError):
        side_by_side(build, range(4), threads=2)
