"""How well pictures are told apart one by one, before any matcher puts them in order.

A prediction is a (picture of an upload, title) pair with the similarity of the title's best
picture, as in the Image and Video Similarity Challenges (Douze et al. 2021, Pizzi et al. 2023).
It is right at a `place` if that picture lies within 2 s of the true one, and right by `title`
alone if the title is: where all of a title's pictures are alike, the place says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from avm_core.benchmark.edits.types import Planted
from avm_core.benchmark.frame_scores import CosineCounts, average_precision
from avm_core.benchmark.frame_sources import FrameSource, Pictures
from avm_core.benchmark.quality import Progress, kept_print
from avm_core.benchmark.sets.manifest import LicensedItem, SetManifest, UgcItem
from avm_core.benchmark.sets.titles import INTRO
from avm_core.errors import BadMedia
from avm_core.models.background import Background, normalised_queries
from avm_core.types import Bool, Float32, Float64

_NEAR, _PLACE = 1.0, 2.0  # seconds: of a counterpart, and of a place that is right
# Seconds around a cut in which a picture may belong to either side: one at five a second.
_CUT = 0.2
_BLOCK = 1_024  # pictures compared at once
_SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}


@dataclass(frozen=True, slots=True)
class _Titles:
    """The licensed side: the pictures of all titles behind each other, those of title t at
    `bounds[t]` to `bounds[t + 1]`; `kin` bool [T, T] says which titles share a work."""

    numbers: dict[str, int]
    pictures: Pictures
    bounds: list[int]
    kin: Bool


@dataclass(frozen=True, slots=True)
class _Truth:
    """About n pictures of an upload and T titles: seconds in the title [n, T] of the true place,
    NaN where the title is not shown; which pairs say nothing [n, T]."""

    at: Float64
    unknown: Bool


@dataclass(frozen=True, slots=True)
class _Predictions:
    """Of one upload, [n, T] each: the best similarity, `shift` [n, 1] to be added for its
    normalised form, and what counts or is right; `own` [m] are similarities at true places."""

    edit: str
    best: Float32
    shift: Float32
    counts: Bool
    title: Bool
    place: Bool
    own: Float32


def measure_frames(
    sources: Sequence[FrameSource],
    manifest: SetManifest,
    folder: Path,
    prints: Path,
    tell: Progress,
) -> dict[str, dict[str, Any]]:
    """For each source {"pictures", "own": {"count", "p10", "p50"}, "micro_ap": {"place",
    "title"}, "micro_ap_normalised": same or None, "unrelated": {"count", "p50", "p90", "p99",
    "p999"}, "passing": {"hit", "floor", "margin"} or None, "edits": {edit: {"own", "micro_ap",
    "micro_ap_normalised"}}}, or {"missing": reason}.

    `pictures` are the valid ones of all uploads with a planted picture, `own` their similarities
    with the title's picture at the true place, where there is one within 1 s, `unrelated` all
    similarities with pictures of titles that are not shown, `passing` the shares of these at or
    above each value of the matcher's calibration. Memory grows with pictures times titles.
    """
    found: dict[str, dict[str, Any]] = {}
    for source in sources:
        reason = source.printer.missing()
        if reason:
            found[source.name] = {"missing": reason}
        else:
            found[source.name] = _measure(source, manifest, folder, prints, tell)
    return found


def _measure(
    source: FrameSource, manifest: SetManifest, folder: Path, prints: Path, tell: Progress
) -> dict[str, Any]:
    shown = [item for item in manifest.uploads("video") if _planted(item)]
    licensed = manifest.titles("video")
    items: list[LicensedItem | UgcItem] = [*licensed, *shown]
    read = []
    for done, item in enumerate(items):
        tell(f"{source.name}: fingerprint", done, len(items))
        read.append(_read(source, kept_print(source.printer, folder / item.path, prints)))
    tell(f"{source.name}: fingerprint", len(items), len(items))
    titles = _titles(licensed, read[: len(licensed)])
    unrelated, standing = CosineCounts(), CosineCounts()
    judged = [
        _judge(item, pictures, titles, source.background, unrelated, standing)
        for item, pictures in zip(shown, read[len(licensed) :], strict=True)
        if pictures is not None
    ]
    return {
        "pictures": sum(len(one.best) for one in judged),
        **_scores(judged, normalised=source.background is not None),
        "unrelated": {"count": unrelated.total, **_quantiles(unrelated)},
        "passing": _passing(source, unrelated, standing),
        "edits": {
            edit: _scores(
                [one for one in judged if one.edit == edit],
                normalised=source.background is not None,
            )
            for edit in sorted({one.edit for one in judged})
        },
    }


def _planted(item: UgcItem) -> list[Planted]:
    return [stretch for stretch in item.planted if stretch.modality in ("video", "both")]


def _read(source: FrameSource, data: bytes) -> Pictures | None:
    """None where there is no valid picture."""
    pictures = source.read(data) if data else None
    return pictures if pictures is not None and len(pictures.times) else None


def _titles(items: Sequence[LicensedItem], read: Sequence[Pictures | None]) -> _Titles:
    """Those with a picture. Raises `BadMedia` where no title has one."""
    kept = [(item, found) for item, found in zip(items, read, strict=True) if found is not None]
    if not kept:
        raise BadMedia("none of the set's titles has a valid picture: build another set")
    parts = [found for _, found in kept]
    works = [set(item.works) for item, _ in kept]
    return _Titles(
        {item.media_id: number for number, (item, _) in enumerate(kept)},
        Pictures(
            np.concatenate([part.times for part in parts]),
            np.concatenate([part.vectors for part in parts]),
        ),
        [0, *np.cumsum([len(part.times) for part in parts]).tolist()],
        np.array([[not one.isdisjoint(other) for other in works] for one in works]),
    )


# --- one upload -------------------------------------------------------------------------------


def _judge(
    item: UgcItem,
    pictures: Pictures,
    titles: _Titles,
    background: Background | None,
    unrelated: CosineCounts,
    standing: CosineCounts,
) -> _Predictions:
    """The predictions for an upload. Its similarities with strangers are added to `unrelated`,
    and what they have above the picture's median with that title to `standing`."""
    truth = _truth(_planted(item), pictures.times, titles)
    shape = truth.at.shape
    best, at = np.zeros(shape, np.float32), np.zeros(shape)
    own = np.full(shape, np.nan, np.float32)
    for first in range(0, shape[0], _BLOCK):
        rows = slice(first, first + _BLOCK)
        similarity = pictures.vectors[rows] @ titles.pictures.vectors.T
        for title, (start, end) in enumerate(pairwise(titles.bounds)):
            mine, times = similarity[:, start:end], titles.pictures.times[start:end]
            best[rows, title], at[rows, title] = mine.max(axis=1), times[mine.argmax(axis=1)]
            own[rows, title] = _own(mine, times, truth.at[rows, title])
            strange = mine[np.isnan(truth.at[rows, title]) & ~truth.unknown[rows, title]]
            unrelated.add(strange)
            if len(strange):
                standing.add(strange - np.median(strange, axis=1, keepdims=True))
    shown, there = ~np.isnan(truth.at), ~np.isnan(own)
    counts = ~truth.unknown & (there | ~shown)
    right = counts & there
    nearest = None if background is None else background.nearest(pictures.vectors)
    return _Predictions(
        edit=item.edit,
        best=best,
        shift=_shift(pictures.vectors, nearest),
        counts=counts,
        title=right,
        place=right & (np.abs(at - np.where(shown, truth.at, np.inf)) <= _PLACE),
        own=own[right],
    )


def _truth(planted: Sequence[Planted], times: Float64, titles: _Titles) -> _Truth:
    """A picture near a cut may be of either side, and a shared intro is of all who share it."""
    at = np.full((len(times), len(titles.numbers)), np.nan)
    near, shared = np.zeros(at.shape, np.bool_), np.zeros(at.shape, np.bool_)
    for stretch in planted:
        title = titles.numbers.get(stretch.licensed_id)
        if title is None:
            continue  # without a valid picture it has no column
        line = stretch.licensed_start + stretch.speed * (times - stretch.ugc_start)
        inside = (times >= stretch.ugc_start) & (times < stretch.ugc_end)
        at[inside, title] = line[inside]
        for cut in (stretch.ugc_start, stretch.ugc_end):
            near[np.abs(times - cut) < _CUT, title] = True
        shared[np.ix_(inside & (line < INTRO), titles.kin[title])] = True
    # Of a title that is itself shown it is known where.
    return _Truth(at, near | (shared & np.isnan(at)))


def _own(similarity: Float32, times: Float64, at: Float64) -> Float32:
    """Similarity [n] with the picture nearest to `at` [n]; NaN where none is near."""
    nearest = np.abs(times[None, :] - np.nan_to_num(at)[:, None]).argmin(axis=1)
    near = np.abs(times[nearest] - at) <= _NEAR  # never for NaN
    return np.where(near, similarity[np.arange(len(at)), nearest], np.nan).astype(np.float32)


def _shift(vectors: Float32, nearest: Float32 | None) -> Float32:
    """What the score normalisation adds to each similarity of a picture, [n, 1]."""
    if nearest is None:
        return np.zeros((len(vectors), 1), np.float32)
    return normalised_queries(vectors, nearest)[:, -1:]


# --- results ----------------------------------------------------------------------------------


def _scores(judged: Sequence[_Predictions], *, normalised: bool) -> dict[str, Any]:
    own = np.concatenate([one.own for one in judged] or [np.empty(0, np.float32)])
    low, middle = np.quantile(own, [0.1, 0.5]).tolist() if len(own) else (None, None)
    return {
        "own": {"count": len(own), "p10": low, "p50": middle},
        "micro_ap": _micro_aps(judged, [one.best for one in judged]),
        "micro_ap_normalised": (
            _micro_aps(judged, [one.best + one.shift for one in judged]) if normalised else None
        ),
    }


def _micro_aps(judged: Sequence[_Predictions], scores: Sequence[Float32]) -> dict[str, Any]:
    if not judged:
        return {"place": None, "title": None}
    kept = np.concatenate([s[one.counts] for s, one in zip(scores, judged, strict=True)])
    title = np.concatenate([one.title[one.counts] for one in judged])
    place = np.concatenate([one.place[one.counts] for one in judged])
    wanted = int(title.sum())
    return {
        "place": average_precision(kept, place, wanted),
        "title": average_precision(kept, title, wanted),
    }


def _quantiles(counts: CosineCounts) -> dict[str, float | None]:
    if not counts.total:
        return dict.fromkeys(_SHARES)
    return dict(zip(_SHARES, counts.quantiles(list(_SHARES.values())).tolist(), strict=True))


def _passing(
    source: FrameSource, unrelated: CosineCounts, standing: CosineCounts
) -> dict[str, float] | None:
    if source.scale is None or not unrelated.total:
        return None
    return {
        "hit": unrelated.above(source.scale.hit),
        "floor": unrelated.above(source.scale.floor),
        "margin": standing.above(source.scale.margin),
    }
