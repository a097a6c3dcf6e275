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
from avm_core.match.calibration import calibration
from avm_core.match.peaks import HOLD, compare
from avm_core.match.scenes import Scene, one_scene
from avm_core.match.vote import Evidence, Line
from avm_core.types import Fingerprint, Float32, Float64, Int64, Modality

# How far, in seconds, a window may sit from the line and still be the one on it.
_REACH: dict[Modality, float] = {"audio": 0.3, "video": 0.8}


@dataclass(frozen=True, slots=True)
class Track:
    """Both sides of one modality: window centres in seconds [n], [m], unit vectors [n, D],
    [m, D] of the valid windows, the bar [n] that a similarity must clear to say where, and the
    `base` [n] from which it says how surely; `usual_bar` is the median of what counts at an edge;
    `climb` as in `Calibration`; `scene` if the title is one scene; `blank` seconds [k, 2] of either
    side that say nothing.

    The query may have several windows at one time: a picture, and views of its parts."""

    modality: Modality
    query_times: Float64
    ref_times: Float64
    query: Float32
    ref: Float32
    bar: Float32
    base: Float32
    usual_bar: float
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
    bar, base, row, centre, weight = compare(query, ref, ref_times, scale, scene, points=points)
    track = Track(
        ugc.modality,
        query_times,
        ref_times,
        query,
        ref,
        bar,
        base,
        float(np.median(bar if scene is None else base)) if len(bar) else 0.0,
        ugc.step,
        ugc.window,
        scale.climb,
        (blanks(ugc.whole()), blanks(licensed)),
        scene,
    )
    # Windows are closer together in sound than in pictures: weigh by the time each stands for.
    return track, Evidence(query_times[row], centre, weight * track.query_step)


@dataclass(frozen=True, slots=True)
class Course:
    """What lies along a line: `times` [t], ascending, at which the query has a window, the `rows`
    [t] of these windows, their `similarity` with the ref there (NaN where the line leaves the ref
    or no valid window is near), how far it is above the bar (`excess`), and `base`. Windows far
    beyond the ends of the ref are left out."""

    times: Float64
    rows: Int64
    similarity: Float64
    excess: Float64
    base: Float32


def along(track: Track, line: Line) -> Course:
    """The course of `line`, from the stored descriptors. Of several windows at one time the one
    that stands out most counts: the film is in the whole picture or in one part of it."""
    part = _passing(track, line)
    times = track.query_times[part]
    similarity = _similarities(track, line, times, track.query[part], track.ref)
    placed = similarity
    if track.scene is not None:
        scene = track.scene
        moving = _similarities(track, line, times, scene.query[part], scene.ref)
        placed = np.where(scene.shown[part], moving, similarity)
    excess = placed - track.bar[part]
    rows = _best_at_each_time(times, excess)
    base = track.base[part][rows]
    return Course(times[rows], rows + part.start, similarity[rows], excess[rows], base)


def _passing(track: Track, line: Line) -> slice:
    """The query's windows while `line` is in the ref: an upload is often much longer."""
    if track.empty:
        return slice(0, 0)
    ends = track.ref_times[[0, -1]] + np.array([-HOLD, HOLD]) - line.offset
    first, last = np.searchsorted(track.query_times, ends / line.speed)
    return slice(int(first), int(last))


def _best_at_each_time(times: Float64, excess: Float64) -> Int64:
    if (np.diff(times) > 0).all():
        return np.arange(len(times))
    order = np.lexsort((-np.nan_to_num(excess, nan=-np.inf), times))
    return order[np.diff(times[order], prepend=-np.inf) > 0]


def _similarities(
    track: Track, line: Line, times: Float64, query: Float32, ref: Float32
) -> Float64:
    """Of query windows [n, D] at `times` [n] with the nearest window of the ref, NaN without."""
    result = np.full(len(times), np.nan)
    target = line.at(times)
    right = np.searchsorted(track.ref_times, target)
    reach = _reach(track, right)
    for index in (right - 1, right):
        inside = np.minimum(np.maximum(index, 0), len(track.ref_times) - 1)
        near = np.abs(track.ref_times[inside] - target) <= reach
        similarity = np.einsum("nd,nd->n", query, ref[inside])
        result = np.fmax(result, np.where(near, similarity, np.nan))
    return result


def pairs(
    track: Track, line: Line, course: Course, start: float, end: float
) -> tuple[Float32, Float32]:
    """Vectors [n, D] of the query windows of the `course` along the line with middles in
    [start, end) seconds, and [n, D] of the nearest ref window of each."""
    inside = slice(*np.searchsorted(course.times, (start, end)))
    known = ~np.isnan(course.similarity[inside])
    target = line.at(course.times[inside][known])
    right = np.searchsorted(track.ref_times, target)
    before, after = (np.clip(at, 0, len(track.ref_times) - 1) for at in (right - 1, right))
    closer = np.abs(track.ref_times[before] - target) < np.abs(track.ref_times[after] - target)
    return track.query[course.rows[inside][known]], track.ref[np.where(closer, before, after)]


def _reach(track: Track, right: np.ndarray) -> Float64:
    """Seconds [n] that a ref window may be away from its place, `right` the first one after it."""
    reach = np.full(len(right), _REACH[track.modality])
    if track.window == 0:
        last = len(track.ref_times) - 1
        after, before = np.minimum(right, last), np.maximum(right - 1, 0)
        gap = track.ref_times[after] - track.ref_times[before]
        reach = np.where(gap <= HOLD, np.maximum(reach, gap), reach)
    return reach
