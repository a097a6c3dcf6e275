"""Unions and overlaps of time spans."""

from __future__ import annotations

import pytest

from avm_core.evaluate.spans import by_pair, iou_of, meet, union_length
from tests.avm_core.evaluate.builders import make_match, make_truth


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], 0.0),
        ([(0, 2), (5, 6)], 3.0),
        ([(0, 4), (2, 6)], 6.0),
        ([(5, 6), (0, 10), (1, 2)], 10.0),
        ([(0, 2), (2, 4)], 4.0),
    ],
)
def test_union_length_counts_shared_time_once(spans, expected):
    assert union_length(spans) == expected


def test_iou_of_spans():
    assert iou_of((0, 10), (5, 15)) == pytest.approx(1 / 3)
    assert iou_of((0, 10), (10, 20)) == 0.0


def test_touching_segments_do_not_meet():
    truth = make_truth(at=(0, 10), of=(0, 10))
    assert not meet(truth, make_match(at=(10, 20), of=(5, 15)))
    assert meet(truth, make_match(at=(9, 20), of=(9, 15)))


def test_groups_keep_pairs_apart():
    rows = [make_truth("u", "a"), make_truth("u", "b"), make_truth("u", "a", at=(50, 60))]
    groups = by_pair(rows)
    assert {pair: len(members) for pair, members in groups.items()} == {
        ("u", "a"): 2,
        ("u", "b"): 1,
    }
