"""How often a short query finds its own moment among many hours: one table, all fingerprinters.

The protocol is that of Chang et al. 2021 (Neural Audio Fingerprint): every window of a query asks
for its nearest windows, each of them proposes where the query starts, and the proposal whose
windows are most alike as a sequence wins. It is right if it is in the right track, at most one hop
(0.5 s) from the true place. Rates say little without the hours they were searched in: more music,
more chances to err.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from avm_core.benchmark.edits import Clip, Edit, make_copy
from avm_core.benchmark.edits.sound import Hissed, Mixed, Pitched
from avm_core.benchmark.timing import HOUR
from avm_core.errors import BadMedia, BadSettings
from avm_core.fingerprint.registry import Fingerprinter
from avm_core.media.probe import probe
from avm_core.media.write import AudioFormat
from avm_core.types import Fingerprint, Float32, Float64, Int64

LENGTHS = (1.0, 2.0, 3.0, 5.0, 10.0)
SPEEDS = (0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.25)
_HOP = 0.5  # seconds
_PROPOSALS = 20  # neighbours of each window of a query
_FORM = AudioFormat(bitrate=96_000)


def conditions(speech: Path, seed: int) -> dict[str, Edit]:
    """What is done to a query, by name; `speech` is mixed over it."""
    found = {"clean": Edit("clean")}
    for snr in (10.0, 5.0, 0.0):
        found[f"noise {snr:g} dB"] = Edit("noise", sound=(Hissed(snr, seed, "pink"),))
    for snr in (10.0, 5.0, 0.0):
        found[f"speech {snr:g} dB"] = Edit("speech", sound=(Mixed(speech, 3.0, snr),))
    for speed in SPEEDS:
        if speed != 1:
            found[f"tempo {speed:g}"] = Edit("tempo", speed=speed)
            found[f"speed {speed:g}"] = Edit("speed", speed=speed, pitch="coupled")
    for semitones in (-4, -2, 2, 4):
        found[f"pitch {semitones:+d}"] = Edit("pitch", sound=(Pitched(semitones),))
    return found


def draw_queries(tracks: Sequence[Path], count: int, seed: int) -> list[Clip]:
    """Stretches long enough for every length at every speed, at random places."""
    rng = random.Random(seed)
    longest = max(LENGTHS) * max(SPEEDS) + 0.5
    usable = [(path, info.duration) for path in tracks if (info := probe(path)).duration > longest]
    if not usable:
        raise BadSettings(f"no track is longer than {longest:g} s: give others")
    clips = []
    for _ in range(count):
        path, duration = rng.choice(usable)
        start = round(rng.uniform(0, duration - longest - 0.2), 3)
        clips.append(Clip(path, start, start + longest))
    return clips


def measure_hits(
    makers: Mapping[str, Fingerprinter],
    database: Sequence[Path],
    queries: Sequence[Clip],
    edits: Mapping[str, Edit],
) -> dict[str, Any]:
    """{"queries", "database": {name: {"hours", "windows"}}, "hits": {name: {condition: {seconds:
    share}}}}; a query shorter than a window has no share (None). Files that cannot be read are
    not in the database. Raises `BadSettings` if a query's track is not in it.
    """
    loaded = {name: _Database.load(maker, database) for name, maker in makers.items()}
    hits: dict[str, dict[str, dict[str, float | None]]] = {name: {} for name in makers}
    with tempfile.TemporaryDirectory(prefix="avm-hits-") as folder:
        for condition, edit in edits.items():
            found: dict[str, list[dict[str, bool | None]]] = {name: [] for name in makers}
            for clip in queries:
                copy = Path(folder) / "query.m4a"
                cut = Clip(clip.path, clip.start, clip.start + max(LENGTHS) * edit.speed + 0.4)
                make_copy([cut], copy, replace(edit, drop="picture"), audio_format=_FORM)
                for name, maker in makers.items():
                    query = maker.fingerprint(copy, content_id="query", info=probe(copy))
                    found[name].append(loaded[name].judge(query, clip, edit.speed))
            for name in makers:
                hits[name][condition] = _shares(found[name])
    sizes = {name: {"hours": d.hours, "windows": len(d.rows)} for name, d in loaded.items()}
    return {"queries": len(queries), "database": sizes, "hits": hits}


def _shares(judged: Sequence[Mapping[str, bool | None]]) -> dict[str, float | None]:
    shares: dict[str, float | None] = {}
    for key in judged[0]:
        known = [bool(one[key]) for one in judged if one[key] is not None]
        shares[key] = round(float(np.mean(known)), 4) if known else None
    return shares


@dataclass(frozen=True, slots=True)
class _Database:
    """All windows in one matrix: unit `rows` [N, D], `track` ordinal [N] and `start` seconds [N];
    a track's windows follow each other, `step` seconds apart."""

    paths: tuple[Path, ...]
    rows: Float32
    track: Int64
    start: Float64
    valid: np.ndarray
    step: float
    hours: float

    @classmethod
    def load(cls, maker: Fingerprinter, paths: Sequence[Path]) -> _Database:
        prints = [(path, made) for path in paths if (made := _print(maker, path)) is not None]
        if not prints:
            raise BadSettings("nothing in the database can be read: give other files")
        steps = [np.diff(p.starts) for _, p in prints if len(p.starts) > 1]
        return cls(
            tuple(path for path, _ in prints),
            np.concatenate([p.unit_vectors() for _, p in prints]),
            np.concatenate([np.full(len(p.starts), n) for n, (_, p) in enumerate(prints)]),
            np.concatenate([p.starts for _, p in prints]),
            np.concatenate([p.valid for _, p in prints]),
            float(np.median(np.concatenate(steps))),
            sum(p.duration for _, p in prints) / HOUR,
        )

    def judge(self, query: Fingerprint, clip: Clip, speed: float) -> dict[str, bool | None]:
        """For each length in seconds whether its beginning is found where it was cut."""
        if clip.path not in self.paths:
            raise BadSettings(f"{clip.path.name} is not in the database that it is searched in")
        own = self.paths.index(clip.path)
        judged: dict[str, bool | None] = {}
        for length in LENGTHS:
            inside = query.starts + query.window <= length + 1e-6
            if not inside.any():
                judged[f"{length:g}"] = None
                continue
            row = self._find(query.unit_vectors()[inside])
            # A window of the query hears `speed` times its length; both middles are compared.
            half = query.window / 2
            true = clip.start + half * speed - half
            judged[f"{length:g}"] = bool(
                self.track[row] == own and abs(self.start[row] - true) <= _HOP + 1e-6
            )
        return judged

    def _find(self, query: Float32) -> int:
        """Row where the likeliest sequence begins."""
        firsts, speeds = self._proposals(query)
        rows = firsts[:, None] + np.rint(np.arange(len(query)) * speeds[:, None]).astype(np.int64)
        last = len(self.rows) - 1
        # A sequence that runs out of its track is scored by what is left of it.
        fits = (rows <= last) & (self.track[np.minimum(rows, last)] == self.track[firsts][:, None])
        cosines = np.einsum("nd,cnd->cn", query, self.rows[np.minimum(rows, last)])
        return int(firsts[np.argmax((cosines * fits).sum(axis=1))])

    def _proposals(self, query: Float32) -> tuple[Int64, Float64]:
        """First rows [C] and speeds [C] of sequences through the neighbours of any window."""
        cosines = query @ self.rows.T
        cosines[:, ~self.valid] = -1.0
        count = min(_PROPOSALS, cosines.shape[1])
        nearest = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
        speeds = np.array(SPEEDS if len(query) > 1 else (1.0,))
        back = np.rint(np.arange(len(query))[:, None] * speeds).astype(np.int64)
        firsts = np.maximum(nearest[:, :, None] - back[:, None, :], 0)
        pairs = np.stack(
            [firsts.ravel(), np.broadcast_to(range(len(speeds)), firsts.shape).ravel()]
        )
        first, which = np.unique(pairs, axis=1)
        return first, speeds[which]


def _print(maker: Fingerprinter, path: Path) -> Fingerprint | None:
    try:
        made = maker.fingerprint(path, content_id=path.name, info=probe(path))
    except BadMedia:
        return None
    return made if len(made.starts) else None
