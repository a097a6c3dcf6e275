"""Where each window of an upload stands out in a title: its bar, and the peaks above it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from avm_core.match.blocks import blocks
from avm_core.match.calibration import Calibration
from avm_core.match.scenes import Scene
from avm_core.types import Float32, Float64, Int64

# A picture stands for the time until its neighbours, where those are no farther than this.
HOLD = 6.0
# Single precision may place a similarity this far off: below any difference that counts.
_SLACK = 1e-5
_SPREAD = 0.5  # seconds between the points that stand for a picture's time
_PEAKS = 5
# What moves in one scene is alike from this cosine on.
_MOVING = 0.08


def compare(
    query: Float32,
    ref: Float32,
    times: Float64,
    scale: Calibration,
    scene: Scene | None,
    *,
    points: bool,
) -> tuple[Float32, Float32, Int64, Float64, Float64]:
    """Bar and base [n] of query windows [n, D]; query index, ref seconds and excess [K] of the
    peaks among the refs [m, D] at `times` [m]."""
    found = [(np.empty(0, np.float32),) * 2 + (np.empty(0, np.int64),) + (np.empty(0),) * 2]
    for block in blocks(query, ref):
        similarity = query[block] @ ref.T
        high = _above(similarity, _least(scale))
        bar, base = _bars(similarity, high, scale)
        if scene is not None:
            similarity, bar = _placed(scene, block, similarity, bar)
            high = _above(similarity, bar.min())
        row, centre, weight = _peaks(similarity, high, bar, times, points=points)
        found.append((bar, base, row + block.start, centre, weight))
    bars, bases, rows, centres, weights = (
        np.concatenate(part) for part in zip(*found, strict=True)
    )
    return bars, bases, rows, centres, weights


def _placed(
    scene: Scene, block: slice, similarity: Float32, bar: Float32
) -> tuple[Float32, Float32]:
    """Similarities [n, m] and bars [n] of a block by what moves, for the pictures that show the
    scene."""
    shown, moving = scene.shown[block], scene.query[block] @ scene.ref.T
    placed = np.where(shown[:, None], moving, similarity)
    return placed, np.where(shown, np.float32(_MOVING), bar)


class _High(NamedTuple):
    """The few similarities of a block that may count: rows, ascending, columns, and values [K]."""

    rows: Int64
    at: Int64
    value: Float32


def _above(similarity: Float32, bar: np.float32) -> _High:
    """Those [n, m] above the bar. Places in the flat array are found several times as fast as
    pairs of places."""
    flat, count = similarity.ravel(), similarity.shape[1]
    places = np.flatnonzero(flat > bar)
    edges = np.searchsorted(places, count * np.arange(len(similarity) + 1))
    rows = np.repeat(np.arange(len(similarity)), np.diff(edges))
    return _High(rows, places - count * rows, flat[places])


def _least(scale: Calibration) -> np.float32:
    """The usual similarity of a window from which its bar is above the floor."""
    return np.float32(scale.floor - scale.margin - _SLACK)


def _bars(similarity: Float32, high: _High, scale: Calibration) -> tuple[Float32, Float32]:
    """Bar and base [n] of similarities [n, m]. In a title that is one scene throughout, every
    picture of it is alike: that a window is of this title is sure, where it is only the
    difference between its best and its usual similarity can say.

    `high` are those above `_least`: the usual similarity counts only where they are half of the
    row. That is rare, and counting is cheaper than a median."""
    floor, counts = np.float32(scale.floor), np.bincount(high.rows, minlength=len(similarity))
    best = np.full(len(similarity), -1.0, np.float32)
    if len(high.rows):
        firsts = (np.cumsum(counts) - counts)[counts > 0]
        best[counts > 0] = np.maximum.reduceat(high.value, firsts)
    sure = best >= scale.sure
    asked = sure | (2 * counts >= similarity.shape[1])
    usual = np.zeros(len(similarity), np.float32)
    usual[asked] = np.median(similarity[asked], axis=1)
    bar = np.where(asked, np.maximum(floor, usual + np.float32(scale.margin)), floor)
    half = np.maximum(floor, np.float32(0.5) * (usual + best))
    return np.where(sure, np.minimum(bar, half), bar), np.where(sure, floor, bar)


def _peaks(
    similarity: Float32, high: _High, bar: Float32, times: Float64, *, points: bool
) -> tuple[Int64, Float64, Float64]:
    """(rows, ref seconds, excess) of the highest local maxima above the bar, per row; all of them
    are in `high`.

    The seconds are interpolated by a parabola through the peak and its neighbours: the true
    position lies between two windows more often than on one. Pictures (`points`) are like the
    pictures around them until the scene changes, so that each peak becomes several.
    """
    count = similarity.shape[1]
    over = high.value > bar[high.rows]
    rows, at, peak = high.rows[over], high.at[over], high.value[over]
    before = np.where(at > 0, similarity[rows, np.maximum(at - 1, 0)], np.float32(-2.0))
    after = np.where(
        at < count - 1, similarity[rows, np.minimum(at + 1, count - 1)], np.float32(-2.0)
    )
    top = np.flatnonzero((peak >= before) & (peak > after))
    top = top[_highest(rows[top], peak[top])]
    rows, at = rows[top], at[top]
    before, peak, after = before[top], peak[top], after[top]
    weights = np.subtract(peak, bar[rows], dtype=np.float64)
    if points:
        return _spread(rows, at, weights, times)
    bend = before - 2 * peak + after
    edge = (before < -1.5) | (after < -1.5) | (bend > -1e-6)
    shift = np.where(edge, 0.0, 0.5 * (before - after) / np.where(edge, 1.0, bend))
    spacing = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    return rows, times[at] + shift * spacing, weights


def _highest(rows: Int64, peak: Float32) -> Int64:
    """Places of the `_PEAKS` highest peaks of each row; `rows` ascends."""
    order = np.lexsort((-peak, rows))
    ranked = rows[order]
    first = np.searchsorted(ranked, ranked)
    return np.sort(order[np.arange(len(order)) - first < _PEAKS])


def _spread(
    rows: np.ndarray, at: np.ndarray, weights: Float64, times: Float64
) -> tuple[Int64, Float64, Float64]:
    """Points between the neighbours of picture `at`, lighter towards them: where in this time its
    scene begins and ends, nobody knows, and the votes of several pictures tell."""
    gaps = np.clip(np.diff(times), _SPREAD, HOLD)
    before, after = np.append(_SPREAD, gaps)[at], np.append(gaps, _SPREAD)[at]
    steps = np.arange(-HOLD + _SPREAD, HOLD, _SPREAD)
    reach = np.where(steps < 0, before[:, None], after[:, None])
    share = 1 - np.abs(steps) / reach
    chosen, step = np.nonzero(share > 1e-9)
    return rows[chosen], times[at[chosen]] + steps[step], (weights[:, None] * share)[chosen, step]
