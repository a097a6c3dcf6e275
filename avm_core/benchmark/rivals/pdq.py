"""PDQ frame hashes (Meta's vPDQ: one a second, Hamming distance at most 31, quality at least
50) with voting for the offset, which vPDQ's own bag of frames lacks.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from avm_core.benchmark.rivals.base import Printed, Printer
from avm_core.benchmark.rivals.votes import best_offset, outside, runs
from avm_core.benchmark.sets.manifest import Task
from avm_core.media.filters import read_pictures
from avm_core.types import Float64, Match, MediaInfo, Modality

# vPDQ's own distance is 31; 50 is best on dev by `avm bench tune --set dev --only pdq`.
MAX_DISTANCE, _MIN_QUALITY = 50, 50
_MAX_SIDE = 512  # pixels; PDQ itself goes down to 64
_MIN_FRAMES, _MIN_SECONDS, _MAX_GAP, _MAX_SEGMENTS = 5, 10.0, 8.0, 8
_BYTES = 37  # time as float32, quality, 32 bytes of hash


class PdqPrinter:
    """One hash a second, at 0.5, 1.5, … s; frames of low quality are left out."""

    key = "pdq-1"
    modality: Modality = "video"

    def missing(self) -> str | None:
        if importlib.util.find_spec("pdqhash"):
            return None
        return "`pip install -e '.[rivals]'` for pdqhash (it needs a C++ compiler)"

    def make(self, path: Path, info: MediaInfo) -> bytes:
        import pdqhash

        times = np.arange(0.5, max(info.duration, 0.6), 1.0)
        small = ("scale", f"'min({_MAX_SIDE},iw)':'min({_MAX_SIDE},ih)'")
        rows = []
        for time, picture in zip(times, read_pictures(path, times, filters=[small]), strict=True):
            bits, quality = pdqhash.compute(picture)
            if quality >= _MIN_QUALITY:
                head = np.float32(time).tobytes() + bytes([min(quality, 255)])
                rows.append(head + np.packbits(bits).tobytes())
        return b"".join(rows)


class PdqSystem:
    name = "pdq"
    task: Task = "video"

    def __init__(self, max_distance: int = MAX_DISTANCE) -> None:
        self._printer = PdqPrinter()
        self._max_distance = max_distance

    @property
    def printers(self) -> tuple[Printer, ...]:
        return (self._printer,)

    def index(self, licensed: Sequence[Printed]) -> PdqSearcher:
        return PdqSearcher(licensed, self._printer.key, self._max_distance)


class PdqSearcher:
    """All hashes in one matrix of bits; exact."""

    def __init__(self, licensed: Sequence[Printed], key: str, max_distance: int) -> None:
        self._key = key
        self._max_distance = max_distance
        self._ids = [item.media_id for item in licensed]
        parts = [parse_prints(item.prints.get(key, b"")) for item in licensed]
        self._times = np.concatenate([times for times, _ in parts] or [np.empty(0)])
        self._bits = np.concatenate([bits for _, bits in parts] or [np.empty((0, 256), np.int8)])
        self._titles = np.repeat(np.arange(len(parts)), [len(times) for times, _ in parts])

    @property
    def ram_bytes(self) -> int:
        return (32 + 8) * len(self._times)

    def match(self, ugc: Printed) -> list[Match]:
        times, bits = parse_prints(ugc.prints.get(self._key, b""))
        # With bits as ±1 the product is 256 - 2 x distance.
        products = bits.astype(np.float32) @ self._bits.astype(np.float32).T
        i, j = np.nonzero(products >= 256 - 2 * self._max_distance)
        found: list[Match] = []
        for title in np.unique(self._titles[j]).tolist():
            mine = self._titles[j] == title
            found += self._of_title(ugc, title, times[i[mine]], self._times[j[mine]])
        return found

    def _of_title(self, ugc: Printed, title: int, query: Float64, ref: Float64) -> list[Match]:
        found: list[Match] = []
        for _ in range(_MAX_SEGMENTS):
            if len(query) < _MIN_FRAMES:
                break
            offset, votes = best_offset(ref - query, 1.0)
            if votes < _MIN_FRAMES:
                break
            agree = np.abs(ref - query - offset) <= 1.0
            times = np.unique(query[agree])
            here = [
                self._match(ugc, title, times[a:b], offset)
                for a, b in runs(times, _MAX_GAP)
                if b - a >= _MIN_FRAMES and times[b - 1] - times[a] + 1 >= _MIN_SECONDS
            ]
            found += here
            # A scene that holds still agrees with many offsets: what is found stays found.
            rest = ~agree & outside(query, here)
            query, ref = query[rest], ref[rest]
        return found

    def _match(self, ugc: Printed, title: int, times: Float64, offset: float) -> Match:
        # A frame stands for the second around it.
        start, end = float(times[0]) - 0.5, min(float(times[-1]) + 0.5, ugc.duration)
        return Match(
            ugc_id=ugc.media_id,
            licensed_id=self._ids[title],
            ugc_start=start,
            ugc_end=end,
            licensed_start=max(0.0, start + offset),
            licensed_end=end + offset,
            speed=1.0,
            score=min(1.0, len(times) / (end - start)),
            modality="video",
        )


def parse_prints(data: bytes) -> tuple[Float64, np.ndarray]:
    """Seconds [n] and bits as ±1 int8 [n, 256]."""
    rows = np.frombuffer(data, np.uint8).reshape(-1, _BYTES)
    times = rows[:, :4].copy().view("<f4")[:, 0].astype(np.float64)
    return times, (np.unpackbits(rows[:, 5:], axis=1).astype(np.int8) * 2 - 1)
