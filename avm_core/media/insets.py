"""Find the parts of a picture that are pictures of their own: a film shown smaller inside another
moving picture, and pictures stacked above or beside each other.

Only change tells: what stands still is the same in any picture. Across the edge of a part, what
changes on one side says nothing of what changes on the other, or the picture around it changes
and the part's rim hardly does. Anywhere else in a film pixels side by side change alike. A logo
does not change of itself, a caption's bar lets the film through, and a scene's straight lines
stand still on both sides: none of them is taken for a part.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from avm_core.media.borders import telling
from avm_core.types import Float32, Float64

Luma = npt.NDArray[np.uint8]

_AT_LEAST = 6  # pictures that show something new: fewer say nothing
_NEW = 6.0  # of 255: mean difference of pictures that are counted as two
_CUT = 32.0  # of 255: no change counts for more, so that a few cuts are not all that counts
_CHANGE = 6.0  # of 255: changes below this are as good as none
_GAP = 3  # rows from the first row of one side of an edge to the first row of the other
_MIXED = 2  # rows before the one that an edge may run through: it may be mixed of both sides
_CALM = 0.3  # 1 - correlation that rows of one picture have at most
_CONTRAST = 0.3  # by how much an edge must have more
_NEAR = 4  # rows from an edge to those rows
_SMALLEST = 0.25  # of the picture's side that a part must have
_LARGEST = 0.93  # a part with both sides above this is the picture itself
_APART = 0.35  # how sure an edge must be somewhere to be looked at
_MOST_EDGES = 12  # looked at in each direction
# How sure the edges of a rectangle must be, the fewer the more (by their number, 0 to 4).
_LEAST = np.array([9.0, 9.0, 0.8, 0.55, 0.25])
_MEAN = np.array([9.0, 9.0, 0.85, 0.7, 0.5])
_FREE = 0.25  # of which a longer edge must have more to be preferred
_STACKED = 0.3  # of a side that each part of a stack must have
_APART_ALONE = 0.75  # how sure its only edge must be


@dataclass(frozen=True, slots=True)
class Part:
    """A rectangle of a picture, in shares of its sides: 0 is top and left, 1 bottom and right."""

    top: float
    bottom: float
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class _Span:
    """Pixels [first, last) of one direction, and the edges that end it: -1 is the picture's own."""

    first: int
    last: int
    edges: tuple[int, int]

    @property
    def length(self) -> int:
        return self.last - self.first


def find_parts(luma: Luma) -> tuple[Part, ...]:
    """Parts of pictures [n, size, size], brightness, in order of time: the inset, or the two
    halves of a stack; () where all is one picture, or too few pictures tell."""
    chosen = telling(luma, new=_NEW)
    if len(chosen) < _AT_LEAST:
        return ()
    changes = np.clip(np.diff(luma[chosen].astype(np.float32), axis=0), -_CUT, _CUT)
    rows, columns = _Edges(changes), _Edges(changes.transpose(0, 2, 1))
    inset = _inset(rows, columns)
    if inset is not None:
        high, wide = (np.array([span.first, span.last]) / rows.size for span in inset)
        return (Part(float(high[0]), float(high[1]), float(wide[0]), float(wide[1])),)
    return _stack(rows, columns)


class _Edges:
    """Where edges of parts may run between rows. Edge i runs through row i + `_MIXED`: it compares
    the two rows before that one with the two rows after it."""

    def __init__(self, changes: Float32) -> None:
        """`changes` [n, size, size]: differences of brightness from picture to picture."""
        self.size = changes.shape[1]
        pairs = 0.5 * (changes[:, 1:] + changes[:, :-1])
        power = np.einsum("nyx,nyx->yx", pairs, pairs) / len(changes)
        together = np.einsum("nyx,nyx->yx", pairs[:, :-_GAP], pairs[:, _GAP:]) / len(changes)
        self._power, self._together = _cumulated(power), _cumulated(together)

    def apart(self, first: int, last: int) -> Float64:
        """How surely [2, edges], 0 to 1, an edge of a part runs over the pixels [first, last): the
        part's first one, the part's last one."""
        return np.maximum(self.unrelated(first, last), self._livelier(first, last))

    def unrelated(self, first: int, last: int) -> Float64:
        """1 - correlation [edges] of the changes before and after, where those on one of the sides
        go together among themselves."""
        power, together = _mean(self._power, first, last), _mean(self._together, first, last)
        before, after = power[:-_GAP], power[_GAP:]
        found = 1.0 - together / np.sqrt(np.maximum(before * after, 1e-6))
        found = np.clip(np.where(np.minimum(before, after) >= _CHANGE**2, found, 0.0), 0.0, 1.0)
        padded = np.pad(found, _NEAR + 3, mode="edge")
        around = np.convolve(padded, np.full(4, 0.25), "valid")
        calmer = np.minimum(around[: len(found)], around[2 * _NEAR + 3 :][: len(found)])
        return np.where((calmer <= _CALM) & (found - calmer >= _CONTRAST), found, 0.0)

    def _livelier(self, first: int, last: int) -> Float64:
        """By what share less the part changes than what is around it [2, edges], near the edge and
        a little farther away, if it lies after the edge or before it."""
        power = _mean(self._power, first, last) + _CHANGE**2
        far = np.pad(power, _GAP, mode="edge")
        near, farther = power[:-_GAP] / power[_GAP:], far[: -3 * _GAP] / far[3 * _GAP :]
        after = 1.0 - 1.0 / np.minimum(near, farther)
        before = 1.0 - np.maximum(near, farther)
        return np.maximum(np.stack([after, before]), 0.0)

    def spans(self) -> list[_Span]:
        """Where a part may lie, by the edges that stand out over at least `_SMALLEST` of a row."""
        length = round(_SMALLEST * self.size)
        starts = range(0, self.size - length + 1, length // 2)
        best = np.max([self.apart(start, start + length).max(axis=0) for start in starts], axis=0)
        chosen = [-1]
        while len(chosen) <= _MOST_EDGES and best.max() >= _APART:
            edge = int(best.argmax())
            chosen.append(edge)
            best[max(edge - _MIXED, 0) : edge + _MIXED + 1] = 0.0
        spans = [
            _Span(
                0 if low < 0 else low + _MIXED + 1,
                self.size if high < 0 else high + _MIXED,
                (low, high),
            )
            for low, high in product(chosen, repeat=2)
        ]
        return [span for span in spans if span.length >= length]


def _inset(rows: _Edges, columns: _Edges) -> tuple[_Span, _Span] | None:
    """Rows and columns of the rectangle whose edges are the surest."""
    vertical, horizontal = rows.spans(), columns.spans()
    if len(vertical) == len(horizontal) == 1:
        return None  # most films
    sides = _sides(rows, columns, vertical, horizontal)
    high = np.array([span.length for span in vertical])[:, None]
    wide = np.array([span.length for span in horizontal])[None, :]
    lengths = np.stack(np.broadcast_arrays(wide, wide, high, high)) * ~np.isnan(sides)
    count = (lengths > 0).sum(axis=0)
    least = np.where(np.isnan(sides), np.inf, sides).min(axis=0)
    total = np.nansum(sides * lengths, axis=0)
    mean = total / np.maximum(lengths.sum(axis=0), 1)
    sure = (least >= _LEAST[count]) & (mean >= _MEAN[count])
    smaller = np.minimum(high, wide) <= _LARGEST * rows.size
    gain = np.where(sure & smaller, total - _FREE * lengths.sum(axis=0), 0.0)
    one, other = np.unravel_index(gain.argmax(), gain.shape)
    return (vertical[one], horizontal[other]) if gain[one, other] > 0 else None


def _sides(
    rows: _Edges, columns: _Edges, vertical: list[_Span], horizontal: list[_Span]
) -> Float64:
    """How sure each rectangle's edges are [4, vertical, horizontal]; NaN: the picture's own."""
    tables = []
    for edges, along in ((rows, horizontal), (columns, vertical)):
        found = np.stack([edges.apart(span.first, span.last) for span in along], axis=2)
        tables.append(np.pad(found, ((0, 0), (0, 1), (0, 0)), constant_values=np.nan))
    (tops, bottoms), (lefts, rights) = (
        np.array([span.edges for span in spans]).T for spans in (vertical, horizontal)
    )
    across, down = tables
    return np.stack([across[0, tops], across[1, bottoms], down[0, lefts].T, down[1, rights].T])


def _stack(rows: _Edges, columns: _Edges) -> tuple[Part, ...]:
    """Both sides of the one edge that runs through the whole picture, if there is one."""
    size = rows.size
    best = _APART_ALONE
    parts: tuple[Part, ...] = ()
    for edges in (rows, columns):
        sure = edges.unrelated(0, size)
        least = round(_STACKED * size)
        edge = least + int(sure[least : size - least].argmax())
        if sure[edge] >= best:
            best = float(sure[edge])
            end, start = (edge + _MIXED) / size, (edge + _MIXED + 1) / size
            parts = (Part(0.0, end, 0.0, 1.0), Part(start, 1.0, 0.0, 1.0))
            if edges is columns:
                parts = tuple(Part(p.left, p.right, p.top, p.bottom) for p in parts)
    return parts


def _cumulated(values: Float32) -> Float64:
    """Sums [rows, size + 1] from the left."""
    return np.pad(np.cumsum(values, axis=1, dtype=np.float64), ((0, 0), (1, 0)))


def _mean(cumulated: Float64, first: int, last: int) -> Float64:
    return (cumulated[:, last] - cumulated[:, first]) / (last - first)
