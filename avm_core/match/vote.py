"""Temporal Hough voting: which lines `ref = speed * query + offset` do the hits agree on?

The classic offset histogram (Wang 2003; "HV" in VCSL, He et al. 2022), widened to a bank of
speeds so that a uniformly sped-up copy still votes into one bin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avm_core.types import Float64

# Seconds: wide enough for the hop of two fingerprints, narrow enough to tell repeats apart.
BIN = 0.5
_SPEED_STEP = 0.01


@dataclass(frozen=True, slots=True)
class Evidence:
    """Weighted points, columnar [K]: `query` and `ref` window centres in seconds, `weight` > 0."""

    query: Float64
    ref: Float64
    weight: Float64

    def __len__(self) -> int:
        return len(self.query)

    def select(self, mask: np.ndarray) -> Evidence:
        return Evidence(self.query[mask], self.ref[mask], self.weight[mask])


@dataclass(frozen=True, slots=True)
class Line:
    """`ref = speed * query + offset`, seconds, with the votes behind it."""

    speed: float
    offset: float
    votes: float

    def at(self, query: Float64) -> Float64:
        return self.speed * query + self.offset


def speeds(max_speed: float) -> Float64:
    """Speeds tried [S]: 1, and a log grid of 1 % steps to `max_speed` both ways."""
    steps = int(np.floor(np.log(max_speed) / np.log1p(_SPEED_STEP) + 1e-9))
    return np.exp(np.arange(-steps, steps + 1) * np.log1p(_SPEED_STEP))


def best_line(evidence: Evidence, *, max_speed: float) -> Line | None:
    """The line with the most votes, or None without evidence.

    Each bin counts with half of its neighbours, so that a peak on a bin edge is not halved.
    Ties go to the speed nearest 1.
    """
    if not len(evidence):
        return None
    best: Line | None = None
    for speed in sorted(speeds(max_speed), key=lambda s: abs(np.log(s))):
        offsets = evidence.ref - speed * evidence.query
        low = offsets.min()
        bins = np.floor((offsets - low) / BIN).astype(np.int64) + 1
        votes = np.bincount(bins, weights=evidence.weight, minlength=int(bins.max()) + 2)
        smooth = votes[1:-1] + 0.5 * (votes[:-2] + votes[2:])
        top = int(np.argmax(smooth))
        if best is None or smooth[top] > best.votes * 1.02:
            best = Line(float(speed), float(low + (top + 0.5) * BIN), float(smooth[top]))
    return best


def fit_line(evidence: Evidence, line: Line, *, rounds: int = 6) -> Line:
    """Refine by reweighted least squares on the inliers, tightening round by round.

    The speed is left alone while the inliers span too little time to say anything about it.
    """
    for tolerance in np.linspace(1.0, 0.3, rounds):
        near = np.abs(evidence.ref - line.at(evidence.query)) <= tolerance
        inliers = evidence.select(near)
        if len(inliers) < 4:
            return line
        line = _least_squares(inliers, line)
    return line


def _least_squares(points: Evidence, line: Line) -> Line:
    weight = points.weight / points.weight.sum()
    mean_q, mean_r = weight @ points.query, weight @ points.ref
    spread = weight @ (points.query - mean_q) ** 2
    speed = line.speed
    if spread > 9.0:  # standard deviation of 3 s: about 10 s of copied material
        speed = float(weight @ ((points.query - mean_q) * (points.ref - mean_r)) / spread)
        speed = float(np.clip(speed, 0.97 * line.speed, 1.03 * line.speed))
    return Line(speed, float(mean_r - speed * mean_q), line.votes)


def unity_line(line: Line, evidence: Evidence) -> Line:
    """The line of speed 1 through the points near `line`: the weighted median of their
    offsets, so that stray points do not pull it."""
    near = np.abs(evidence.ref - line.at(evidence.query)) <= 1.0
    if not near.any():
        return line
    offsets = (evidence.ref - evidence.query)[near]
    order = np.argsort(offsets, kind="stable")
    weight = np.cumsum(evidence.weight[near][order])
    middle = int(np.searchsorted(weight, 0.5 * weight[-1]))
    return Line(1.0, float(offsets[order][middle]), line.votes)
