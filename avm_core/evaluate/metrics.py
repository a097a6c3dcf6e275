"""How good matches are, by the metrics of the field and by errors in seconds."""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from avm_core.errors import BadSettings
from avm_core.evaluate.spans import (
    AXES,
    Pair,
    Segment,
    by_pair,
    ends,
    iou_of,
    length,
    licensed_span,
    meet,
    overlap,
    pair_of,
    ratio,
    ugc_span,
    union_length,
)
from avm_core.evaluate.truth import TruthSegment
from avm_core.types import Match

Score = dict[str, float | int | None]


def score(
    truth: Sequence[TruthSegment], matches: Sequence[Match], clean_hours: float | None = None
) -> Score:
    """Every metric of this module in one JSON-able dict.

    `clean_hours` is the total length of uploads without any copy; a match on an upload that
    `truth` does not name counts as a false positive on them. Metrics without a basis (a
    boundary error without a matched pair) are None; ratios over nothing are 0. Raises
    `BadSettings` if `clean_hours` is not positive.
    """
    if clean_hours is not None and clean_hours <= 0:
        raise BadSettings(f"clean_hours is {clean_hours}: give hours > 0, or leave it out")
    known = {segment.ugc_id for segment in truth}
    clean = sum(match.ugc_id not in known for match in matches)
    return {
        **origin(truth, matches),
        **vcsl(truth, matches),
        "micro_ap": micro_ap(truth, matches),
        **localisation(truth, matches),
        "match_ratio": match_ratio(truth, matches),
        "false_positives": len(spurious(truth, matches)),
        "clean_false_positives": clean,
        "fp_per_clean_hour": None if clean_hours is None else clean / clean_hours,
        "truth_segments": len(truth),
        "matches": len(matches),
    }


# --- origin metric ----------------------------------------------------------------------------


def origin(truth: Sequence[TruthSegment], matches: Sequence[Match]) -> Score:
    """The RUTUBE metric: harmonic mean `final` of `f1` and `iou`, quirks included.

    `f1` only counts rows per (ugc, licensed) pair, wherever they lie. `iou` takes for each
    truth row the best product of the two axes' IoU among the pair's matches (a match may
    serve several truth rows) and divides the sum by truth rows + surplus matches, so a
    surplus match is punished twice. The original adds 1e-6 to its denominators; here a
    perfect result is exactly 1.
    """
    wanted = Counter(map(pair_of, truth))
    given = Counter(map(pair_of, matches))
    tp = sum(min(count, given[pair]) for pair, count in wanted.items())
    fp, fn = len(matches) - tp, len(truth) - tp
    precision, recall = ratio(tp, tp + fp), ratio(tp, tp + fn)
    rows_of = by_pair(matches)
    best = (
        max((product_iou(row, match) for match in rows_of.get(pair_of(row), [])), default=0.0)
        for row in truth
    )
    iou = ratio(sum(best), len(truth) + fp)
    f1 = _harmonic(precision, recall)
    return {
        "final": _harmonic(iou, f1),
        "f1": f1,
        "iou": iou,
        "precision": precision,
        "recall": recall,
        "tp": tp,
        "fp": fp,
        "fn": fn,
    }


def product_iou(one: Segment, other: Segment) -> float:
    """IoU of the UGC spans times IoU of the licensed spans."""
    return iou_of(ugc_span(one), ugc_span(other)) * iou_of(licensed_span(one), licensed_span(other))


# --- VCSL -------------------------------------------------------------------------------------


def vcsl(truth: Sequence[TruthSegment], matches: Sequence[Match]) -> Score:
    """Segment precision and recall of VCSL, averaged over pairs.

    On each axis a match is covered by the union of its overlaps with the pair's truth (both
    axes must overlap); P is the covered share of all matches on the UGC axis times that on
    the licensed axis, R the same with the roles exchanged. Precision averages over the pairs
    that have a match, recall over those that have truth.
    """
    truth_of, matches_of = by_pair(truth), by_pair(matches)
    precision = _mean(_coverage(m, truth_of.get(pair, [])) for pair, m in matches_of.items())
    recall = _mean(_coverage(t, matches_of.get(pair, [])) for pair, t in truth_of.items())
    return {
        "vcsl_precision": precision,
        "vcsl_recall": recall,
        "vcsl_f1": _harmonic(precision, recall),
    }


def _coverage(segments: Sequence[Segment], others: Sequence[Segment]) -> float:
    share = 1.0
    for axis in AXES:
        covered = sum(
            union_length([overlap(axis(s), axis(o)) for o in others if meet(s, o)])
            for s in segments
        )
        share *= ratio(covered, sum(length(axis(s)) for s in segments))
    return share


# --- VSC22 ------------------------------------------------------------------------------------


def micro_ap(truth: Sequence[TruthSegment], matches: Sequence[Match]) -> float:
    """Segment average precision of the VSC22 matching track, over all pairs at once.

    Matches enter by falling score, equal scores together. Precision and recall are geometric
    means over the axes of union lengths; truth that no match of the pair overlaps on both
    axes does not count as hit.
    """
    total = wanted_lengths(truth)
    hit, claimed = [0.0, 0.0], [0.0, 0.0]
    recall = area = 0.0
    for _, group in groupby(claims(truth, matches), key=lambda claim: claim[0].score):
        for _, growth in group:
            for axis, (more_hit, more_claimed) in enumerate(growth):
                hit[axis] += more_hit
                claimed[axis] += more_claimed
        precision = math.sqrt(math.prod(map(ratio, hit, claimed)))
        new_recall = math.sqrt(math.prod(map(ratio, hit, total)))
        area += precision * (new_recall - recall)
        recall = new_recall
    return area


def wanted_lengths(truth: Sequence[TruthSegment]) -> list[float]:
    """Per axis, the seconds of all truth, with what rows of a pair share counted once."""
    pairs = by_pair(truth).values()
    return [sum(union_length(map(axis, rows)) for rows in pairs) for axis in AXES]


def claims(
    truth: Sequence[TruthSegment], matches: Sequence[Match]
) -> list[tuple[Match, list[tuple[float, float]]]]:
    """Matches by falling score, each with how much it lengthens what its pair has
    (hit, claimed) so far, in seconds per axis."""
    states: dict[Pair, _PairState] = defaultdict(_PairState)
    for pair, rows in by_pair(truth).items():
        states[pair].truth.extend(rows)
    ordered = sorted(matches, key=lambda m: -m.score)
    return [(match, states[pair_of(match)].add(match)) for match in ordered]


@dataclass(slots=True)
class _PairState:
    """Lengths per axis that the matches of one pair have hit and claimed so far."""

    truth: list[TruthSegment] = field(default_factory=list)
    matches: list[Match] = field(default_factory=list)
    lengths: list[tuple[float, float]] = field(default_factory=lambda: [(0.0, 0.0)] * 2)

    def add(self, match: Match) -> list[tuple[float, float]]:
        """Take a match in; per axis, how much the (hit, claimed) lengths grow."""
        self.matches.append(match)
        met = [row for row in self.truth if any(meet(row, m) for m in self.matches)]
        before, self.lengths = self.lengths, []
        for axis in AXES:
            claimed = union_length(map(axis, self.matches))
            wanted = union_length(map(axis, met))
            both = union_length([*map(axis, self.matches), *map(axis, met)])
            # Rounding may leave less than nothing where the spans do not overlap.
            self.lengths.append((max(0.0, claimed + wanted - both), claimed))
        return [
            (new[0] - old[0], new[1] - old[1])
            for new, old in zip(self.lengths, before, strict=True)
        ]


# --- errors in seconds ------------------------------------------------------------------------


def localisation(truth: Sequence[TruthSegment], matches: Sequence[Match]) -> Score:
    """Errors over truth rows and their matches, paired one to one by falling product IoU.

    A boundary error is |match - truth| in seconds at one of the four ends; a speed error is
    |match speed - licensed length / UGC length of the truth|.
    """
    pairs = assign(truth, matches)
    errors = localised_errors(truth, matches)
    speeds = [abs(match.speed - row.speed) for row, match in pairs]
    return {
        "boundary_median_s": statistics.median(errors) if errors else None,
        "boundary_mean_s": statistics.fmean(errors) if errors else None,
        "boundary_p90_s": _p90(errors) if errors else None,
        "speed_error_median": statistics.median(speeds) if speeds else None,
        "speed_error_mean": statistics.fmean(speeds) if speeds else None,
        "matched": len(pairs),
    }


def localised_errors(truth: Sequence[TruthSegment], matches: Sequence[Match]) -> list[float]:
    """Seconds of error at all four ends of every truth row that `assign` finds a match for."""
    return [
        abs(a - b)
        for row, match in assign(truth, matches)
        for a, b in zip(ends(row), ends(match), strict=True)
    ]


def _p90(errors: Sequence[float]) -> float:
    """The smallest error that nine tenths do not exceed."""
    return sorted(errors)[math.ceil(0.9 * len(errors)) - 1]


def assign(
    truth: Sequence[TruthSegment], matches: Sequence[Match]
) -> list[tuple[TruthSegment, Match]]:
    """Truth rows and matches that overlap on both axes, each used once, best IoU first."""
    places_of: dict[Pair, list[int]] = defaultdict(list)
    for place, match in enumerate(matches):
        places_of[pair_of(match)].append(place)
    options = [
        (-product_iou(row, matches[m]), t, m)
        for t, row in enumerate(truth)
        for m in places_of.get(pair_of(row), [])
        if meet(row, matches[m])
    ]
    used_truth: set[int] = set()
    used_match: set[int] = set()
    found = []
    for _, t, m in sorted(options):
        if t not in used_truth and m not in used_match:
            used_truth.add(t)
            used_match.add(m)
            found.append((truth[t], matches[m]))
    return found


def match_ratio(truth: Sequence[TruthSegment], matches: Sequence[Match]) -> float | None:
    """Matches that overlap truth per truth row that is found at all: above 1 is fragmentation.

    None if nothing is found.
    """
    rows_of = by_pair(matches)
    found = sum(any(meet(row, match) for match in rows_of.get(pair_of(row), [])) for row in truth)
    return (len(matches) - len(spurious(truth, matches))) / found if found else None


def spurious(truth: Sequence[TruthSegment], matches: Sequence[Match]) -> list[Match]:
    """Matches that overlap no truth row of their pair on both axes."""
    rows_of = by_pair(truth)
    return [m for m in matches if not any(meet(m, row) for row in rows_of.get(pair_of(m), []))]


# --- small arithmetic -------------------------------------------------------------------------


def _harmonic(one: float, other: float) -> float:
    return ratio(2 * one * other, one + other)


def _mean(values: Iterable[float]) -> float:
    given = list(values)
    return statistics.fmean(given) if given else 0.0
