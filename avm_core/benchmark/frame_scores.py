"""Numbers over many similarities: average precision, and quantiles without keeping them all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avm_core.types import Bool, Float32, Float64, Int64

_BINS = 8_000  # of cosines in [-1, 1]: a quantile is right to 0.00025


def average_precision(scores: Float32, right: Bool, wanted: int) -> float | None:
    """Micro-AP of predictions with `scores` [n], of which `right` [n] are, where there are
    `wanted` to be found: the precision at each score, weighted by the recall that it adds.

    That of the Image and Video Similarity Challenges (Douze et al. 2021, Pizzi et al. 2023).
    Predictions of one score are taken together, so that their order does not matter. None where
    nothing is wanted.
    """
    if not wanted:
        return None
    order = np.argsort(-scores, kind="stable")
    found = np.cumsum(right[order])
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    if not len(order):
        return 0.0
    precision = found[last] / (last + 1)
    gained = np.diff(found[last], prepend=0)
    return float((precision * gained).sum() / wanted)


class CosineCounts:
    """A histogram of cosines, as many as there are."""

    def __init__(self) -> None:
        self._counts: Int64 = np.zeros(_BINS, np.int64)

    def add(self, cosines: Float32) -> None:
        """Of any shape."""
        bins = ((cosines.ravel() + 1) * (_BINS / 2)).astype(np.int64)
        self._counts += np.bincount(np.clip(bins, 0, _BINS - 1), minlength=_BINS)

    @property
    def total(self) -> int:
        return int(self._counts.sum())

    def quantiles(self, shares: Sequence[float]) -> Float64:
        """The middle of the bin that each quantile falls into; NaN where nothing was added."""
        if not self.total:
            return np.full(len(shares), np.nan)
        at = np.searchsorted(np.cumsum(self._counts), np.asarray(shares) * self.total)
        return (np.minimum(at, _BINS - 1) + 0.5) * (2 / _BINS) - 1

    def above(self, cosine: float) -> float:
        """Share of the cosines at least as high, to the bin; NaN where nothing was added."""
        if not self.total:
            return float("nan")
        first = round((cosine + 1) * (_BINS / 2))
        return float(self._counts[first:].sum() / self.total)
