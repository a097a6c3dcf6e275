"""The best runs of a signal, against the definition by brute force."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avm_core.match.segments import best_runs, to_grid

VALUES = st.lists(st.integers(-6, 6), min_size=1, max_size=14)


def legal(signal, first, last, max_gap):
    """By definition: ends are positive, and between two positive neighbours are fewer than
    `max_gap` negatives."""
    run = signal[first:last]
    positive = np.flatnonzero(run > 0)
    if not len(positive) or positive[0] != 0 or positive[-1] != len(run) - 1:
        return False
    return all((run[a:b] < 0).sum() < max_gap for a, b in itertools.pairwise(positive))


def best_sum(signal, max_gap):
    """The highest sum of any legal run, by trying all."""
    pairs = itertools.combinations(range(len(signal) + 1), 2)
    sums = [signal[a:b].sum() for a, b in pairs if legal(signal, a, b, max_gap)]
    return max(sums, default=None)


@settings(max_examples=150, deadline=None)
@given(VALUES)
def test_without_a_gap_limit_the_first_run_has_the_highest_sum(values):
    signal = np.array(values, dtype=float)
    runs = best_runs(signal, max_gap=len(signal) + 1, min_length=1)
    best = best_sum(signal, len(signal) + 1)
    assert (best is None) == (not runs)
    if runs:
        assert signal[slice(*runs[0])].sum() == best


@settings(max_examples=150, deadline=None)
@given(VALUES, st.integers(1, 5), st.integers(1, 4))
def test_runs_are_legal_long_enough_apart_and_best_first(values, max_gap, min_length):
    signal = np.array(values, dtype=float)
    runs = best_runs(signal, max_gap=max_gap, min_length=min_length)
    assert all(legal(signal, *run, max_gap) for run in runs)
    assert all(last - first >= min_length for first, last in runs)
    ordered = sorted(runs)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(ordered))
    sums = [signal[slice(*run)].sum() for run in runs]
    assert sums == sorted(sums, reverse=True)


@settings(max_examples=100, deadline=None)
@given(VALUES, st.integers(1, 4))
def test_every_positive_sample_is_in_a_run_of_any_length(values, max_gap):
    signal = np.array(values, dtype=float)
    covered = np.zeros(len(signal), bool)
    for first, last in best_runs(signal, max_gap=max_gap, min_length=1):
        covered[first:last] = True
    assert covered[signal > 0].all()


def test_the_gap_limit_splits_a_run():
    signal = np.array([5.0] * 4 + [-0.1] * 6 + [5.0] * 4)
    assert best_runs(signal, max_gap=7, min_length=3) == [(0, 14)]
    assert best_runs(signal, max_gap=6, min_length=3) == [(0, 4), (10, 14)]


def test_a_dear_gap_splits_a_run_whatever_the_limit():
    signal = np.array([1.0] * 4 + [-2.0] * 3 + [1.5] * 4)
    assert best_runs(signal, max_gap=50, min_length=2) == [(7, 11), (0, 4)]


def test_infinite_cost_is_never_crossed():
    signal = np.array([9.0] * 4 + [-np.inf] + [9.0] * 5 + [-np.inf] * 2)
    assert best_runs(signal, max_gap=50, min_length=2) == [(5, 10), (0, 4)]


@pytest.mark.parametrize("signal", [[], [0.0, 0.0], [-1.0] * 9])
def test_no_positive_sample_gives_no_run(signal):
    assert best_runs(np.array(signal), max_gap=4, min_length=1) == []


# --- to_grid ----------------------------------------------------------------------------------


def test_values_are_interpolated_between_neighbours():
    times, values = np.array([0.0, 1.0, 2.0]), np.array([0.0, 10.0, 0.0])
    grid = np.array([0.0, 0.25, 1.0, 1.5])
    assert to_grid(times, values, grid, reach=0.75) == pytest.approx([0.0, 2.5, 10.0, 5.0])


def test_what_is_out_of_reach_is_unknown():
    times, values = np.array([0.0, 1.0, 9.0]), np.array([1.0, 1.0, 1.0])
    grid = np.array([-2.0, -0.5, 1.5, 4.0, 8.5, 9.75, 11.0])
    known = ~np.isnan(to_grid(times, values, grid, reach=0.75))
    assert known.tolist() == [False, True, True, False, True, True, False]


def test_unknown_values_are_skipped():
    times, values = np.array([0.0, 1.0, 2.0, 3.0]), np.array([4.0, np.nan, np.nan, 8.0])
    grid = np.array([0.5, 1.5, 2.5])
    found = to_grid(times, values, grid, reach=0.75)
    assert np.isnan(found).tolist() == [False, True, False]
    assert np.isnan(to_grid(times, values * np.nan, grid, reach=9.0)).all()


def test_one_value_reaches_its_surroundings():
    for at in (2.0, 3.0):
        found = to_grid(np.array([at]), np.array([7.0]), np.array([at - 0.5, at + 2]), reach=1.0)
        assert found[0] == 7.0
        assert np.isnan(found[1])
