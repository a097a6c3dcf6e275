"""Chromaprint (AcoustID's fingerprint) with segment alignment on its raw 32-bit items.

The fingerprints come from the real library: `fpcalc` where it is installed, else the FFmpeg
that the package imageio-ffmpeg carries. Chromaprint itself has no segment search; offsets are
voted for by items that agree in their highest bits, as AcoustID's index does it, and a segment
is where the smoothed share of differing bits stays low along the best offset.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from avm_core.benchmark.rivals.base import Printed, Printer
from avm_core.benchmark.rivals.votes import best_offset, equal_pairs, outside, runs
from avm_core.benchmark.sets.manifest import Task
from avm_core.errors import BadMedia
from avm_core.types import Float64, Int64, Match, MediaInfo, Modality

ITEM = 4096 / 3 / 11_025  # seconds from item to item: a third of an FFT frame at 11,025 Hz
_KEY_BITS = 12  # of 32; AcoustID compares whole items, which noise breaks
_SILENCE = 627_964_279  # the item of digital silence
_MIN_VOTES, _MAX_OFFSETS = 6, 8
_SMOOTH = 17  # items, about 2 s
# Bits of 32 that a copy's items differ in; unrelated ones differ in 16. Best on dev by
# `avm bench tune --set dev --only chromaprint`, as all thresholds of rivals.
MAX_DIFFERENCE = 5.5
_MAX_GAP, _MIN_SECONDS, _MIN_RUN = 8.0, 10.0, 1.5
# The exit status of fpcalc that made a fingerprint and had something to say: 1.5.1 over FFmpeg 5
# (Debian 12) calls the end of a file an error (acoustid/chromaprint issue 137).
_FPCALC_WARNED = 3
# An item looks at this much sound after its start.
_REACH = 2.0


class ChromaprintPrinter:
    """Raw items of algorithm 2 (CHROMAPRINT_ALGORITHM_TEST2, the default), uint32.

    The two tools decode and resample on their own, so that a few bits differ: `key` says which
    one is used, chosen once, so that prints kept on disk are of one tool.
    """

    modality: Modality = "audio"

    def __init__(self) -> None:
        self._fpcalc = shutil.which("fpcalc")

    @property
    def key(self) -> str:
        return "chromaprint-fpcalc-1" if self._fpcalc else "chromaprint-ffmpeg-1"

    def missing(self) -> str | None:
        if self._fpcalc or importlib.util.find_spec("imageio_ffmpeg"):
            return None
        return "install fpcalc, or `pip install -e '.[rivals]'` for imageio-ffmpeg"

    def make(self, path: Path, info: MediaInfo) -> bytes:
        del info
        if self._fpcalc:
            command = [self._fpcalc, "-raw", "-length", "0", "-plain", str(path)]
            text = _run(command, path, done=(0, _FPCALC_WARNED)).decode()
            return np.array(text.strip().split(","), dtype=np.uint32).astype("<u4").tobytes()
        import imageio_ffmpeg

        binary = imageio_ffmpeg.get_ffmpeg_exe()
        raw = ["-f", "chromaprint", "-algorithm", "1", "-fp_format", "raw", "-"]
        return _run([binary, "-v", "error", "-i", str(path), "-map", "0:a:0", *raw], path)


class ChromaprintSystem:
    name = "chromaprint"
    task: Task = "audio"

    def __init__(self, max_difference: float = MAX_DIFFERENCE) -> None:
        self._printer = ChromaprintPrinter()
        self._max_difference = max_difference

    @property
    def printers(self) -> tuple[Printer, ...]:
        return (self._printer,)

    def index(self, licensed: Sequence[Printed]) -> ChromaprintSearcher:
        return ChromaprintSearcher(licensed, self._printer.key, self._max_difference)


class ChromaprintSearcher:
    """Items of all titles, with a sorted list of their highest bits for the votes."""

    def __init__(self, licensed: Sequence[Printed], key: str, max_difference: float) -> None:
        self._key = key
        self._max_difference = max_difference
        self._ids = [item.media_id for item in licensed]
        self._items = [np.frombuffer(item.prints.get(key, b""), "<u4") for item in licensed]
        heads = [_heads(items) for items in self._items]
        joined = np.concatenate(heads or [np.empty(0, np.int64)])
        self._order = np.argsort(joined, kind="stable")
        self._heads = joined[self._order]
        self._titles = np.repeat(np.arange(len(heads)), [len(head) for head in heads])
        self._places = np.concatenate([np.arange(len(head)) for head in heads] or [self._order])

    @property
    def ram_bytes(self) -> int:
        # The items and one posting (title, place) each.
        return 12 * len(self._heads)

    def match(self, ugc: Printed) -> list[Match]:
        items = np.frombuffer(ugc.prints.get(self._key, b""), "<u4")
        # Long held notes repeat one item and would outvote everything else.
        changed = np.flatnonzero(np.diff(items.astype(np.int64), prepend=-1))
        i, j = equal_pairs(_heads(items)[changed], self._heads)
        query, rows = changed[i], self._order[j]
        titles, places = self._titles[rows], self._places[rows]
        found: list[Match] = []
        for title in np.unique(titles).tolist():
            mine = titles == title
            found += self._of_title(ugc, items, title, query[mine], places[mine])
        return found

    def _of_title(
        self, ugc: Printed, items: np.ndarray, title: int, query: Int64, ref: Int64
    ) -> list[Match]:
        found: list[Match] = []
        for _ in range(_MAX_OFFSETS):
            if len(query) < _MIN_VOTES:
                break
            offset, votes = best_offset((ref - query).astype(np.float64), 1.0)
            if votes < _MIN_VOTES:
                break
            here = self._segments(ugc, items, title, int(offset))
            found += here
            other = np.abs(ref - query - offset) > 2
            other &= outside(query * ITEM, here, before=_REACH)
            query, ref = query[other], ref[other]
        return found

    def _segments(self, ugc: Printed, items: np.ndarray, title: int, offset: int) -> list[Match]:
        first, distance = bit_distance(items, self._items[title], offset)
        if not len(distance):
            return []
        # Silence is equal to silence in every other title.
        distance[items[first : first + len(distance)] == _SILENCE] = 16
        smooth = np.convolve(distance, np.ones(_SMOOTH) / _SMOOTH, mode="same")
        near = _sustained(np.flatnonzero(smooth < self._max_difference))
        times: Float64 = (first + near).astype(np.float64) * ITEM
        matches = []
        for a, b in runs(times, _MAX_GAP):
            start, end = float(times[a]), float(times[b - 1]) + _REACH
            if end - start >= _MIN_SECONDS:
                score = 1 - float(distance[near[a:b]].mean()) / 16
                matches.append(self._match(ugc, title, start, end, offset * ITEM, score))
        return matches

    def _match(
        self, ugc: Printed, title: int, start: float, end: float, offset: float, score: float
    ) -> Match:
        return Match(
            ugc_id=ugc.media_id,
            licensed_id=self._ids[title],
            ugc_start=start,
            ugc_end=min(end, ugc.duration),
            licensed_start=start + offset,
            licensed_end=min(end, ugc.duration) + offset,
            speed=1.0,
            score=min(max(score, 0.0), 1.0),
            modality="audio",
        )


def bit_distance(query: np.ndarray, ref: np.ndarray, offset: int) -> tuple[int, Float64]:
    """First query item that has a partner, and the differing bits [n] from there on."""
    first = max(0, -offset)
    last = min(len(query), len(ref) - offset)
    if last <= first:
        return first, np.empty(0)
    different = query[first:last] ^ ref[first + offset : last + offset]
    return first, np.bitwise_count(different).astype(np.float64)


def _sustained(near: Int64) -> Int64:
    """Items of runs that last: a second of likeness between strangers is chance."""
    spans = runs(near.astype(np.float64), 1.0)
    kept = [near[a:b] for a, b in spans if (b - a) * ITEM >= _MIN_RUN]
    return np.concatenate(kept) if kept else near[:0]


def _heads(items: np.ndarray) -> Int64:
    return (items >> np.uint32(32 - _KEY_BITS)).astype(np.int64)


def _run(command: list[str], path: Path, done: Sequence[int] = (0,)) -> bytes:
    """What `command` prints. Raises `BadMedia` if its exit status is none of `done`."""
    ended = subprocess.run(command, capture_output=True, check=False)
    if ended.returncode not in done:
        raise BadMedia(f"{path.name}: {ended.stderr.decode(errors='replace').strip()[-200:]}")
    return ended.stdout
