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
_FEW = _TOGETHER // 2  # ... where all of them see nothing: a part may begin or end in between


def with_views(
    shots: Iterator[Shot], scaler: Scaler, *, most: int, max_border: float
) -> Iterator[Shot]:
    """The same pictures, each with at most `most` views, without bars.

    `_TOGETHER` pictures are held back at a time, and a view is given to all that decided together
    or to none: one too many costs time, one that is missing costs a match.
    """
    earlier = np.empty((0, 1, 1), np.uint8)
    while held := list(islice(shots, _TOGETHER)):
        brightness = np.stack([luma(shot.pixels) for shot in held]).astype(np.uint8)
        for run, parts in _runs(earlier, brightness):
            views = [_view(held[run], part, scaler, max_border) for part in parts[:most]]
            for ordinal, shot in enumerate(held[run]):
                yield replace(shot, detail=None, views=tuple(view[ordinal] for view in views))
        earlier = brightness


def _runs(earlier: Luma, brightness: Luma) -> list[tuple[slice, tuple[Part, ...]]]:
    """Parts of the pictures, run by run; the last few of a file decide with those before them."""
    everything, count = slice(0, len(brightness)), len(brightness)
    before = earlier[len(earlier) + count - _TOGETHER :] if len(earlier) else brightness[:0]
    if parts := find_parts(np.concatenate([before, brightness])):
        return [(everything, parts)]
    if count <= _FEW:
        return [(everything, find_parts(brightness) if len(before) else ())]
    return [
        (slice(0, _FEW), find_parts(brightness[:_FEW])),
        (slice(_FEW, count), find_parts(brightness[-_FEW:])),
    ]


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
