"""Best stretches of a one-dimensional evidence signal: maximum-sum runs with gap limits.

On a line, Smith-Waterman local alignment reduces to runs of maximum sum; all of them come out of
one pass (Ruzzo and Tompa 1999, "A linear time algorithm for finding all maximal scoring
subsequences").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avm_core.types import Float64, Int64


def best_runs(signal: Float64, *, max_gap: int, min_length: int) -> list[tuple[int, int]]:
    """Half-open index runs [first, last) of `signal`, best first, that do not overlap: the one
    with the largest sum, then the same left and right of it.

    `signal` is positive where the copy goes on. A run starts and ends on positive samples,
    has at least `min_length` samples, and between one positive sample and the next are fewer than
    `max_gap` negative ones. A sample of -inf is in no run; one of 0 neither ends nor extends it.
    """
    first, last, gain, gap_sum, gap_size = _blocks(signal)
    if not len(first):
        return []
    # No run crosses a long gap: what lies between two of them is looked at by itself.
    broken = (gap_size >= max_gap) | np.isneginf(gap_sum)
    starts = np.flatnonzero(np.append(True, broken))
    ends = np.append(starts[1:], len(first))
    runs = []
    for low, high in zip(starts, ends, strict=True):
        if last[high - 1] - first[low] < min_length:
            continue
        for one, other in _maximal(gain[low:high], gap_sum[low : high - 1]):
            runs.append((int(first[low + one]), int(last[low + other])))
    kept = [run for run in runs if run[1] - run[0] >= min_length]
    return sorted(kept, key=lambda run: -float(signal[run[0] : run[1]].sum()))


def _blocks(signal: Float64) -> tuple[Int64, Int64, Float64, Float64, Int64]:
    """Stretches [first, last) [b] of positive samples and their sums; sums and counts of negative
    samples [b - 1] of what lies between them."""
    edges = np.diff(np.concatenate([[0], signal > 0, [0]]).astype(np.int8))
    first, last = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    if not len(first):
        return first, last, np.empty(0), np.empty(0), first
    turns = np.stack([first, last], axis=1).ravel()[:-1]
    sums = np.add.reduceat(signal[: last[-1]], turns)
    negative = np.concatenate([[0], np.cumsum(signal < 0)])
    return first, last, sums[::2], sums[1::2], negative[first[1:]] - negative[last[:-1]]


@dataclass(slots=True)
class _Run:
    """Blocks [first, last] with the sums of all that is before and up to their ends; `lower` is
    the nearest run before this one with less before it."""

    first: int
    last: int
    before: float
    upto: float
    lower: int


def _maximal(gain: Float64, gap: Float64) -> list[tuple[int, int]]:
    """Inclusive block runs of maximum sum, of blocks with sums `gain` [b] and gaps [b - 1]."""
    runs: list[_Run] = []
    total = 0.0
    for block, value in enumerate(gain):
        run = _Run(block, block, total, total + value, len(runs) - 1)
        while True:
            while run.lower >= 0 and runs[run.lower].before >= run.before:
                run.lower = runs[run.lower].lower
            if run.lower < 0 or runs[run.lower].upto >= run.upto:
                break
            # What is before it helps more than the gap costs: they are one run.
            joined = runs[run.lower]
            del runs[run.lower :]
            run.first, run.before, run.lower = joined.first, joined.before, joined.lower
        runs.append(run)
        if block < len(gap):
            total = run.upto + gap[block]
    return [(run.first, run.last) for run in runs]


def to_grid(times: Float64, values: Float64, grid: Float64, *, reach: float) -> Float64:
    """Values [n] at ascending `times` put on `grid` [g]: linear between neighbours at most
    2 * `reach` apart, NaN beyond `reach` of any known value."""
    known = ~np.isnan(values)
    if not known.any():
        return np.full(len(grid), np.nan)
    times, values = times[known], values[known]
    result = np.interp(grid, times, values)
    right = np.clip(np.searchsorted(times, grid), 1, max(len(times) - 1, 1))
    left = right - 1
    right = np.minimum(right, len(times) - 1)
    distance = np.minimum(np.abs(grid - times[left]), np.abs(grid - times[right]))
    return np.where(distance <= reach + 1e-9, result, np.nan)
