"""Leave out pictures that show what the one before them shows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from avm_core.media.borders import Shot
from avm_core.media.scale import Pixels
from avm_core.types import Float32

_CELLS = 16  # cells of a side, whose mean brightness is compared
# Of 255, mean and largest difference of cells: two compressions of one still stay below, and so
# does a mouth that moves in a face that does not.
_MEAN, _LARGEST = 1.5, 8.0


def without_stills(shots: Iterator[Shot], *, max_hold: float) -> Iterator[Shot]:
    """Pictures that differ from the last one kept, and one every `max_hold` seconds at least.

    So a picture stands until the next one, whatever the step between samples, and a slow fade
    is still followed: what adds up counts, not what changes from one sample to the next.
    """
    kept: Float32 | None = None
    due = 0.0
    for shot in shots:
        cells = _cells(shot.pixels)
        if kept is None or shot.time >= due or _differ(cells, kept):
            kept, due = cells, shot.time + max_hold
            yield shot


def _differ(one: Float32, other: Float32) -> bool:
    difference = np.abs(one - other)
    return bool(difference.mean() > _MEAN or difference.max() > _LARGEST)


def _cells(pixels: Pixels) -> Float32:
    side = len(pixels) // _CELLS
    inside = pixels[: side * _CELLS, : side * _CELLS, 1]
    blocks = inside.reshape(_CELLS, side, _CELLS, side)
    return blocks.mean(axis=(1, 3), dtype=np.float32)
