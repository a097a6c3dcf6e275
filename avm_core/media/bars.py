"""Bars at the sides of a film that is shown inside another picture.

As `media/borders.py`, for pictures of which little is left: the other picture bleeds into the bars,
so that none of them alone has a clean line. All pictures together have.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from avm_core.types import Float64

_RIM = 4  # lines at the edge that are mixed with the other picture
_LIKE = 12.0  # of 255: mean difference of a bar's line from its colour, in most pictures
_EDGE = 14.0  # of 255: by how much more the lines where it ends differ
_WITHIN = 4  # lines that its end may take


def bars(luma: npt.NDArray[np.uint8], largest: float) -> tuple[int, int, int, int]:
    """Lines to cut off at top, bottom, left and right of pictures [n, size, size], brightness;
    at most `largest` of the side."""
    turned = luma.transpose(0, 2, 1)
    sides = luma, luma[:, ::-1], turned, turned[:, ::-1]
    top, bottom, left, right = (_bar(side, largest) for side in sides)
    return top, bottom, left, right


def _bar(luma: npt.NDArray[np.uint8], largest: float) -> int:
    """Lines at the first edge up to where one colour ends; 0 if it does not end at a line."""
    lines = luma[:, _RIM : round(largest * luma.shape[1]) + _WITHIN].astype(np.float32)
    colour = np.median(lines[:, :_RIM])
    # Of most pictures: the inset may not be in all of them.
    off: Float64 = np.median(np.abs(lines - colour).mean(axis=2, dtype=np.float64), axis=0)
    depth = int(np.cumprod(off <= _LIKE).sum())
    if not depth or depth + _WITHIN > len(off):
        return 0
    ends = off[depth : depth + _WITHIN].max() - off[:depth].mean() >= _EDGE
    return _RIM + depth + 1 if ends else 0
