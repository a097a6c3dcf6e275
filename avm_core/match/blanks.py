"""Stretches that say nothing: black and flat pictures, silence. Where both sides of a line have
one at the same moment, nobody knows that the copy goes on, and nothing says that it ends."""

from __future__ import annotations

import numpy as np

from avm_core.types import Bool, Fingerprint, Float64


def blanks(made: Fingerprint) -> Float64:
    """Seconds [k, 2] from the first invalid window to the next valid one, ascending."""
    if made.valid.all():
        return np.empty((0, 2))
    # A picture stands until the next; of a window the middle counts.
    times = np.append(made.starts + made.window / 2, made.duration)
    edges = np.diff(np.concatenate([[0], ~made.valid, [0]]).astype(np.int8))
    first, last = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return np.stack([times[first], np.maximum(times[last], times[first])], axis=1)


def within(spans: Float64, at: Float64) -> Bool:
    """Whether each of the seconds [n] lies in one of `spans` [k, 2]."""
    if not len(spans):
        return np.zeros(len(at), np.bool_)
    index = np.searchsorted(spans[:, 0], at, side="right") - 1
    return (index >= 0) & (at < spans[np.maximum(index, 0), 1])


def outside(spans: Float64, start: float, end: float) -> float:
    """How many of the seconds [start, end) lie in none of `spans` [k, 2]."""
    inside = np.minimum(spans[:, 1], end) - np.maximum(spans[:, 0], start)
    return end - start - float(np.maximum(inside, 0.0).sum())
