"""Evidence of both modalities along one line, on one grid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from avm_core.match.blanks import within
from avm_core.match.evidence import Course, Track, along
from avm_core.match.segments import to_grid
from avm_core.match.vote import Line
from avm_core.types import Bool, Float64, Modality

GRID = 0.25  # seconds between samples
# What a sample without evidence costs, as similarity below the bar; and the floor of a
# contradicting one, so that a short edit inside a copy does not cut it in two.
_NEUTRAL, _WORST = -0.03, -0.12
# Seconds beyond the first and last window of the title that the grid covers.
_BEYOND = 10.0


@dataclass(frozen=True, slots=True)
class Signals:
    """Evidence along one line on a common grid [g], the seconds in which the line is in the title:
    fused, to say where, and per modality (NaN: nothing to say), to say how surely."""

    grid: Float64
    by_modality: dict[Modality, Float64]
    fused: Float64
    courses: list[Course]


def line_signals(tracks: list[Track], line: Line, duration: float) -> Signals:
    """Evidence of every modality along the line, and the two fused by their maximum.

    The grid is that of the whole upload, of `duration` seconds, without what lies beyond the title.

    The maximum, not the sum: replaced sound contradicts, and must not cancel the picture.
    """
    grid = _grid(tracks, line, duration)
    by_modality: dict[Modality, Float64] = {}
    places = []
    courses = [along(track, line) for track in tracks]
    for track, course in zip(tracks, courses, strict=True):
        put = partial(to_grid, course.times, grid=grid, reach=max(0.75 * track.query_step, GRID))
        places.append(put(course.excess))
        by_modality[track.modality] = put(course.similarity - course.base)
    stack = np.stack(places)
    silent = np.isnan(stack).all(axis=0)
    nothing = np.where(_both_blank(tracks, line, grid), 0.0, _NEUTRAL)
    fused = np.where(silent, nothing, np.max(np.nan_to_num(stack, nan=-1.0), axis=0))
    return Signals(grid, by_modality, np.maximum(fused, _WORST), courses)


def _grid(tracks: list[Track], line: Line, duration: float) -> Float64:
    grid = np.arange(GRID / 2, max(duration, GRID), GRID)
    ends = np.array([track.ref_times[[0, -1]] for track in tracks])
    target = np.array([ends.min() - _BEYOND, ends.max() + _BEYOND])
    first, last = np.searchsorted(grid, (target - line.offset) / line.speed)
    return grid[first:last]


def _both_blank(tracks: list[Track], line: Line, grid: Float64) -> Bool:
    """Samples [g] at which a modality says nothing on either side."""
    target = line.at(grid)
    parts = [within(t.blank[0], grid) & within(t.blank[1], target) for t in tracks]
    return np.any(parts, axis=0)
