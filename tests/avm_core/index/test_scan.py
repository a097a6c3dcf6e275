"""Exact search in blocks equals a full sort, whatever the blocks are."""

from __future__ import annotations

import numpy as np
import pytest

from avm_core.index import scan
from tests.avm_core.index.builders import to_int8, walk


def by_hand(queries, rows, k, min_similarity, alive=None):
    left = queries.astype(np.float64) / np.linalg.norm(queries.astype(np.float64), axis=1)[:, None]
    right = rows.astype(np.float64) / np.linalg.norm(rows.astype(np.float64), axis=1)[:, None]
    found = []
    for q, scores in enumerate(left @ right.T):
        usable = [r for r in range(len(rows)) if alive is None or alive[r]]
        best = sorted((-round(scores[r], 6), r) for r in usable if scores[r] >= min_similarity)
        found += [(q, r) for _, r in best[:k]]
    return found


def pairs(neighbours):
    return list(zip(neighbours.query.tolist(), neighbours.row.tolist(), strict=True))


@pytest.mark.parametrize(("rows_per_block", "queries_per_block"), [(7, 3), (64, 64), (8192, 256)])
@pytest.mark.parametrize(("k", "min_similarity"), [(1, -1.0), (5, 0.3), (50, 0.6), (300, -1.0)])
def test_blocks_do_not_change_the_result(
    monkeypatch, rows_per_block, queries_per_block, k, min_similarity
):
    monkeypatch.setattr(scan, "ROWS_PER_BLOCK", rows_per_block)
    monkeypatch.setattr(scan, "QUERIES_PER_BLOCK", queries_per_block)
    rows, queries = to_int8(walk(1, 200)), to_int8(walk(1, 30) + walk(2, 30) * 0.3)
    found = scan.nearest(queries, rows, k=k, min_similarity=min_similarity)
    assert pairs(found) == by_hand(queries, rows, k, min_similarity)


def test_equal_scores_go_to_the_lower_row_across_blocks(monkeypatch):
    monkeypatch.setattr(scan, "ROWS_PER_BLOCK", 4)
    one, two = to_int8(walk(3, 2))
    rows = np.stack([two, one, two, one, two, one, one, two, one])
    found = scan.nearest(np.stack([one, two]), rows, k=3, min_similarity=0.9)
    assert pairs(found) == [(0, 1), (0, 3), (0, 5), (1, 0), (1, 2), (1, 4)]


def test_dead_rows_are_passed_over_before_the_cut():
    rows = to_int8(walk(4, 60))
    alive = np.arange(60) % 3 != 0
    found = scan.nearest(rows[:10], rows, k=4, min_similarity=-1.0, alive=alive)
    assert pairs(found) == by_hand(rows[:10], rows, 4, -1.0, alive)
    assert alive[found.row].all()


def test_score_of_a_pair_is_the_same_bits_in_any_company(monkeypatch):
    rows, queries = to_int8(walk(5, 500, 96)), to_int8(walk(6, 40, 96))
    together = scan.nearest(queries, rows, k=500, min_similarity=-1.0)
    alone = scan.pair_scores(queries, rows, together.query, together.row)
    np.testing.assert_array_equal(together.score, alone)
    for q, r in [(0, 0), (17, 333), (39, 499)]:
        single = scan.nearest(queries[[q]], rows[[r]], k=1, min_similarity=-1.0)
        where = (together.query == q) & (together.row == r)
        assert single.score[0] == together.score[where][0]


def test_identical_rows_score_one_and_opposite_rows_minus_one():
    row = to_int8(walk(7, 1))
    found = scan.nearest(row, np.concatenate([row, -row]), k=2, min_similarity=-1.0)
    assert found.score == pytest.approx([1.0, -1.0], abs=1e-6)
    assert np.abs(found.score).max() <= 1.0


def test_nothing_to_search_gives_nothing():
    rows = to_int8(walk(8, 5))
    assert len(scan.nearest(rows, rows[:0], k=3, min_similarity=0.0).row) == 0
    assert len(scan.nearest(rows[:0], rows, k=3, min_similarity=0.0).row) == 0
