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
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from avm_core.benchmark.edits import Clip, Edit, make_copy
from avm_core.benchmark.edits.sound import Hissed, Mixed, Pitched
from avm_core.benchmark.hit_database import (
    LENGTHS,
    SPEEDS,
    Database,
    Fit,
    Prints,
    WholeFiles,
    unchanged,
)
from avm_core.errors import BadMedia, BadSettings
from avm_core.fingerprint.parallel import for_each
from avm_core.fingerprint.registry import Fingerprinter
from avm_core.media.probe import probe
from avm_core.media.write import AudioFormat
from avm_core.types import Fingerprint, FingerprinterId

_FORM = AudioFormat(bitrate=96_000)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured: a fingerprinter, and what is done to its descriptors before they are
    searched; `fit` None: one vector per track."""

    maker: Fingerprinter
    fit: Fit | None = unchanged


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
    subjects: Mapping[str, Subject],
    tracks: Sequence[Path],
    queries: Sequence[Clip],
    edits: Mapping[str, Edit],
) -> dict[str, Any]:
    """{"queries", "database": {name: {"hours", "windows"}}, "hits": {name: {condition: {seconds:
    share}}}}; a query shorter than a window has no share (None). Files that cannot be read are
    not in the database. Raises `BadSettings` if a query's track is not in it.
    """
    makers = {subject.maker.id: subject.maker for subject in subjects.values()}
    prints = {key: _prints(maker, tracks) for key, maker in makers.items()}
    loaded = {name: _load(subject, prints) for name, subject in subjects.items()}
    hits: dict[str, dict[str, Any]] = {name: {} for name in subjects}
    for condition, edit in edits.items():
        judged = for_each(partial(_judge_all, subjects, loaded, makers, edit), queries)
        for name in subjects:
            hits[name][condition] = _shares([one[name] for one in judged])
    sizes = {name: {"hours": d.hours, "windows": len(d.rows)} for name, d in loaded.items()}
    return {"queries": len(queries), "database": sizes, "hits": hits}


def _load(subject: Subject, prints: Mapping[FingerprinterId, Prints]) -> Database | WholeFiles:
    made = prints[subject.maker.id]
    return WholeFiles(made) if subject.fit is None else Database.of(made, subject.fit)


def _judge_all(
    subjects: Mapping[str, Subject],
    loaded: Mapping[str, Database | WholeFiles],
    makers: Mapping[FingerprinterId, Fingerprinter],
    edit: Edit,
    clip: Clip,
) -> dict[str, list[bool | None]]:
    cut = Clip(clip.path, clip.start, clip.start + max(LENGTHS) * edit.speed + 0.4)
    with tempfile.TemporaryDirectory(prefix="avm-hits-") as folder:
        copy = Path(folder) / "query.m4a"
        make_copy([cut], copy, replace(edit, drop="picture"), audio_format=_FORM)
        info = probe(copy)
        asked = {
            key: maker.fingerprint(copy, content_id="query", info=info)
            for key, maker in makers.items()
        }
    return {
        name: loaded[name].judge(asked[subject.maker.id], clip.path, clip.start, edit.speed)
        for name, subject in subjects.items()
    }


def _shares(judged: Sequence[Sequence[bool | None]]) -> dict[str, float | None]:
    shares: dict[str, float | None] = {}
    for place, length in enumerate(LENGTHS):
        known = [bool(one[place]) for one in judged if one[place] is not None]
        shares[f"{length:g}"] = round(float(np.mean(known)), 4) if known else None
    return shares


def _prints(maker: Fingerprinter, paths: Sequence[Path]) -> Prints:
    made = for_each(partial(_print, maker), paths)
    return [(path, found) for path, found in zip(paths, made, strict=True) if found is not None]


def _print(maker: Fingerprinter, path: Path) -> Fingerprint | None:
    try:
        made = maker.fingerprint(path, content_id=path.name, info=probe(path))
    except BadMedia:
        return None
    return made if len(made.starts) else None
