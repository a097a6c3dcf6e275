"""Where exactly a copied segment starts and ends, from how similarity falls off at its edges.

A window of W seconds that straddles the cut is part copy, part something else. Its similarity
climbs along a fixed shape from W/2 before the cut to W/2 after it; the cut is where that shape
fits best. Fitting the whole climb beats watching for one threshold: on real music the error's
90th percentile falls from 1.1 s to 0.9 s and its bias from 0.5 s to 0 (4 s windows).
"""

from __future__ import annotations

import numpy as np

from avm_core.match.calibration import CLIMB_AT
from avm_core.match.evidence import Course, Track
from avm_core.match.signals import Signals
from avm_core.match.vote import Line
from avm_core.types import Float64

_INSIDE, _OUTSIDE = 8.0, 6.0  # seconds of similarity looked at, either side of a rough edge
_SEARCH = 3.0  # seconds that the cut may lie from the rough edge
_RESOLUTION = 0.05


def refine_edges(
    tracks: list[Track],
    line: Line,
    signals: Signals,
    run: tuple[int, int],
    durations: tuple[float, float],
) -> tuple[float, float]:
    """UGC seconds [start, end) of the run [first, last) on the grid.

    Each edge is set by the modality with the closest windows that carries the copy there.
    """
    rough = float(signals.grid[run[0]]), float(signals.grid[run[1] - 1])
    # What the line allows: both sides must stay inside their media.
    low = max(0.0, -line.offset / line.speed)
    high = min(durations[0], (durations[1] - line.offset) / line.speed)
    start, end = rough
    courses = zip(tracks, signals.courses, strict=True)
    for track, course in sorted(courses, key=lambda pair: -pair[0].query_step):
        length = rough[1] - rough[0]
        cut = find_cut(*_near(course, rough[0]), rough[0], length, track)
        start = start if cut is None else cut
        # Mirrored in time, an end is a start.
        times, similarity = _near(course, rough[1])
        cut = find_cut(-times[::-1], similarity[::-1], -rough[1], length, track)
        end = end if cut is None else -cut
    return float(np.clip(start, low, high)), float(np.clip(end, low, high))


def _near(course: Course, edge: float) -> tuple[Float64, Float64]:
    """Times and similarities around an edge: a line may have thousands of them."""
    reach = max(_INSIDE, _OUTSIDE) + 1.0
    part = slice(*np.searchsorted(course.times, (edge - reach, edge + reach)))
    return course.times[part], course.similarity[part]


def find_cut(
    times: Float64, similarity: Float64, rough: float, length: float, track: Track
) -> float | None:
    """Best-fitting start of a copy near `rough`, or None if this modality does not carry it.

    Where the copy goes on up to the first window that can be compared, every earlier cut fits
    equally and the earliest is returned: the caller clips it to what exists. A title sampled at
    sparse key frames leaves such holes inside a copy, so they must not end it.
    """
    known = ~np.isnan(similarity)
    inside = known & (times >= rough) & (times <= rough + min(_INSIDE, length))
    if inside.sum() < 3 or np.mean(similarity[inside] > track.usual_bar) < 0.5:
        return None
    level = float(np.median(similarity[inside]))
    around = known & (times >= rough - _OUTSIDE) & (times <= rough + min(_INSIDE, length))
    times, similarity = times[around], similarity[around]
    # What unrelated windows score here; some pictures are alike, so not simply zero.
    base = float(np.clip(similarity.min(), 0.0, 0.5 * level))
    cuts = np.arange(rough - _SEARCH, rough + _SEARCH + 1e-9, _RESOLUTION)
    expected = base + (level - base) * _climb(times[None, :] - cuts[:, None], track)
    cost = ((np.minimum(similarity, level) - expected) ** 2).sum(axis=1)
    best = np.flatnonzero(cost <= cost.min() + 1e-9)
    return float(cuts[0] if best[0] == 0 else np.mean(cuts[best]))


def _climb(distance: Float64, track: Track) -> Float64:
    if track.window == 0.0:  # a single picture is either in or out
        return (distance >= 0).astype(np.float64)
    return np.interp(distance / (track.window / 2), CLIMB_AT, track.climb, left=0.0)
