"""The scan by torch gives what the scan by numpy gives; here on the CPU."""

from __future__ import annotations

import numpy as np
import pytest

from avm_core.config import IndexConfig
from avm_core.index import device_scan, scan
from avm_core.index.snapshot import publish
from tests.avm_core.index.builders import (
    AUDIO,
    HNSW,
    NAME,
    assert_same_hits,
    make_batch,
    noisy_copy,
    open_current,
    to_int8,
    walk,
)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(device_scan, "ROWS_PER_BLOCK", 70)
    monkeypatch.setattr(device_scan, "QUERIES_PER_BLOCK", 7)


def assert_equal(found, expected):
    for column in ("query", "row", "score"):
        np.testing.assert_array_equal(getattr(found, column), getattr(expected, column), column)


@pytest.mark.parametrize(("k", "floor"), [(1, 0.5), (10, 0.2), (60, -1.0), (900, 0.0)])
@pytest.mark.parametrize("dead", [False, True])
def test_same_neighbours_and_scores_as_numpy(k, floor, dead):
    rows, queries = to_int8(walk(1, 300)), to_int8(walk(1, 300)[40:60] + walk(2, 20))
    alive = np.arange(300) % 3 != 0 if dead else None
    expected = scan.nearest(queries, rows, k=k, min_similarity=floor, alive=alive)
    found = device_scan.nearest(queries, rows, k=k, min_similarity=floor, alive=alive, device="cpu")
    assert len(expected.query) >= 10
    assert_equal(found, expected)


def test_more_equals_than_are_kept_are_ranked_by_their_row():
    rows = np.repeat(to_int8(walk(1, 3)), 100, axis=0)
    queries = np.concatenate([rows[[0, 150]], to_int8(walk(5, 2))])
    expected = scan.nearest(queries, rows, k=4, min_similarity=-1.0)
    found = device_scan.nearest(queries, rows, k=4, min_similarity=-1.0, device="cpu")
    assert expected.row[:8].tolist() == [0, 1, 2, 3, 100, 101, 102, 103]
    assert_equal(found, expected)


def test_nothing_to_search_or_to_ask_gives_nothing():
    rows = to_int8(walk(1, 9))
    for queries, stored in ((rows[:0], rows), (rows, rows[:0])):
        found = device_scan.nearest(queries, stored, k=3, min_similarity=-1.0, device="cpu")
        assert len(found.query) == 0


def test_a_reader_with_a_device_is_exact_and_needs_no_graph(store, tmp_path, monkeypatch):
    media = make_batch(6)
    publish(store, NAME, AUDIO, media, config=HNSW)
    publish(store, NAME, AUDIO, [], remove=["m02"], config=HNSW)
    query = noisy_copy(media[3][1], seed=4)
    flat = open_current(store, tmp_path / "a", HNSW).search(query, k=7, min_similarity=-1.0)
    asked = []

    def on_cpu(*args, device, **kwargs):
        asked.append(device)
        return real(*args, device="cpu", **kwargs)

    real = device_scan.nearest
    monkeypatch.setattr(device_scan, "nearest", on_cpu)
    reader = open_current(store, tmp_path / "b", IndexConfig(device="cuda:1"))
    assert_same_hits(reader.search(query, k=7, min_similarity=-1.0), flat)
    assert set(asked) == {"cuda:1"}
    assert not list((tmp_path / "b").rglob("*.usearch"))
