"""Best stretches of a one-dimensional evidence signal: maximum-sum runs with gap limits.

On a line, Smith-Waterman local alignment reduces to Kadane's maximum sub-array, O(n).
"""

from __future__ import annotations

import numpy as np

from avm_core.types import Float64


def best_runs(signal: Float64, *, max_gap: int, min_length: int) -> list[tuple[int, int]]:
    """Half-open index runs [first, last) of `signal`, best first, that do not overlap.

    `signal` is positive where the copy goes on. A run starts and ends on positive samples,
    has at least `min_length` samples, and between one positive sample and the next are fewer than
    `max_gap` negative ones. A sample of -inf is in no run; one of 0 neither ends nor extends it.
    """
    runs = []
    pending = [(0, len(signal))]
    while pending:
        low, high = pending.pop()
        run = _best_run(signal[low:high], max_gap)
        if run is None or run[1] - run[0] < min_length:
            # A shorter run may hide a longer, weaker one only on the other side of a gap.
            if run is not None:
                pending += [(low, low + run[0]), (low + run[1], high)]
            continue
        first, last = low + run[0], low + run[1]
        runs.append((first, last))
        pending += [(low, first), (last, high)]
    return sorted(runs, key=lambda run: -float(signal[run[0] : run[1]].sum()))


def _best_run(signal: Float64, max_gap: int) -> tuple[int, int] | None:
    best_sum, best = 0.0, None
    total, start, gap = 0.0, 0, 0
    for index, value in enumerate(signal):
        if total <= 0 or gap >= max_gap:
            total, start, gap = 0.0, index, 0
        total += value
        gap = 0 if value > 0 else gap + (value < 0)
        if value > 0 and total > best_sum:
            best_sum, best = total, (start, index + 1)
    return best


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
