"""Average precision and quantiles against values worked out by hand or by numpy."""

import numpy as np
import pytest

from avm_core.benchmark.frame_scores import CosineCounts, average_precision


@pytest.mark.parametrize(
    ("scores", "right", "wanted", "expected"),
    [
        ([0.9, 0.8, 0.1], [True, True, False], 2, 1.0),
        # Right at ranks 1 and 3 of 3 that are wanted: (1/1 + 2/3) / 3.
        ([0.9, 0.8, 0.7, 0.1], [True, False, True, False], 3, (1 + 2 / 3) / 3),
        ([0.2, 0.9], [True, False], 1, 0.5),
        ([0.5], [False], 1, 0.0),
        ([], [], 2, 0.0),
        ([0.5], [False], 0, None),
    ],
)
def test_precision_is_averaged_over_what_is_wanted(scores, right, wanted, expected):
    found = average_precision(np.float32(scores), np.array(right, bool), wanted)
    assert found == (None if expected is None else pytest.approx(expected))


def test_the_order_of_equal_scores_does_not_matter():
    # Three at 0.5, of which one is right: at that score the precision is 2 of 4.
    scores = np.float32([0.9, 0.5, 0.5, 0.5])
    for place in (1, 2, 3):
        right = np.arange(4) == place
        right[0] = True
        assert average_precision(scores, right, 2) == pytest.approx((1 + 2 / 4) / 2)


def test_quantiles_are_those_of_all_cosines_to_the_bin():
    rng = np.random.default_rng(3)
    cosines = np.tanh(rng.normal(0.1, 0.3, (4, 5_000))).astype(np.float32)
    counts = CosineCounts()
    for part in cosines:
        counts.add(part.reshape(50, 100))
    assert counts.total == cosines.size
    shares = [0.1, 0.5, 0.99, 0.999]
    expected = np.quantile(cosines, shares)
    assert counts.quantiles(shares) == pytest.approx(expected, abs=0.003)
    assert counts.above(0.25) == pytest.approx((cosines >= 0.25).mean(), abs=1e-3)


def test_the_ends_of_the_scale_are_counted_and_nothing_has_no_quantile():
    counts = CosineCounts()
    assert np.isnan(counts.quantiles([0.5])).all()
    assert np.isnan(counts.above(0.0))
    counts.add(np.float32([-1.0, 1.0, 1.0001]))
    assert counts.total == 3
    assert counts.quantiles([0.1, 0.9]) == pytest.approx([-1, 1], abs=1e-3)
    assert counts.above(0.99) == pytest.approx(2 / 3)
