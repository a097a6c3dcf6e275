"""The matcher that AVM grew from, from its published description, over our fingerprints.

One query window every 3 s, its single nearest reference window, a threshold, runs of one title
merged over gaps below 10 s, impostors dropped where a title comes straight back, and everything
under 20 s dropped. Its windows of 5 s are the means of our descriptors inside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from avm_core.benchmark.rivals.avm import AvmPrinter, decode_prints
from avm_core.benchmark.rivals.base import Printed, Printer
from avm_core.config import Settings
from avm_core.types import Fingerprint, Float32, Float64, Match, Modality

WINDOW = 5.0
QUERY_STEP, REF_STEP = 3.0, 1.0
MAX_GAP, MIN_DURATION = 10.0, 20.0
# Its own 0.90 belongs to its own vectors. Best on dev by `avm bench tune --set dev --only NAME`.
THRESHOLD = {
    "audio_logmel.dct": 0.6,
    "audio_conv.v2": 0.7,
    "video_lite0.imagenet": 0.7,
    "video_gem.v1": 0.5,
}
_UNTUNED = 0.6


class OriginSystem:
    """Its audio half or its video half; in the original the video only trimmed."""

    def __init__(
        self,
        modality: Modality,
        settings: Settings,
        threshold: float | None = None,
        label: str | None = None,
    ) -> None:
        self.task: Modality = modality
        self._label = label or modality
        self._printer = AvmPrinter(modality, settings)
        known = THRESHOLD.get(self._printer.fingerprinter, _UNTUNED)
        self._threshold = known if threshold is None else threshold

    @property
    def name(self) -> str:
        return f"origin ({self._label})"

    @property
    def printers(self) -> tuple[Printer, ...]:
        return (self._printer,)

    def index(self, licensed: Sequence[Printed]) -> OriginSearcher:
        return OriginSearcher(licensed, self.task, self._printer.key, self._threshold)


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive windows of one title: first and last window starts on both sides."""

    title: int
    ugc_start: float
    ugc_end: float
    ref_start: float
    ref_end: float
    score: float
    windows: int = 1


class OriginSearcher:
    """All reference windows in one matrix; exact top-1."""

    def __init__(
        self, licensed: Sequence[Printed], modality: Modality, key: str, threshold: float
    ) -> None:
        self._modality: Modality = modality
        self._keys = {modality: key}
        self._threshold = threshold
        self._ids = [item.media_id for item in licensed]
        vectors, starts, titles = [np.empty((0, 1), np.float32)], [np.empty(0)], [np.empty(0, int)]
        for number, item in enumerate(licensed):
            prints = decode_prints(item, self._keys)
            if modality in prints:
                times, pooled = pool(prints[modality], REF_STEP)
                vectors.append(pooled)
                starts.append(times)
                titles.append(np.full(len(times), number))
        self._vectors = np.concatenate(vectors[1:]) if len(vectors) > 1 else vectors[0]
        self._starts, self._titles = np.concatenate(starts), np.concatenate(titles).astype(int)

    @property
    def ram_bytes(self) -> int:
        return int(self._vectors.nbytes + self._starts.nbytes + self._titles.nbytes)

    def match(self, ugc: Printed) -> list[Match]:
        prints = decode_prints(ugc, self._keys)
        if self._modality not in prints or not len(self._vectors):
            return []
        times, queries = pool(prints[self._modality], QUERY_STEP)
        if not len(times):
            return []
        cosines = queries @ self._vectors.T
        best = cosines.argmax(axis=1)
        scores = cosines[np.arange(len(best)), best]
        runs = [
            Run(
                int(self._titles[ref]),
                time,
                time,
                float(self._starts[ref]),
                float(self._starts[ref]),
                float(score),
            )
            for time, ref, score in zip(times.tolist(), best, scores, strict=True)
            if score >= self._threshold
        ]
        return [self._match(ugc, run) for run in to_segments(runs)]

    def _match(self, ugc: Printed, run: Run) -> Match:
        score = float(np.clip(run.score, 0.0, 1.0))
        return Match(
            ugc_id=ugc.media_id,
            licensed_id=self._ids[run.title],
            ugc_start=run.ugc_start,
            ugc_end=run.ugc_end + WINDOW,
            licensed_start=run.ref_start,
            licensed_end=run.ref_end + WINDOW,
            speed=1.0,
            score=score,
            modality=self._modality,
        )


def pool(fingerprint: Fingerprint, step: float) -> tuple[Float64, Float32]:
    """(starts [M], unit vectors [M, D]): means of the valid descriptors inside each window."""
    fingerprint = fingerprint.whole()
    last = fingerprint.duration - WINDOW
    times = np.arange(0.0, max(last, 0.0) + 1e-9, step)
    vectors, starts = fingerprint.unit_vectors(), fingerprint.starts
    inside_end = WINDOW - fingerprint.window
    kept, pooled = [], []
    for time in times.tolist():
        inside = (starts >= time - 1e-9) & (starts <= time + inside_end) & fingerprint.valid
        if inside.any():
            mean = vectors[inside].mean(axis=0)
            kept.append(time)
            pooled.append(mean / max(float(np.linalg.norm(mean)), 1e-12))
    dims = vectors.shape[1]
    matrix = np.array(pooled, dtype=np.float32).reshape(len(kept), dims)
    return np.array(kept), matrix


def to_segments(hits: Sequence[Run]) -> list[Run]:
    """Merge, drop impostors, merge, drop the short, merge: in the original's order."""
    runs = merge(drop_impostors(merge(list(hits))))
    long = [run for run in runs if run.ugc_end + WINDOW - run.ugc_start >= MIN_DURATION]
    return merge(long)


def merge(runs: Sequence[Run]) -> list[Run]:
    """Neighbours of one title become one run where the next window starts less than `MAX_GAP`
    after the last one ends, on both sides; a step back in the title counts as no gap."""
    merged: list[Run] = []
    for run in runs:
        last = merged[-1] if merged else None
        if (
            last is not None
            and last.title == run.title
            and run.ugc_start - (last.ugc_end + WINDOW) < MAX_GAP
            and run.ref_start - (last.ref_end + WINDOW) < MAX_GAP
        ):
            windows = last.windows + run.windows
            merged[-1] = replace(
                last,
                ugc_end=run.ugc_end,
                ref_end=max(last.ref_end, run.ref_end),
                score=(last.score * last.windows + run.score * run.windows) / windows,
                windows=windows,
            )
        else:
            merged.append(run)
    return merged


def drop_impostors(runs: Sequence[Run]) -> list[Run]:
    """What lies between a title's first run and one that ends less than a window later is
    taken for a wrong neighbour. At a step of 3 s nothing can: the original stepped by 0.2 s when
    it made this rule."""
    kept: list[Run] = []
    first_end: dict[int, float] = {}
    for run in runs:
        if run.title not in first_end:
            first_end[run.title] = run.ugc_end
        elif run.ugc_end - first_end[run.title] < WINDOW:
            while kept and kept[-1].title != run.title:
                kept.pop()
        kept.append(run)
    return kept
