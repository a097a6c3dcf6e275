"""Metrics per edit and overall, each with a bootstrap interval over the uploads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from avm_core.errors import BadSettings
from avm_core.evaluate.metrics import (
    claims,
    localised_errors,
    origin,
    score,
    vcsl,
    wanted_lengths,
)
from avm_core.evaluate.spans import by_pair, meet
from avm_core.evaluate.truth import TruthSegment
from avm_core.types import Float64, Match

_LEVEL = (2.5, 97.5)  # percentiles of a 95 % interval

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Upload:
    """What the metrics must know about an upload: how it was made, how long it is, and
    whether it is clean (nothing licensed in it)."""

    ugc_id: str
    edit: str
    strength: str
    hours: float
    clean: bool


@dataclass(frozen=True, slots=True)
class _Judged:
    upload: Upload
    truth: list[TruthSegment]
    matches: list[Match]


def score_by_edit(
    truth: Sequence[TruthSegment],
    matches: Sequence[Match],
    uploads: Sequence[Upload],
    *,
    resamples: int = 400,
    seed: int = 0,
) -> dict[str, Any]:
    """{"overall": scores, "edits": {edit: scores}, "strengths": {edit: {strength: scores}}}.

    `scores` are those of `metrics.score`, with `found` (share of truth rows that a match of
    their pair meets on both axes) and, but for strengths, `intervals` {metric: [low, high]}:
    95 % percentile bootstrap that draws whole uploads, as what is found in one upload is not
    independent. Raises `BadSettings` for truth or matches of uploads that are not listed.
    """
    judged = _judged(truth, matches, uploads)
    result: dict[str, Any] = {"overall": _scores(judged) | _intervals(judged, resamples, seed)}
    edits = _grouped(judged, lambda item: item.upload.edit)
    result["edits"] = {
        edit: _scores(group) | _intervals(group, resamples, seed) for edit, group in edits.items()
    }
    result["strengths"] = {
        edit: {
            strength: _scores(part)
            for strength, part in _grouped(group, lambda item: item.upload.strength).items()
            if strength
        }
        for edit, group in edits.items()
    }
    return result


def _judged(
    truth: Sequence[TruthSegment], matches: Sequence[Match], uploads: Sequence[Upload]
) -> list[_Judged]:
    judged = {upload.ugc_id: _Judged(upload, [], []) for upload in uploads}
    named = {*(row.ugc_id for row in truth), *(match.ugc_id for match in matches)}
    unknown = sorted(named - judged.keys())
    if unknown:
        raise BadSettings(
            f"upload {unknown[0]!r} is not in the list of uploads: give the set that these "
            f"matches were made on ({len(unknown)} unknown)"
        )
    for row in truth:
        judged[row.ugc_id].truth.append(row)
    for match in matches:
        judged[match.ugc_id].matches.append(match)
    return list(judged.values())


def _grouped(items: Sequence[_Judged], key: Callable[[_Judged], K]) -> dict[K, list[_Judged]]:
    groups: dict[K, list[_Judged]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return dict(groups)


def _scores(group: Sequence[_Judged]) -> dict[str, Any]:
    truth = [row for item in group for row in item.truth]
    matches = [match for item in group for match in item.matches]
    # A match on a clean upload is `clean`, one on a copy that cannot be perceived is only false.
    clean = sum(len(item.matches) for item in group if item.upload.clean)
    hours = _clean_hours(group)
    scores = score(truth, matches)
    return scores | {
        "found": _found(truth, matches),
        "clean_false_positives": clean,
        "fp_per_clean_hour": clean / hours if hours else None,
        "uploads": len(group),
    }


def _clean_hours(group: Sequence[_Judged]) -> float:
    return sum(item.upload.hours for item in group if item.upload.clean)


def _found(truth: Sequence[TruthSegment], matches: Sequence[Match]) -> float | None:
    of_pair = by_pair(matches)
    met = [
        any(meet(row, match) for match in of_pair.get((row.ugc_id, row.licensed_id), []))
        for row in truth
    ]
    return sum(met) / len(met) if met else None


# --- bootstrap --------------------------------------------------------------------------------


def gains(
    truth: Sequence[TruthSegment],
    base: Sequence[Match],
    matches: Sequence[Match],
    uploads: Sequence[Upload],
    *,
    resamples: int = 400,
    seed: int = 0,
) -> dict[str, list[float] | None]:
    """{metric: [low, high]}: 95 % of how much a metric of `matches` is above that of `base`.

    Both are taken on the same draws of uploads, so that what is hard for both cancels out: two
    whose own intervals overlap may differ surely. Raises `BadSettings` as `score_by_edit`.
    """
    draws = _draws(len(uploads), resamples, seed)
    first = _samples(_judged(truth, base, uploads), draws)
    second = _samples(_judged(truth, matches, uploads), draws)
    return {name: _interval(second[name] - first[name]) for name in first}


def _intervals(group: Sequence[_Judged], resamples: int, seed: int) -> dict[str, Any]:
    if not group:
        return {"intervals": {}}
    samples = _samples(group, _draws(len(group), resamples, seed))
    return {"intervals": {name: _interval(values) for name, values in samples.items()}}


def _draws(count: int, resamples: int, seed: int) -> np.ndarray:
    """How often each of `count` uploads is drawn, [resamples, count]."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(count, np.full(count, 1 / count), size=resamples)


def _samples(group: Sequence[_Judged], draws: np.ndarray) -> dict[str, Float64]:
    """A draw says how often each upload counts: most metrics are made of sums over uploads,
    so that all draws are one matrix product, and the others weigh what is sorted once."""
    terms = np.array([_terms(item) for item in group])
    samples = _metrics(draws @ terms) | _error_metrics(group, draws)
    samples["micro_ap"] = _micro_aps(group, draws)
    return samples


def _interval(values: Float64) -> list[float] | None:
    known = values[np.isfinite(values)]
    return np.percentile(known, _LEVEL).tolist() if len(known) else None


def _terms(item: _Judged) -> tuple[float, ...]:
    """tp, fp, fn, best-IoU sum, truth rows, VCSL precision and recall sums and pairs, found
    rows, matches on clean, clean hours."""
    counts = origin(item.truth, item.matches)
    covered = vcsl(item.truth, item.matches)
    tp, fp, fn = (float(counts[name] or 0) for name in ("tp", "fp", "fn"))
    pairs, given = len(by_pair(item.truth)), len(by_pair(item.matches))
    clean = item.upload.clean
    return (
        tp,
        fp,
        fn,
        float(counts["iou"] or 0) * (len(item.truth) + fp),
        len(item.truth),
        float(covered["vcsl_precision"] or 0) * given,
        given,
        float(covered["vcsl_recall"] or 0) * pairs,
        pairs,
        (_found(item.truth, item.matches) or 0.0) * len(item.truth),
        len(item.matches) if clean else 0,
        item.upload.hours if clean else 0.0,
    )


def _metrics(sums: Float64) -> dict[str, Float64]:
    tp, fp, fn, overlap, rows, right, given, covered, pairs, found, false, hours = sums.T
    f1 = _ratio(2 * tp, 2 * tp + fp + fn)
    iou = _ratio(overlap, rows + fp)
    precision, recall = _ratio(right, given), _ratio(covered, pairs)
    return {
        "final": _ratio(2 * f1 * iou, f1 + iou),
        "f1": f1,
        "iou": iou,
        "vcsl_f1": _ratio(2 * precision * recall, precision + recall),
        "found": np.where(rows > 0, found / np.maximum(rows, 1), np.nan),
        "fp_per_clean_hour": np.where(hours > 0, false / np.maximum(hours, 1e-12), np.nan),
    }


def _ratio(one: Float64, other: Float64) -> Float64:
    """As everywhere in the metrics, nothing over nothing is 0."""
    return np.where(other > 0, one / np.where(other > 0, other, 1), 0.0)


def _error_metrics(group: Sequence[_Judged], draws: np.ndarray) -> dict[str, Float64]:
    """Median boundary error of each draw: an upload drawn twice counts twice."""
    errors, owners = [], []
    for number, item in enumerate(group):
        own = localised_errors(item.truth, item.matches)
        errors += own
        owners += [number] * len(own)
    if not errors:
        return {"boundary_median_s": np.full(len(draws), np.nan)}
    order = np.argsort(errors, kind="stable")
    sorted_errors = np.asarray(errors)[order]
    weights = draws[:, np.asarray(owners)[order]].cumsum(axis=1)
    return {"boundary_median_s": np.array([_median(sorted_errors, row) for row in weights])}


def _median(values: Float64, counts: np.ndarray) -> float:
    """Median of ascending `values` of which `counts` are the running numbers of copies."""
    total = int(counts[-1])
    if not total:
        return float("nan")
    low, high = np.searchsorted(counts, [(total + 1) // 2, total // 2 + 1])
    return float(values[low] + values[high]) / 2


def _micro_aps(group: Sequence[_Judged], draws: np.ndarray) -> Float64:
    """`micro_ap` of each draw. What a match adds depends on its own pair only, and so on its
    own upload: a draw changes the weights of what is added, never the order."""
    wanted = draws @ np.array([wanted_lengths(item.truth) for item in group])
    added = [
        (match.score, number, [*hit_claimed[0], *hit_claimed[1]])
        for number, item in enumerate(group)
        for match, hit_claimed in claims(item.truth, item.matches)
    ]
    if not added:
        return np.zeros(len(draws))
    added.sort(key=lambda row: -row[0])
    scores, owners = np.array([row[0] for row in added]), [row[1] for row in added]
    growth = np.array([row[2] for row in added])
    last = np.flatnonzero(np.append(np.diff(scores) != 0, True))  # equal scores enter together
    # One draw at a time: a system with many matches must not need draws x matches x 4 numbers.
    return np.array(
        [
            _area((growth * draw[owners, None]).cumsum(axis=0)[last], total)
            for draw, total in zip(draws, wanted, strict=True)
        ]
    )


def _area(sums: Float64, wanted: Float64) -> float:
    """Below precision over recall; `sums` [steps, hit and claimed per axis] seconds so far."""
    hit, claimed = sums[:, 0::2], sums[:, 1::2]
    precision = np.sqrt(_ratio(hit, claimed).prod(axis=1))
    recall = np.sqrt(_ratio(hit, np.broadcast_to(wanted, hit.shape)).prod(axis=1))
    return float((precision * np.diff(recall, prepend=0.0)).sum())
