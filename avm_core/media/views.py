"""Views of pictures: what is a picture of its own inside them, cut out and scaled up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import numpy as np

from avm_core.media.borders import Shot, luma, without_borders
from avm_core.media.insets import Luma, Part, find_parts
from avm_core.media.scale import Pixels, Scaler

_TOGETHER = 32  # pictures that decide together


def with_views(
    shots: Iterator[Shot], scaler: Scaler, *, most: int, max_border: float
) -> Iterator[Shot]:
    """The same pictures, each with at most `most` views, which lose borders as whole pictures do.

    `_TOGETHER` pictures are held back at a time, and a view is given to all of them or to none:
    a view too many costs time, one that is missing costs a match. The last few decide together
    with those before them.
    """
    earlier: Luma | None = None
    while held := list(islice(shots, _TOGETHER)):
        brightness = np.stack([luma(shot.pixels) for shot in held]).astype(np.uint8)
        looked_at = brightness if earlier is None else np.concatenate([earlier, brightness])
        parts = find_parts(looked_at[-_TOGETHER:])[:most]
        earlier = brightness
        views = [_view(held, part, scaler, max_border) for part in parts]
        for ordinal, shot in enumerate(held):
            yield replace(shot, detail=None, views=tuple(view[ordinal] for view in views))


def _view(held: list[Shot], part: Part, scaler: Scaler, max_border: float) -> list[Pixels]:
    """The part of each picture, as large as a picture."""
    size = len(held[0].pixels)
    shots = iter([_enlarged(shot, part, scaler, size) for shot in held])
    if max_border > 0:
        shots = without_borders(shots, scaler, largest=max_border)
    return [shot.pixels for shot in shots]


def _enlarged(shot: Shot, part: Part, scaler: Scaler, size: int) -> Shot:
    source = shot.pixels if shot.detail is None else shot.detail
    height, width = source.shape[:2]
    # Inwards: the line on an edge is mixed of both sides.
    top, left = int(np.ceil(part.top * height)), int(np.ceil(part.left * width))
    inside = source[top : int(part.bottom * height), left : int(part.right * width)]
    return Shot(shot.time, scaler.resized(inside, size), scaler.resized(inside, 2 * size))
