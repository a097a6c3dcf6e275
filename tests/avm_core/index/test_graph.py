"""The graph finds what exact search finds, and a damaged file is told, not searched."""

from __future__ import annotations

import numpy as np
import pytest

from avm_core.config import IndexConfig
from avm_core.errors import ChecksumMismatch
from avm_core.index.graph import Graph, build_graph
from tests.avm_core.index.builders import to_int8, walk

CONFIG = IndexConfig()


@pytest.fixture
def rows():
    return to_int8(walk(1, 300))


@pytest.fixture
def path(tmp_path, rows):
    path = tmp_path / "rows.usearch"
    path.write_bytes(build_graph(rows, CONFIG))
    return path


def test_every_row_is_its_own_nearest_neighbour(path, rows):
    graph = Graph(path, rows=300, dims=32, depth=256)
    assert graph.search(rows, 3)[:, 0].tolist() == list(range(300))


def test_same_rows_give_the_same_bytes_and_all_are_reachable(path, rows):
    assert build_graph(rows, CONFIG) == path.read_bytes()
    found = Graph(path, rows=300, dims=32, depth=256).search(rows[:2], 300)
    assert [sorted(row.tolist()) for row in found] == [list(range(300))] * 2


def test_one_query_gives_the_same_as_many(path, rows):
    graph = Graph(path, rows=300, dims=32, depth=256)
    many = graph.search(rows[:5], 10)
    for place in range(5):
        np.testing.assert_array_equal(graph.search(rows[place : place + 1], 10), many[[place]])
    assert graph.search(rows[:0], 10).shape == (0, 10)


def test_asking_for_more_than_there_is_pads_with_minus_one(path, rows):
    found = Graph(path, rows=300, dims=32, depth=256).search(rows[:4], 310)
    assert found.shape == (4, 310)
    assert (found[:, 300:] == -1).all()
    assert all(len(set(row[row >= 0])) == (row >= 0).sum() for row in found)


@pytest.mark.parametrize("size", [0, 10, 64, 5_000, -1])
def test_truncated_graph_is_a_checksum_mismatch(path, size):
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ChecksumMismatch, match=r"rows\.usearch"):
        Graph(path, rows=300, dims=32, depth=256)


def test_graph_of_another_segment_is_refused(path, tmp_path):
    with pytest.raises(ChecksumMismatch, match="300"):
        Graph(path, rows=299, dims=32, depth=256)
    with pytest.raises(ChecksumMismatch, match="32"):
        Graph(path, rows=300, dims=33, depth=256)
    with pytest.raises(ChecksumMismatch, match="not there"):
        Graph(tmp_path / "none.usearch", rows=300, dims=32, depth=256)


def test_the_depth_of_a_search_grows_with_the_graph():
    depths = [CONFIG.search_depth(rows) for rows in (0, 1, 100_000, 1_000_000, 10_000_000)]
    assert depths == [256, 256, 256, 512, 1024]
    flat = CONFIG.model_copy(update={"expansion_growth": 1.0})
    assert flat.search_depth(1_000_000) == 256


def test_graphs_that_share_the_best_are_searched_less_deep():
    depths = [CONFIG.search_depth(1_000_000, graphs) for graphs in (0, 1, 4, 16, 64)]
    assert depths == [512, 512, 256, 128, 128]
    assert CONFIG.search_depth(1_000, 100) == 128
    alone = CONFIG.model_copy(update={"expansion_sharing": 0.0})
    assert alone.search_depth(1_000_000, 64) == 512
