"""Segments as pairs of time spans: overlaps, unions and lengths in seconds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from avm_core.evaluate.truth import TruthSegment
from avm_core.types import Match

Span = tuple[float, float]
Segment = TruthSegment | Match
Pair = tuple[str, str]
S = TypeVar("S", TruthSegment, Match)


def ugc_span(segment: Segment) -> Span:
    return segment.ugc_start, segment.ugc_end


def licensed_span(segment: Segment) -> Span:
    return segment.licensed_start, segment.licensed_end


AXES: tuple[Callable[[Segment], Span], ...] = (ugc_span, licensed_span)


def ends(segment: Segment) -> tuple[float, ...]:
    return (*ugc_span(segment), *licensed_span(segment))


def pair_of(segment: Segment) -> Pair:
    return segment.ugc_id, segment.licensed_id


def length(span: Span) -> float:
    return max(0.0, span[1] - span[0])


def overlap(one: Span, other: Span) -> Span:
    return max(one[0], other[0]), min(one[1], other[1])


def iou_of(one: Span, other: Span) -> float:
    shared = length(overlap(one, other))
    return ratio(shared, length(one) + length(other) - shared)


def meet(one: Segment, other: Segment) -> bool:
    return all(length(overlap(axis(one), axis(other))) > 0 for axis in AXES)


def union_length(spans: Iterable[Span]) -> float:
    total, reached = 0.0, -math.inf
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def by_pair(segments: Sequence[S]) -> dict[Pair, list[S]]:
    """Segments grouped by (ugc, licensed), in order of appearance."""
    groups: dict[Pair, list[S]] = {}
    for segment in segments:
        groups.setdefault(pair_of(segment), []).append(segment)
    return groups


def ratio(part: float, whole: float) -> float:
    """part / whole; 0 if there is no whole."""
    return part / whole if whole else 0.0
