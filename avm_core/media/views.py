"""Views of pictures: what is a picture of its own inside them, cut out and scaled up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import numpy as np

from avm_core.media.bars import bars
from avm_core.media.borders import Shot, luma
from avm_core.media.insets import Luma, Part, find_parts
from avm_core.media.scale import Pixels, Scaler

_TOGETHER = 32  # pictures that decide together


def with_views(
    shots: Iterator[Shot], scaler: Scaler, *, most: int, max_border: float
) -> Iterator[Shot]:
    """The same pictures, each with at most `most` views, without bars.

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
    inside = [scaler.resized(_cut(shot, part), 2 * size) for shot in held]
    pixels = [scaler.resized(one, size) for one in inside]
    if max_border == 0:
        return pixels
    margins = bars(np.stack([luma(one) for one in pixels]).astype(np.uint8), max_border)
    if not any(margins):
        return pixels
    top, bottom, left, right = (2 * lines for lines in margins)
    return [
        scaler.resized(one[top : 2 * size - bottom, left : 2 * size - right], size)
        for one in inside
    ]


def _cut(shot: Shot, part: Part) -> Pixels:
    source = shot.pixels if shot.detail is None else shot.detail
    height, width = source.shape[:2]
    # Inwards: the line on an edge is mixed of both sides.
    top, left = int(np.ceil(part.top * height)), int(np.ceil(part.left * width))
    return source[top : int(part.bottom * height), left : int(part.right * width)]
