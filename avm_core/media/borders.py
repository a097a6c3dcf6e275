"""Cut off what frames a picture: bars above and below or at the sides, in any colour or design.

A border is what stays the same at an edge while the pictures change. One picture cannot tell it
from a dark scene, so the pictures of half a minute decide together: a border ends at the same
line in many of them, dark scenes do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from avm_core.media.scale import Pixels, Scaler
from avm_core.types import Bool, Float64, Int64

Luma = npt.NDArray[np.int16]
# Rows (top, bottom) and columns (left, right) to cut off, of a picture that is `size` square.
Margins = npt.NDArray[np.int64]
_SIDES = ("top", "bottom", "left", "right")

_TOGETHER = 32  # pictures that decide together
_SAME = 8  # of 255: compression changes a bar by less
_OF_A_LINE = 0.97  # of a row or column that must stay the same
_NEW = 2.0  # of 255: pictures that differ by less are one picture
_AGREEING = 0.5  # of the pictures, whose border must end at one line
_ALL = 0.9  # ... if it is of no one colour, but a design: the dark half of dark scenes agrees too
_AT_LEAST = 5  # ... and no fewer than these
_THINNEST = 0.015  # of a side: below, cutting changes nothing
_SKIP = 4
_FLAT = 6.0  # standard deviation of one colour
_EDGE = 0.4  # of the first lines within, on average, that must look otherwise


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture on its way: `time` in seconds, `pixels` uint8 [size, size, 3], and `detail`, the
    same in up to [2 size, 2 size, 3], out of which a part can be cut; None if there is nothing to
    cut. `views` are parts of it, each as large as `pixels`."""

    time: float
    pixels: Pixels
    detail: Pixels | None = None
    views: tuple[Pixels, ...] = ()


def may_have_border(pixels: Pixels, previous: Pixels | None) -> bool:
    """Whether any edge of a picture is flat or the same as before; cheap, and seldom wrong."""
    bands = _bands(pixels)
    if previous is None or any(float(band.std()) < _FLAT for band in bands):
        return True
    return any(
        float(np.abs(one - other).mean()) < _SAME / 2
        for one, other in zip(bands, _bands(previous), strict=True)
    )


def _bands(pixels: Pixels) -> list[Luma]:
    green = pixels[..., 1].astype(np.int16)
    return [green[:2], green[-2:], green[:, :2], green[:, -2:]]


def without_borders(shots: Iterator[Shot], scaler: Scaler, *, largest: float) -> Iterator[Shot]:
    """The same pictures, each without its border; at most `largest` of a side is cut off.

    `_TOGETHER` pictures are held back at a time. A picture loses a border only if it shows it,
    and a border stays known until the pictures no longer show it.
    """
    borders = [_NONE] * len(_SIDES)
    while held := list(islice(shots, _TOGETHER)):
        brightness = np.stack([luma(shot.pixels) for shot in held])
        borders = _agreed(brightness, borders, largest)
        for shot, margins in zip(held, _shown(brightness, borders), strict=True):
            if shot.detail is not None and margins.any():
                inside = _inside(shot.detail, margins, len(shot.pixels))
                yield Shot(shot.time, scaler.resized(inside, len(shot.pixels)), inside)
            else:
                yield shot


@dataclass(frozen=True, slots=True)
class _Border:
    """On one side: lines to cut off, and the luma of what is there, as `_from_side` counts lines,
    or [1, 1] for one colour."""

    margin: int
    looks: Luma


_NONE = _Border(0, np.zeros((1, 1), dtype=np.int16))


def _agreed(luma: Luma, known: Sequence[_Border], largest: float) -> list[_Border]:
    """The border on each side, as most of the pictures show it; `known` if they do not tell."""
    chosen = luma[telling(luma, new=_NEW, flat=_FLAT)]
    if len(chosen) < _AT_LEAST:
        return list(known)
    borders = []
    for side, before in zip(_SIDES, known, strict=True):
        pictures = _from_side(chosen, side)
        border = _ending(pictures, largest)
        if not border.margin and _shows(pictures, before).mean() >= _AGREEING:
            border = before  # a run of dark scenes
        borders.append(border)
    return borders


def _ending(pictures: Luma, largest: float) -> _Border:
    edge = np.median(pictures[:, : _thinnest(pictures)], axis=0).astype(np.int16)
    same = _depths(_same_lines(pictures[:, : len(edge)], edge)) == len(edge)
    if same.mean() < _AGREEING:
        return _NONE  # most films: what follows is ten times the work
    colour = np.median(edge).astype(np.int16).reshape(1, 1)
    if margin := _margin(_same_lines(pictures, colour), _AGREEING, largest):
        return _Border(margin, colour)
    typical = np.median(pictures, axis=0).astype(np.int16)
    return _Border(_margin(_same_lines(pictures, typical), _ALL, largest), typical)


def _thinnest(pictures: Luma) -> int:
    return int(np.ceil(_THINNEST * pictures.shape[2] * _SKIP))


def telling(luma: npt.NDArray[np.integer], *, new: float, flat: float = 0.0) -> Int64:
    """Ordinals of pictures [n, size, size], brightness, that differ from the last one chosen by
    more than `new` in the mean; none whose standard deviation is below `flat`."""
    small = luma[:, ::4, ::4].astype(np.int16)
    found: list[int] = []
    for ordinal, picture in enumerate(small):
        if float(picture.std()) < flat:
            continue
        if not found or float(np.abs(picture - small[found[-1]]).mean()) > new:
            found.append(ordinal)
    return np.array(found, dtype=np.int64)


def _from_side(luma: Luma, side: str) -> Luma:
    """Half of each picture [n, size / 2, size / 4], the first line at that edge; of a line every
    fourth pixel is enough."""
    turned = luma if side in ("top", "bottom") else luma.transpose(0, 2, 1)
    ordered = turned if side in ("top", "left") else turned[:, ::-1]
    return np.ascontiguousarray(ordered[:, : luma.shape[1] // 2, ::_SKIP])


def _same_lines(pictures: Luma, looks: Luma) -> Float64:
    """Share [n, lines] of each line that looks as expected."""
    return np.mean(np.abs(pictures - looks) <= _SAME, axis=2)


def _depths(lines: Float64) -> Int64:
    """How many lines [n] look as expected before the first one that does not."""
    return np.cumprod(lines >= _OF_A_LINE, axis=1).sum(axis=1)


def _margin(lines: Float64, share: float, largest: float) -> int:
    """The line at which the borders of a `share` of pictures end, all at once, or 0."""
    depths, size = _depths(lines), 2 * lines.shape[1]
    possible = depths[(depths >= _THINNEST * size) & (depths <= largest * size)]
    if not len(possible):
        return 0
    values, counts = np.unique(possible, return_counts=True)
    line = int(values[counts.argmax()])
    here = np.abs(depths - line) <= 1
    if here.sum() < max(_AT_LEAST, share * len(depths)):
        return 0
    other = 1.0 - float(lines[here, line + 1 : line + 3].mean())
    return line if other >= _EDGE else 0


def _shows(pictures: Luma, border: _Border) -> Bool:
    """Which pictures [n] have that border."""
    if not border.margin:
        return np.zeros(len(pictures), dtype=np.bool_)
    return _depths(_same_lines(pictures, border.looks)) >= border.margin - 1


def _shown(luma: Luma, borders: Sequence[_Border]) -> Margins:
    """Lines to cut off each picture [n, 4]: the borders that it shows."""
    columns = [
        np.where(_shows(_from_side(luma, side), border), border.margin, 0)
        for side, border in zip(_SIDES, borders, strict=True)
    ]
    return np.stack(columns, axis=1)


def _inside(detail: Pixels, margins: Margins, size: int) -> Pixels:
    # The line where a border ends is mixed with the picture: it goes too.
    lines = np.where(margins > 0, margins + 1, 0) * (len(detail) / size)
    top, bottom, left, right = np.rint(lines).astype(int)
    return detail[top : len(detail) - bottom, left : len(detail) - right]


def luma(pixels: Pixels) -> Luma:
    """Brightness of RGB [..., 3], 0 to 255."""
    red, green, blue = (pixels[..., i].astype(np.int16) for i in range(3))
    return (red + 2 * green + blue) // 4
