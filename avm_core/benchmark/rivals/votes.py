"""What rivals share: voting for an offset and cutting runs out of what agrees with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from avm_core.types import Bool, Float64, Int64, Match


def best_offset(offsets: Float64, step: float) -> tuple[float, int]:
    """The offset most `offsets` agree on, within ± `step`, and how many do."""
    bins = np.round(offsets / step).astype(np.int64)
    values, counts = np.unique(bins, return_counts=True)
    # A true offset on the edge of two bins falls in both: a bin counts with its neighbours.
    near = counts.astype(np.int64)
    apart = np.diff(values) == 1
    near[1:] += np.where(apart, counts[:-1], 0)
    near[:-1] += np.where(apart, counts[1:], 0)
    # Of two that tie with each other's votes the fuller one is nearer to the truth.
    best = int(np.lexsort((counts, near))[-1])
    return float(values[best] * step), int(near[best])


def runs(times: Float64, max_gap: float) -> Iterator[tuple[int, int]]:
    """Half-open index ranges of ascending `times` without a gap above `max_gap`."""
    if not len(times):
        return
    breaks = np.flatnonzero(np.diff(times) > max_gap) + 1
    edges = [0, *breaks.tolist(), len(times)]
    yield from pairwise(edges)


def outside(
    seconds: npt.NDArray[np.floating[Any]], found: Sequence[Match], before: float = 0.0
) -> Bool:
    """Which of `seconds` of an upload no match in `found` covers, nor `before` ahead of one: a
    found stretch is not looked for again at the offsets beside its own."""
    free = np.ones(len(seconds), np.bool_)
    for match in found:
        free &= (seconds < match.ugc_start - before) | (seconds > match.ugc_end)
    return free


def equal_pairs(queries: Int64, refs: Int64) -> tuple[Int64, Int64]:
    """Indices (i, j) of all pairs with queries[i] == refs[j]; `refs` ascending."""
    left, right = np.searchsorted(refs, queries, "left"), np.searchsorted(refs, queries, "right")
    counts = right - left
    i = np.repeat(np.arange(len(queries)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return i, np.repeat(left, counts) + within
