"""The oracle itself, against cosines computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from avm_core.errors import IndexMismatch
from avm_core.index.exact import ExactIndex
from tests.avm_core.index.builders import OTHER, make_fingerprint


def test_hits_are_the_cosines_in_order():
    ref_a = make_fingerprint(1, vectors=np.array([[3.0, 4.0], [4.0, -3.0]]))
    ref_b = make_fingerprint(2, vectors=np.array([[1.0, 0.0], [0.0, 1.0]]))
    query = make_fingerprint(3, vectors=np.array([[1.0, 0.0]]))
    hits = ExactIndex([("b", ref_b), ("a", ref_a)]).search(query, k=3, min_similarity=-1.0)
    assert hits.ref_ids == ("a", "b")
    assert hits.ref.tolist() == [1, 0, 0]
    assert hits.ref_start.tolist() == [0.0, 0.5, 0.0]
    assert hits.score == pytest.approx([1.0, 0.8, 0.6], abs=0.005)


def test_threshold_and_k_cut():
    ref = make_fingerprint(1, vectors=np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]))
    index = ExactIndex([("a", ref), ("b", ref)])
    query = make_fingerprint(3, vectors=np.array([[1.0, 0.0], [0.0, 1.0]]))
    above = index.search(query, k=10, min_similarity=0.5)
    assert above.query.tolist() == [0] * 4 + [1] * 4
    cut = index.search(query, k=1, min_similarity=0.5)
    assert (cut.query.tolist(), cut.ref.tolist()) == ([0, 1], [0, 0])


def test_fingerprinters_are_not_mixed():
    other = make_fingerprint(2, fingerprinter=OTHER)
    with pytest.raises(IndexMismatch, match="mix"):
        ExactIndex([("a", make_fingerprint(1)), ("b", other)])
    with pytest.raises(IndexMismatch, match="fingerprint the query"):
        ExactIndex([("a", make_fingerprint(1))]).search(other, k=1, min_similarity=0.0)


def test_an_empty_index_has_no_hits():
    assert len(ExactIndex([]).search(make_fingerprint(1), k=3, min_similarity=-1.0).query) == 0
