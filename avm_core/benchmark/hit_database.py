"""All windows of many tracks in one matrix, and where a short query seems to begin in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avm_core.benchmark.timing import HOUR
from avm_core.errors import BadSettings
from avm_core.types import Bool, Fingerprint, Float32, Float64, Int64

LENGTHS = (1.0, 2.0, 3.0, 5.0, 10.0)
SPEEDS = (0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.25)
HOP = 0.5  # seconds that a place may be wrong
_PROPOSALS = 20  # neighbours of each window of a query
_SAMPLE = 50_000  # rows that a reduction is fitted on

# Unit vectors [n, D] to unit vectors [n, d], and what makes such a map from the database's rows.
Reduction = Callable[[Float32], Float32]
Fit = Callable[[Float32], Reduction]
Prints = Sequence[tuple[Path, Fingerprint]]


def principal(dims: int) -> Fit:
    """The `dims` directions of largest variance, without centring: cosines are kept."""

    def fit(rows: Float32) -> Reduction:
        if not 0 < dims <= rows.shape[1]:
            raise BadSettings(f"descriptors have {rows.shape[1]} dimensions: cannot keep {dims}")
        sample = rows[:: max(len(rows) // _SAMPLE, 1)]
        _, directions = np.linalg.eigh(sample.T @ sample)
        basis = directions[:, -dims:].astype(np.float32)
        return lambda vectors: _unit(vectors @ basis)

    return fit


def signs(rows: Float32) -> Reduction:
    """One bit per dimension; the cosine of two sign vectors is their Hamming distance."""
    scale = np.float32(rows.shape[1] ** -0.5)
    return lambda vectors: np.where(vectors > 0, scale, -scale).astype(np.float32)


def unchanged(rows: Float32) -> Reduction:
    """Descriptors as they are stored: int8, scaled to unit length."""
    del rows
    return lambda vectors: vectors


@dataclass(frozen=True, slots=True)
class Database:
    """Unit `rows` [N, D], `track` ordinal [N] and `start` seconds [N]; a track's windows follow
    each other."""

    paths: tuple[Path, ...]
    rows: Float32
    track: Int64
    start: Float64
    valid: Bool
    hours: float
    reduce: Reduction

    @classmethod
    def of(cls, prints: Prints, fit: Fit = unchanged) -> Database:
        """Of fingerprints that have windows; raises `BadSettings` if there are none."""
        if not prints:
            raise BadSettings("nothing in the database can be read: give other files")
        rows = np.concatenate([p.unit_vectors() for _, p in prints])
        reduce = fit(rows)
        return cls(
            tuple(path for path, _ in prints),
            reduce(rows),
            np.concatenate([np.full(len(p.starts), n) for n, (_, p) in enumerate(prints)]),
            np.concatenate([p.starts for _, p in prints]),
            np.concatenate([p.valid for _, p in prints]),
            sum(p.duration for _, p in prints) / HOUR,
            reduce,
        )

    def judge(
        self, query: Fingerprint, path: Path, start: float, speed: float
    ) -> list[bool | None]:
        """For each of `LENGTHS` whether the query's beginning is found in track `path` at most
        one hop from `start` seconds; None where no window fits."""
        # A window of the query hears `speed` times its length; both middles are compared.
        true = start + query.window / 2 * (speed - 1)
        own = self._ordinal(path)
        cosines = self._cosines(query)
        judged: list[bool | None] = []
        for length in LENGTHS:
            fitting = int((query.starts + query.window <= length + 1e-6).sum())
            if not fitting:
                judged.append(None)
                continue
            row = self._find(cosines[:fitting])
            near = abs(self.start[row] - true) <= HOP + 1e-6
            judged.append(bool(self.track[row] == own and near))
        return judged

    def _ordinal(self, path: Path) -> int:
        if path not in self.paths:
            raise BadSettings(f"{path.name} is not in the database that it is searched in")
        return self.paths.index(path)

    def _cosines(self, query: Fingerprint) -> Float32:
        """[n, N] of the first windows of a query with all rows."""
        inside = query.starts + query.window <= max(LENGTHS) + 1e-6
        return self.reduce(query.unit_vectors()[inside]) @ self.rows.T

    def _find(self, cosines: Float32) -> int:
        """Row where the likeliest sequence begins, from cosines [n, N]."""
        firsts, speeds = self._proposals(cosines)
        steps = np.arange(len(cosines))
        rows = firsts[:, None] + np.rint(steps * speeds[:, None]).astype(np.int64)
        last = len(self.rows) - 1
        # A sequence that runs out of its track is scored by what is left of it.
        fits = (rows <= last) & (self.track[np.minimum(rows, last)] == self.track[firsts][:, None])
        found = cosines[steps[None], np.minimum(rows, last)]
        return int(firsts[np.argmax((found * fits).sum(axis=1))])

    def _proposals(self, cosines: Float32) -> tuple[Int64, Float64]:
        """First rows [C] and speeds [C] of sequences through the neighbours of any window."""
        searched = np.where(self.valid, cosines, np.float32(-1.0))
        count = min(_PROPOSALS, searched.shape[1])
        nearest = np.argpartition(-searched, count - 1, axis=1)[:, :count]
        speeds = np.array(SPEEDS if len(cosines) > 1 else (1.0,))
        back = np.rint(np.arange(len(cosines))[:, None] * speeds).astype(np.int64)
        firsts = np.maximum(nearest[:, :, None] - back[:, None, :], 0)
        pairs = np.stack(
            [firsts.ravel(), np.broadcast_to(range(len(speeds)), firsts.shape).ravel()]
        )
        first, which = np.unique(pairs, axis=1)
        return first, speeds[which]


class WholeFiles:
    """One vector per track, the mean of its windows: it can name a track, but no second."""

    def __init__(self, prints: Prints) -> None:
        if not prints:
            raise BadSettings("nothing in the database can be read: give other files")
        self.paths = tuple(path for path, _ in prints)
        self.rows = _unit(np.stack([_mean(p) for _, p in prints]))
        self.hours = sum(p.duration for _, p in prints) / HOUR

    def judge(
        self, query: Fingerprint, path: Path, start: float, speed: float
    ) -> list[bool | None]:
        """For each of `LENGTHS` whether the track is right."""
        del start, speed
        judged: list[bool | None] = []
        for length in LENGTHS:
            fits = query.starts + query.window <= length + 1e-6
            if not fits.any():
                judged.append(None)
                continue
            vector = query.unit_vectors()[fits].mean(axis=0)
            judged.append(self.paths[int(np.argmax(self.rows @ vector))] == path)
        return judged


def _mean(made: Fingerprint) -> Float32:
    chosen = made.valid if made.valid.any() else np.ones(len(made.starts), np.bool_)
    return made.unit_vectors()[chosen].mean(axis=0)


def _unit(vectors: Float32) -> Float32:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.maximum(norms, 1e-9)).astype(np.float32)
