"""Where in a title that is one scene throughout: what is left of its pictures without the scene.

All pictures of a talk in one room are alike, and an edit moves all of them the same way: cosines
say that an upload shows the room, hardly when. Without the mean of each side, what remains is what
moves, and an edit's constant part is gone (double centring, as in kernel PCA).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avm_core.match.blocks import blocks
from avm_core.types import Bool, Float32

# Mean cosine of a title's pictures with one another, from which it counts as one scene.
_ONE_SCENE = 0.3
# As much in a match, from which likeness is no proof that it is a copy; and the mean cosine of what
# moves in both sides of a copy: two takes reach 0.16, heavily edited copies seldom less.
_ONE_ROOM, _TOGETHER = 0.6, 0.17
# Length of the difference of two unit vectors that rounding to 8 bits may leave of a still picture.
_STILL = 0.1
# Pictures of the upload that must show it: the mean of fewer is not that of the scene.
_LEAST = 4


@dataclass(frozen=True, slots=True)
class Scene:
    """What moves in both sides, unit vectors [n, D] and [m, D]; `shown` [n] are the pictures of
    the upload that show the scene: of the others `query` says nothing."""

    query: Float32
    ref: Float32
    shown: Bool


def one_scene(query: Float32, ref: Float32, sure: float) -> Scene | None:
    """What moves, if the title `ref` [m, D] is one scene that pictures of `query` [n, D] surely
    show (a cosine of `sure` with any of it); None otherwise."""
    if not len(ref):
        return None
    mean = ref.mean(axis=0)
    if mean @ mean < _ONE_SCENE:
        return None
    shown = np.zeros(len(query), np.bool_)
    for block in blocks(query, ref):
        shown[block] = (query[block] @ ref.T).max(axis=1) >= sure
    if shown.sum() < _LEAST:
        return None
    return Scene(_movement(query, query[shown].mean(axis=0)), _movement(ref, mean), shown)


def move_together(query: Float32, ref: Float32) -> bool:
    """Whether pictures [n, D] of both sides, paired, change in the same way.

    Two takes of one man in one room are as alike as two copies, but what moves in them is not.
    True where the pictures differ enough among themselves that likeness alone says when, and
    where there are too few to tell.
    """
    if len(ref) < _LEAST:
        return True
    mean = ref.mean(axis=0)
    if mean @ mean < _ONE_ROOM:
        return True
    ours, theirs = _movement(query, query.mean(axis=0)), _movement(ref, mean)
    return float(np.einsum("nd,nd->n", ours, theirs).mean()) >= _TOGETHER


def _movement(vectors: Float32, mean: Float32) -> Float32:
    """Unit vectors [n, D] of what differs from the mean; shorter where next to nothing does."""
    moved = vectors - mean
    length = np.linalg.norm(moved, axis=1, keepdims=True)
    return (moved / np.maximum(length, _STILL)).astype(np.float32)
