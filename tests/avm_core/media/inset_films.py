"""Pictures of films, as they are and inside each other."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from avm_core.benchmark.edits.picture import PictureInPicture
from avm_core.media.borders import Shot, luma
from avm_core.media.filters import read_pictures
from avm_core.media.scale import Scaler

TITLES = Path(__file__).resolve().parents[3] / "local" / "media" / "titles"
SIZE = 160
TIMES = np.arange(1.0, 49.0, 1.5)  # 32 pictures


def film(name: str) -> Path:
    return TITLES / f"{name}.mp4"


@cache
def scenes(name: str):
    """Pictures of a film at `TIMES`, RGB [180, 320, 3]."""
    return tuple(read_pictures(film(name), TIMES, filters=[("scale", "320:180")]))


def edited(name: str, step):
    """The same pictures through one step of the benchmark's edits."""
    return list(step(iter(scenes(name)), TIMES))


def inset(name: str, behind: str, share: float, x: float, y: float):
    return edited(name, PictureInPicture(film(behind), share, x, y))


def shots(pictures, step: float = 1.5):
    scaler = Scaler()
    return [
        Shot(step * ordinal, *(scaler.resized(picture, side) for side in (SIZE, 2 * SIZE)))
        for ordinal, picture in enumerate(pictures)
    ]


def brightness(pictures):
    """Uint8 [n, SIZE, SIZE], as the finder looks at pictures."""
    return np.stack([luma(shot.pixels) for shot in shots(pictures)]).astype(np.uint8)
