"""Nearest of the background against a loop, and normalised scores against their formula."""

import numpy as np
import pytest

from avm_core.models.background import (
    Background,
    normalised_queries,
    normalised_references,
    unit,
)


def vectors(count, seed, dims=16):
    rng = np.random.default_rng(seed)
    return unit(rng.standard_normal((count, dims)).astype(np.float32))


def nearest_by_hand(queries, stored):
    found = []
    for query in queries.tolist():
        best = -1.0
        for row in stored.tolist():
            length = sum(value * value for value in row) ** 0.5
            best = max(best, sum(a * b for a, b in zip(query, row, strict=True)) / length)
        found.append(best)
    return found


@pytest.mark.parametrize(("count", "size"), [(1, 1), (7, 30), (9_000, 3)])
def test_nearest_equals_a_loop_over_all(count, size):
    queries, background = vectors(count, 1), Background.of(vectors(size, 2))
    found = background.nearest(queries)
    assert found.dtype == np.float32
    assert found == pytest.approx(nearest_by_hand(queries, background.stored), abs=1e-5)


def test_eight_bits_keep_the_directions():
    kept = vectors(50, 3, dims=256)
    background = Background.of(kept * 17)
    assert background.stored.dtype == np.int8
    assert np.abs(background.stored).max(axis=1).tolist() == [127] * 50
    assert background.nearest(kept) == pytest.approx(1.0, abs=1e-3)


def test_the_inner_product_is_the_normalised_score():
    queries, references, background = vectors(5, 4), vectors(8, 5), Background.of(vectors(20, 6))
    nearest = background.nearest(queries)
    found = normalised_queries(queries, nearest, 0.7) @ normalised_references(references).T
    np.testing.assert_allclose(found, queries @ references.T - 0.7 * nearest[:, None], atol=1e-6)


def test_without_queries_or_background_nothing_is_taken_off():
    assert Background(np.empty((0, 16), np.int8)).nearest(vectors(3, 7)).tolist() == [0, 0, 0]
    assert Background.of(vectors(4, 8)).nearest(np.empty((0, 16), np.float32)).shape == (0,)
