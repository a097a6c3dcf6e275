"""Truth rows and matches with defaults."""

from __future__ import annotations

from avm_core.evaluate.truth import TruthSegment
from avm_core.types import Match


def make_truth(ugc: str = "u", licensed: str = "l", *, at=(0, 30), of=(100, 130)) -> TruthSegment:
    """`at` seconds of the upload show `of` seconds of the licensed media."""
    return TruthSegment(ugc, licensed, *map(float, at), *map(float, of))


def make_match(
    ugc: str = "u", licensed: str = "l", *, at=(0, 30), of=(100, 130), score=0.9, speed=1.0
) -> Match:
    """A match of the same shape."""
    times = (*map(float, at), *map(float, of))
    return Match(ugc, licensed, *times, speed=speed, score=score, modality="audio")
