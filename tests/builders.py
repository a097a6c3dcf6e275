"""Synthetic contents, their fingerprints, and matches with sensible defaults.

A tape is what a content is made of: one vector per `TICK` seconds. Sound is the sum of the ticks
inside a window, a picture is one tick, so that a copy is cut, sped up and spliced on tapes and
every window across a cut looks as it does in real media: part copy, part something else.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from avm_core.types import Fingerprint, FingerprinterId, Match, Modality

Tape = npt.NDArray[np.float64]

TICK = 0.05
DIMS = 128
IDS: dict[Modality, FingerprinterId] = {
    "audio": FingerprinterId("audio_test.tape", "0123abcd"),
    "video": FingerprinterId("video_test.tape", "4567cdef"),
}
WINDOW: dict[Modality, float] = {"audio": 4.0, "video": 0.0}
STEP: dict[Modality, float] = {"audio": 0.25, "video": 1.0}
# How long a tick is remembered: sound changes at once, a scene lasts some seconds.
_MEMORY: dict[Modality, float] = {"audio": 0.0, "video": 3.0}


def make_tape(seed: int, seconds: float, modality: Modality = "audio") -> Tape:
    """A random walk [ticks, D]; two seeds have nothing in common."""
    rng = np.random.default_rng([seed, len(modality), ord(modality[0])])
    tape = rng.normal(size=(round(seconds / TICK), DIMS))
    memory = _MEMORY[modality]
    keep = float(np.exp(-TICK / memory)) if memory else 0.0
    for tick in range(1, len(tape)):
        tape[tick] = keep * tape[tick - 1] + np.sqrt(1 - keep**2) * tape[tick]
    return tape


def cut(tape: Tape, start: float, end: float, *, speed: float = 1.0) -> Tape:
    """The seconds [start, end) of a tape, played `speed` times as fast."""
    count = round((end - start) / speed / TICK)
    ticks = np.floor(start / TICK + np.arange(count) * speed + 1e-6).astype(int)
    return tape[np.minimum(ticks, len(tape) - 1)]


def splice(*tapes: Tape) -> Tape:
    """One tape after the other."""
    return np.concatenate(tapes)


def make_fingerprint(
    tape: Tape | int = 0,
    *,
    modality: Modality = "audio",
    noise: float = 0.0,
    seconds: float = 60.0,
    phase: float = 0.0,
    invalid: tuple[float, float] | None = None,
    content_id: str = "content",
) -> Fingerprint:
    """Fingerprint of a tape (or of `seconds` of the tape of that seed).

    `noise` is its share of each descriptor's length before normalisation; windows that start
    inside `invalid` seconds are marked as such; `phase` moves the first window.
    """
    if isinstance(tape, int):
        tape = make_tape(tape, seconds, modality)
    ticks, step = round(WINDOW[modality] / TICK), STEP[modality]
    duration = len(tape) * TICK
    starts = np.arange(phase, duration - WINDOW[modality] - TICK / 2, step)
    first = np.round(starts / TICK).astype(int)
    if ticks:
        total = np.concatenate([np.zeros((1, DIMS)), np.cumsum(tape, axis=0)])
        rows = total[first + ticks] - total[first]
    else:
        rows = tape[first]
    rows = rows.reshape(-1, DIMS)
    if noise and rows.size:
        # From the content itself: equal tapes get equal noise only at equal length.
        rng = np.random.default_rng([len(tape), len(starts)])
        rows = rows + rng.normal(size=rows.shape) * (noise * rows.std())
    peak = np.maximum(np.abs(rows).max(axis=1, keepdims=True, initial=0.0), 1e-9)
    low, high = invalid or (0.0, 0.0)
    return Fingerprint(
        content_id=content_id,
        fingerprinter=IDS[modality],
        descriptors=np.rint(rows / peak * 127).astype(np.int8),
        starts=starts,
        window=WINDOW[modality],
        valid=~((starts >= low) & (starts < high)),
        duration=duration,
    )


def make_match(**changes: Any) -> Match:
    """A plain match: half a minute at speed 1, carried by the sound."""
    values: dict[str, Any] = {
        "ugc_id": "upload",
        "licensed_id": "title",
        "ugc_start": 10.0,
        "ugc_end": 40.0,
        "licensed_start": 100.0,
        "licensed_end": 130.0,
        "speed": 1.0,
        "score": 0.9,
        "modality": "audio",
        "audio_score": 0.3,
    }
    return Match(**{**values, **changes})
