"""Temporal Hough voting: which lines `ref = speed * query + offset` do the hits agree on?

The classic offset histogram (Wang 2003; "HV" in VCSL, He et al. 2022), widened to a bank of
speeds so that a uniformly sped-up copy still votes into one bin.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from avm_core.types import Float64, Int64

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
    """The line with the most votes, or None without evidence."""
    return Votes(evidence, max_speed=max_speed).best()


class Votes:
    """Votes of the points for every speed and offset bin.

    Each bin counts with half of its neighbours, so that a peak on a bin edge is not halved. The
    bins stay where they are when points are taken out, which costs only what those points cost.
    """

    def __init__(self, evidence: Evidence, *, max_speed: float) -> None:
        self._speeds = np.array(sorted(speeds(max_speed), key=lambda s: abs(np.log(s))))
        self._low = np.zeros(len(self._speeds))
        self._bins = np.zeros((len(self._speeds), 0))
        if len(evidence):
            ends = [(offsets.min(), offsets.max()) for offsets in self._offsets(evidence)]
            self._low = np.array([low for low, _ in ends])
            # One bin more on either side, for the neighbours.
            width = 3 + int(max((high - low) / BIN for low, high in ends))
            self._bins = np.zeros((len(self._speeds), width))
            self._add(evidence, 1.0)

    def best(self) -> Line | None:
        """The line with the most votes, or None without any. Ties go to the speed nearest 1."""
        if not self._bins.size:
            return None
        tops = np.argmax(self._bins, axis=1)
        best: Line | None = None
        for speed, low, row, top in zip(self._speeds, self._low, self._bins, tops, strict=True):
            if best is None or row[top] > best.votes * 1.02:
                best = Line(float(speed), float(low + (top - 0.5) * BIN), float(row[top]))
        return best

    def take(self, points: Evidence) -> None:
        """Take out points that are in."""
        self._add(points, -1.0)

    def give_back(self, points: Evidence) -> None:
        """Put in points that were taken out."""
        self._add(points, 1.0)

    def _offsets(self, points: Evidence) -> Iterator[Float64]:
        """Offset of each point [K] at each speed."""
        return (points.ref - speed * points.query for speed in self._speeds)

    def _add(self, points: Evidence, sign: float) -> None:
        width = self._bins.shape[1]
        weight = sign * points.weight
        if len(points) > width:
            for row, low, offsets in zip(self._bins, self._low, self._offsets(points), strict=True):
                votes = np.bincount(_bins(offsets - low), weights=weight, minlength=width)
                row += votes
                row[:-1] += 0.5 * votes[1:]
                row[1:] += 0.5 * votes[:-1]
        elif len(points):
            # Few points are added one by one: the rows are long.
            offsets = points.ref - self._speeds[:, None] * points.query
            first = width * np.arange(len(self._speeds))[:, None]
            at = (_bins(offsets - self._low[:, None]) + first).ravel()
            flat, weight = self._bins.ravel(), np.tile(weight, len(self._speeds))
            for shift, share in ((-1, 0.5), (0, 1.0), (1, 0.5)):
                np.add.at(flat, at + shift, share * weight)


def _bins(offsets: Float64) -> Int64:
    # None is negative: cutting off is rounding down. One bin is left free for the first's share.
    return (offsets / BIN).astype(np.int64) + 1


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
