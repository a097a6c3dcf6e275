"""What it costs to align one hour of an upload with the titles that a search proposes.

Prints of one benchmark set joined to an upload, those of another to titles: two sets share no
work. In some titles a stretch is replaced by one of the upload, with noise.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import cycle
from typing import Any

import numpy as np

from avm_core.benchmark.timing import HOUR, Seconds
from avm_core.config import MatchConfig
from avm_core.fingerprint.codec import quantise
from avm_core.match.align import align
from avm_core.types import MODALITIES, Fingerprint, Modality

Prints = dict[Modality, Fingerprint]
CANDIDATES, COPIED = 50, 10
TITLE_SECONDS, COPY_SECONDS = 300.0, 60.0
_NOISE = 0.7  # of a vector's length: a copy has a cosine of about .8 with its original


def measure_align(
    uploads: Sequence[Fingerprint],
    titles: Sequence[Fingerprint],
    *,
    upload_seconds: float = HOUR,
    candidates: int = CANDIDATES,
    copied: int = COPIED,
) -> dict[str, Any]:
    """CPU seconds of one upload against `candidates` titles of five minutes, `copied` of which have
    a minute of it, for each modality that both sides have and, where there are two, for both
    together.

    {name: {"upload_seconds", "candidates", "copied", "title_seconds", "cpu_s", "cpu_ms_per_pair",
    "found", "matches"}}; `found` counts copied titles with a match, `title_seconds` is the mean.
    """
    result: dict[str, Any] = {}
    for wanted in (*((m,) for m in MODALITIES), MODALITIES):
        ours, theirs = _media(uploads, wanted), _media(titles, wanted)
        if ours and theirs:
            upload = _fill(cycle(ours), upload_seconds)
            pieces = cycle(theirs)
            made = [_fill(pieces, TITLE_SECONDS) for _ in range(candidates)]
            made[:copied] = [
                _plant(upload, title, n / copied) for n, title in enumerate(made[:copied])
            ]
            result["both" if len(wanted) > 1 else wanted[0]] = _measure(upload, made, copied)
    return result


def _measure(upload: Prints, titles: Sequence[Prints], copied: int) -> dict[str, Any]:
    config = MatchConfig()
    seconds = Seconds()
    with seconds:
        found = [align("upload", f"{n}", upload, title, config) for n, title in enumerate(titles)]
    return {
        "upload_seconds": _duration(upload),
        "candidates": len(titles),
        "copied": copied,
        "title_seconds": float(np.mean([_duration(title) for title in titles])),
        "cpu_s": seconds.cpu,
        "cpu_ms_per_pair": 1000 * seconds.cpu / len(titles),
        "found": sum(bool(matches) for matches in found[:copied]),
        "matches": sum(len(matches) for matches in found),
    }


def _media(prints: Sequence[Fingerprint], wanted: Sequence[Modality]) -> list[Prints]:
    """Contents with all of the `wanted` modalities, in an order that is always the same."""
    media: dict[str, Prints] = {}
    for made in prints:
        media.setdefault(made.content_id, {})[made.modality] = made
    kept = [media[name] for name in sorted(media) if media[name].keys() >= set(wanted)]
    return [{m: one[m] for m in wanted} for one in random.Random(0).sample(kept, len(kept))]


def _fill(pieces: Iterator[Prints], seconds: float) -> Prints:
    """The next pieces joined, as many as make `seconds`."""
    taken = [next(pieces)]
    while sum(_duration(one) for one in taken) < seconds:
        taken.append(next(pieces))
    return join(taken)


def _plant(upload: Prints, title: Prints, place: float) -> Prints:
    """The title with a stretch of the upload in its middle, `place` is where in the upload."""
    span = min(COPY_SECONDS, 0.5 * _duration(title))
    start, into = place * (_duration(upload) - span), 0.5 * (_duration(title) - span)
    return {
        m: _spliced(upload[m].whole(), made.whole(), start, into, span) for m, made in title.items()
    }


def _spliced(
    upload: Fingerprint, title: Fingerprint, start: float, into: float, span: float
) -> Fingerprint:
    rng = np.random.default_rng(0)
    taken = upload.select((upload.starts >= start) & (upload.starts + upload.window < start + span))
    rows = taken.unit_vectors()
    noise = rng.standard_normal(rows.shape, dtype=np.float32) * (_NOISE / np.sqrt(rows.shape[1]))
    before = title.select(title.starts < into)
    after = title.select(title.starts >= into + span)
    taken = replace(taken, descriptors=quantise(rows + noise), starts=taken.starts + into - start)
    return replace(_in_turn([before, taken, after]), duration=title.duration)


def join(pieces: Sequence[Mapping[Modality, Fingerprint]]) -> Prints:
    """Contents one after the other, by modality; a piece that lacks one leaves a hole in it."""
    ends = np.cumsum([_duration(piece) for piece in pieces])
    made: Prints = {}
    for modality in MODALITIES:
        parts = [
            replace(piece[modality], starts=piece[modality].starts + end - _duration(piece))
            for piece, end in zip(pieces, ends, strict=True)
            if modality in piece
        ]
        if parts:
            made[modality] = replace(_in_turn(parts), duration=float(ends[-1]))
    return made


def _in_turn(parts: Sequence[Fingerprint]) -> Fingerprint:
    return replace(
        parts[0],
        descriptors=np.concatenate([part.descriptors for part in parts]),
        starts=np.concatenate([part.starts for part in parts]),
        valid=np.concatenate([part.valid for part in parts]),
        view=np.concatenate([part.view for part in parts]),
    )


def _duration(prints: Mapping[Modality, Fingerprint]) -> float:
    return max(made.duration for made in prints.values())
