"""Stretches that two licensed titles share, an intro or a jingle: no proof of a copy of either.

What is found where both are compared with each other says nothing about an upload that shows no
more than that; where an upload goes on beyond it, it is part of the match.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avm_core.config import MatchConfig
from avm_core.match.align import align
from avm_core.types import Fingerprint, Float64, Match, Modality

# Intros are shorter than what counts as a match: this share of it is looked for.
_SHORTEST = 0.4
# Of either title, from which what they share is no intro: one is a cut of the other, or both are.
_MOST = 1 / 3


def find_shared(
    first_id: str,
    first: dict[Modality, Fingerprint],
    second_id: str,
    second: dict[Modality, Fingerprint],
    config: MatchConfig,
) -> list[Match]:
    """What two titles share, `ugc` is the one whose id comes first; the same whichever is asked
    about. Nothing if it makes up most of one of them: a trailer must be found, and its film too."""
    if first_id > second_id:
        first_id, first, second_id, second = second_id, second, first_id, first
    first, second = ({m: made.whole() for m, made in side.items()} for side in (first, second))
    shorter = config.model_copy(update={"min_duration": _SHORTEST * config.min_duration})
    found = align(first_id, second_id, first, second, shorter)
    ours = merge([(match.ugc_start, match.ugc_end) for match in found])
    theirs = merge([(match.licensed_start, match.licensed_end) for match in found])
    for spans, prints in ((ours, first), (theirs, second)):
        length = max((made.duration for made in prints.values()), default=0.0)
        if (spans[:, 1] - spans[:, 0]).sum() > _MOST * length:
            return []
    return found


def merge(spans: Sequence[tuple[float, float]]) -> Float64:
    """The same seconds [k, 2], ascending, without overlaps."""
    merged: list[list[float]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return np.array(merged, np.float64).reshape(-1, 2)
