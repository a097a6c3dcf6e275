"""Similarities of one (UGC, licensed) pair in one modality, as evidence.

A similarity counts for what it exceeds: a floor per modality, and the query window's own
background against this reference. So a static picture or a steady loop, which resembles
everything in the title equally, says nothing about where. Everything here depends on the two
fingerprints alone: a pair scores the same whatever else is indexed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avm_core.match.blanks import blanks
from avm_core.match.calibration import Calibration, calibration
from avm_core.match.scenes import Scene, one_scene
from avm_core.match.vote import Evidence, Line
from avm_core.types import Fingerprint, Float32, Float64, Int64, Modality

# How far, in seconds, a window may sit from the line and still be the one on it.
_REACH: dict[Modality, float] = {"audio": 0.3, "video": 0.8}
# A picture stands for the time until its neighbours, where those are no farther than this.
_HOLD = 6.0
_SPREAD = 0.5  # seconds between the points that stand for a picture's time
_PEAKS = 5
# What moves in one scene is alike from this cosine on.
_MOVING = 0.08
_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Track:
    """Both sides of one modality: window centres in seconds [n], [m], unit vectors [n, D],
    [m, D] of the valid windows, the bar [n] that a similarity must clear to say where, and the
    `base` [n] from which it says how surely; `climb` as in `Calibration`; `scene` if the title is
    one scene; `blank` seconds [k, 2] of either side that say nothing.

    The query may have several windows at one time: a picture, and views of its parts."""

    modality: Modality
    query_times: Float64
    ref_times: Float64
    query: Float32
    ref: Float32
    bar: Float32
    base: Float32
    query_step: float
    window: float
    climb: tuple[float, ...]
    blank: tuple[Float64, Float64]
    scene: Scene | None = None

    @property
    def empty(self) -> bool:
        return not (len(self.query_times) and len(self.ref_times))


def make_track(ugc: Fingerprint, licensed: Fingerprint) -> tuple[Track, Evidence]:
    """Compare all valid windows blockwise, views of the upload with whole pictures of the title;
    the evidence is each query window's best peaks."""
    scale = calibration(ugc.fingerprinter)
    licensed = licensed.whole()
    query, ref = ugc.unit_vectors()[ugc.valid], licensed.unit_vectors()[licensed.valid]
    scene = one_scene(query, ref, scale.sure) if ugc.window == 0 else None
    query_times = ugc.starts[ugc.valid] + ugc.window / 2
    ref_times = licensed.starts[licensed.valid] + licensed.window / 2
    points = ugc.window == 0
    bar, base, row, centre, weight = _compare(query, ref, ref_times, scale, scene, points=points)
    track = Track(
        ugc.modality,
        query_times,
        ref_times,
        query,
        ref,
        bar,
        base,
        ugc.step,
        ugc.window,
        scale.climb,
        (blanks(ugc.whole()), blanks(licensed)),
        scene,
    )
    # Windows are closer together in sound than in pictures: weigh by the time each stands for.
    return track, Evidence(query_times[row], centre, weight * track.query_step)


def _compare(
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
    for first in range(0, len(query) if len(ref) else 0, _BLOCK):
        similarity = query[first : first + _BLOCK] @ ref.T
        bar, base = _bars(similarity, scale)
        if scene is not None:
            similarity, bar = _placed(scene, slice(first, first + _BLOCK), similarity, bar)
        row, centre, weight = _peaks(similarity, bar, times, points=points)
        found.append((bar.astype(np.float32), base.astype(np.float32), row + first, centre, weight))
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


def _bars(similarity: Float32, scale: Calibration) -> tuple[Float32, Float32]:
    """Bar and base [n] of similarities [n, m]. In a title that is one scene throughout, every
    picture of it is alike: that a window is of this title is sure, where it is only the
    difference between its best and its usual similarity can say."""
    usual, best = np.median(similarity, axis=1), similarity.max(axis=1)
    bar = np.maximum(scale.floor, usual + scale.margin)
    sure = best >= scale.sure
    half = np.maximum(scale.floor, 0.5 * (usual + best))
    return np.where(sure, np.minimum(bar, half), bar), np.where(sure, scale.floor, bar)


def _peaks(
    similarity: Float32, bar: Float32, times: Float64, *, points: bool
) -> tuple[Int64, Float64, Float64]:
    """(rows, ref seconds, excess) of the highest local maxima above the bar, per row.

    The seconds are interpolated by a parabola through the peak and its neighbours: the true
    position lies between two windows more often than on one. Pictures (`points`) are like the
    pictures around them until the scene changes, so that each peak becomes several.
    """
    padded = np.pad(similarity, ((0, 0), (1, 1)), constant_values=-2.0)
    left, right = padded[:, :-2], padded[:, 2:]
    excess = np.where((similarity >= left) & (similarity > right), similarity - bar[:, None], -1.0)
    k = min(_PEAKS, excess.shape[1])
    columns = np.argpartition(-excess, k - 1, axis=1)[:, :k]
    values = np.take_along_axis(excess, columns, axis=1)
    rows, picks = np.nonzero(values > 0)
    at = columns[rows, picks]
    if points:
        return _spread(rows, at, values[rows, picks].astype(np.float64), times)
    before, peak, after = left[rows, at], similarity[rows, at], right[rows, at]
    bend = before - 2 * peak + after
    edge = (before < -1.5) | (after < -1.5) | (bend > -1e-6)
    shift = np.where(edge, 0.0, 0.5 * (before - after) / np.where(edge, 1.0, bend))
    spacing = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    return rows, times[at] + shift * spacing, values[rows, picks].astype(np.float64)


def _spread(
    rows: np.ndarray, at: np.ndarray, weights: Float64, times: Float64
) -> tuple[Int64, Float64, Float64]:
    """Points between the neighbours of picture `at`, lighter towards them: where in this time its
    scene begins and ends, nobody knows, and the votes of several pictures tell."""
    gaps = np.clip(np.diff(times), _SPREAD, _HOLD)
    before, after = np.append(_SPREAD, gaps)[at], np.append(gaps, _SPREAD)[at]
    steps = np.arange(-_HOLD + _SPREAD, _HOLD, _SPREAD)
    reach = np.where(steps < 0, before[:, None], after[:, None])
    share = 1 - np.abs(steps) / reach
    chosen, step = np.nonzero(share > 1e-9)
    return rows[chosen], times[at[chosen]] + steps[step], (weights[:, None] * share)[chosen, step]


@dataclass(frozen=True, slots=True)
class Course:
    """What lies along a line: `times` [t], ascending, at which the query has a window, the `rows`
    [t] of these windows, their `similarity` with the ref there (NaN where the line leaves the ref
    or no valid window is near), how far it is above the bar (`excess`), and `base`."""

    times: Float64
    rows: Int64
    similarity: Float64
    excess: Float64
    base: Float32


def along(track: Track, line: Line) -> Course:
    """The course of `line`, from the stored descriptors. Of several windows at one time the one
    that stands out most counts: the film is in the whole picture or in one part of it."""
    similarity = _similarities(track, line, track.query, track.ref)
    placed = similarity
    if track.scene is not None:
        moving = _similarities(track, line, track.scene.query, track.scene.ref)
        placed = np.where(track.scene.shown, moving, similarity)
    excess = placed - track.bar
    rows = _best_at_each_time(track.query_times, excess)
    return Course(track.query_times[rows], rows, similarity[rows], excess[rows], track.base[rows])


def _best_at_each_time(times: Float64, excess: Float64) -> Int64:
    if (np.diff(times) > 0).all():
        return np.arange(len(times))
    order = np.lexsort((-np.nan_to_num(excess, nan=-np.inf), times))
    return order[np.diff(times[order], prepend=-np.inf) > 0]


def _similarities(track: Track, line: Line, query: Float32, ref: Float32) -> Float64:
    result = np.full(len(track.query_times), np.nan)
    if track.empty:
        return result
    target = line.at(track.query_times)
    right = np.searchsorted(track.ref_times, target)
    reach = _reach(track, right)
    for index in (right - 1, right):
        inside = np.clip(index, 0, len(track.ref_times) - 1)
        near = np.abs(track.ref_times[inside] - target) <= reach
        similarity = np.einsum("nd,nd->n", query, ref[inside])
        result = np.fmax(result, np.where(near, similarity, np.nan))
    return result


def pairs(track: Track, line: Line, start: float, end: float) -> tuple[Float32, Float32]:
    """Vectors [n, D] of the query windows along the line with middles in [start, end) seconds, and
    [n, D] of the nearest ref window of each."""
    course = along(track, line)
    inside = (course.times >= start) & (course.times < end) & ~np.isnan(course.similarity)
    target = line.at(course.times[inside])
    right = np.searchsorted(track.ref_times, target)
    before, after = (np.clip(at, 0, len(track.ref_times) - 1) for at in (right - 1, right))
    closer = np.abs(track.ref_times[before] - target) < np.abs(track.ref_times[after] - target)
    return track.query[course.rows[inside]], track.ref[np.where(closer, before, after)]


def _reach(track: Track, right: np.ndarray) -> Float64:
    """Seconds [n] that a ref window may be away from its place, `right` the first one after it."""
    reach = np.full(len(right), _REACH[track.modality])
    if track.window == 0:
        last = len(track.ref_times) - 1
        after, before = np.clip(right, 0, last), np.clip(right - 1, 0, last)
        gap = track.ref_times[after] - track.ref_times[before]
        reach = np.where(gap <= _HOLD, np.maximum(reach, gap), reach)
    return reach
