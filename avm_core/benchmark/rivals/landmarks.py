"""A landmark-hash system after Wang ("An Industrial-Strength Audio Search Algorithm", ISMIR
2003) with the parameters of Ellis's audfprint as published: 11,025 Hz, peaks under a decaying
mask, pairs of peaks as 20-bit hashes, a histogram of time differences.

No maintained package of the kind installs, so this is our own, small and faithful.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from avm_core.benchmark.rivals.base import Printed, Printer
from avm_core.benchmark.rivals.votes import best_offset, equal_pairs, outside, runs
from avm_core.benchmark.sets.manifest import Task
from avm_core.media.decode import decode_audio
from avm_core.types import Bool, Float32, Int64, Match, MediaInfo, Modality

_RATE, _FFT, _HOP = 11_025, 512, 256
FRAME = _HOP / _RATE
_SPREAD = 30.0  # bins: standard deviation of a peak's mask over frequency
_DENSITY = 20.0  # landmarks per second that the mask's decay aims at
_DECAY = 1 - 0.01 * _DENSITY * (_HOP / 352.8) ** 0.5 / 35  # per frame
_PEAKS_PER_FRAME = 5
_FANOUT, _MIN_DT, _MAX_DT, _MAX_DF = 3, 2, 63, 31
# Aligned hashes of a match; best on dev by `avm bench tune --set dev --only landmarks`.
MIN_HASHES = 8
_MIN_SECONDS, _MAX_GAP = 10.0, 12.0
_MAX_SEGMENTS = 8


class LandmarkPrinter:
    """Hashes and their frames as two uint32 columns."""

    key = "landmarks-2"
    modality: Modality = "audio"

    def missing(self) -> str | None:
        return None

    def make(self, path: Path, info: MediaInfo) -> bytes:
        del info
        samples = np.concatenate(list(decode_audio(path, sample_rate=_RATE)))
        hashes, frames = hash_pairs(*find_peaks(_spectrum(samples)))
        return np.stack([hashes, frames]).astype("<u4").tobytes()


class LandmarkSystem:
    name = "landmarks"
    task: Task = "audio"

    def __init__(self, min_hashes: int = MIN_HASHES) -> None:
        self._printer = LandmarkPrinter()
        self._min_hashes = min_hashes

    @property
    def printers(self) -> tuple[Printer, ...]:
        return (self._printer,)

    def index(self, licensed: Sequence[Printed]) -> LandmarkSearcher:
        return LandmarkSearcher(licensed, self._printer.key, self._min_hashes)


class LandmarkSearcher:
    """All hashes of all titles, sorted."""

    def __init__(self, licensed: Sequence[Printed], key: str, min_hashes: int) -> None:
        self._key = key
        self._min_hashes = min_hashes
        self._ids = [item.media_id for item in licensed]
        columns = [_columns(item.prints.get(key, b"")) for item in licensed]
        hashes = np.concatenate([h for h, _ in columns] or [np.empty(0, np.int64)])
        frames = np.concatenate([f for _, f in columns] or [np.empty(0, np.int64)])
        titles = np.repeat(np.arange(len(columns)), [len(h) for h, _ in columns])
        order = np.argsort(hashes, kind="stable")
        self._hashes, self._frames, self._titles = hashes[order], frames[order], titles[order]

    @property
    def ram_bytes(self) -> int:
        # As a compact implementation would hold them: 20-bit hash, 14-bit time, title.
        return 8 * len(self._hashes)

    def match(self, ugc: Printed) -> list[Match]:
        hashes, frames = _columns(ugc.prints.get(self._key, b""))
        i, j = equal_pairs(hashes, self._hashes)
        found: list[Match] = []
        for title in np.unique(self._titles[j]).tolist():
            mine = self._titles[j] == title
            found += self._of_title(ugc, title, frames[i[mine]], self._frames[j[mine]])
        return found

    def _of_title(self, ugc: Printed, title: int, query: Int64, ref: Int64) -> list[Match]:
        found: list[Match] = []
        for _ in range(_MAX_SEGMENTS):
            if len(query) < self._min_hashes:
                break
            offset, count = best_offset((ref - query).astype(np.float64), 1.0)
            if count < self._min_hashes:
                break
            aligned = np.abs(ref - query - offset) <= 1
            times = np.sort(query[aligned]) * FRAME
            here = [
                self._match(ugc, title, times[a:b], offset * FRAME)
                for a, b in runs(times, _MAX_GAP)
                if b - a >= self._min_hashes and times[b - 1] - times[a] >= _MIN_SECONDS
            ]
            found += here
            rest = ~aligned & outside(query * FRAME, here)
            query, ref = query[rest], ref[rest]
        return found

    def _match(self, ugc: Printed, title: int, times: np.ndarray, offset: float) -> Match:
        start, end = float(times[0]), float(times[-1]) + FRAME
        return Match(
            ugc_id=ugc.media_id,
            licensed_id=self._ids[title],
            ugc_start=start,
            ugc_end=end,
            licensed_start=max(0.0, start + offset),
            licensed_end=end + offset,
            speed=1.0,
            score=float(len(times) / (len(times) + 20.0)),
            modality="audio",
        )


def _columns(data: bytes) -> tuple[Int64, Int64]:
    hashes, frames = np.frombuffer(data, "<u4").astype(np.int64).reshape(2, -1)
    return hashes, frames


def _spectrum(samples: Float32) -> Float32:
    """Log magnitudes [frames, bins] without their slow changes (a one-pole high-pass)."""
    if len(samples) < _FFT:
        return np.empty((0, _FFT // 2), np.float32)
    blocks = np.lib.stride_tricks.sliding_window_view(samples, _FFT)[::_HOP]
    power = np.abs(np.fft.rfft(blocks * np.hanning(_FFT), axis=1))[:, : _FFT // 2]
    log = np.log(np.maximum(power, power.max(initial=1e-9) / 1e6))
    log -= log.mean()
    filtered, state = np.empty_like(log), np.zeros(log.shape[1])
    for row, frame in enumerate(log):
        previous = log[row - 1] if row else frame
        state = frame - previous + 0.98 * state
        filtered[row] = state
    return filtered.astype(np.float32)


def find_peaks(spectrum: Float32) -> tuple[Int64, Int64]:
    """(frames, bins) of peaks above a mask that each peak raises and that then decays; what a
    later, stronger peak would have masked in reversed time is dropped again."""
    frames, bins = _unmasked(spectrum)
    kept = _survivors(spectrum, frames, bins)
    return frames[kept], bins[kept]


def _unmasked(spectrum: Float32) -> tuple[Int64, Int64]:
    shape = _mask_shape(spectrum.shape[1])
    mask = np.max(spectrum[:10].max(axis=0, initial=0.0)[None, :] * shape, axis=1, initial=0.0)
    frames: list[int] = []
    peaks: list[int] = []
    for number, frame in enumerate(spectrum):
        middle = frame[1:-1]
        local = np.flatnonzero((middle > frame[:-2]) & (middle >= frame[2:])) + 1
        above = local[frame[local] > mask[local]]
        for peak in above[np.argsort(-frame[above], kind="stable")][:_PEAKS_PER_FRAME]:
            if frame[peak] > mask[peak]:
                mask = np.maximum(mask, frame[peak] * shape[peak])
                frames.append(number)
                peaks.append(int(peak))
        mask *= _DECAY
    return np.array(frames, np.int64), np.array(peaks, np.int64)


def _survivors(spectrum: Float32, frames: Int64, bins: Int64) -> Bool:
    shape = _mask_shape(spectrum.shape[1])
    mask = spectrum[-1].copy() if len(spectrum) else np.empty(0, np.float32)
    kept = np.zeros(len(frames), np.bool_)
    last = len(spectrum)
    for place in range(len(frames) - 1, -1, -1):
        frame, peak = frames[place], bins[place]
        mask *= _DECAY ** (last - frame)
        last = frame
        level = spectrum[frame, peak]
        if level >= mask[peak]:
            mask = np.maximum(mask, level * shape[peak])
            kept[place] = True
    return kept


def _mask_shape(size: int) -> Float32:
    bins = np.arange(size)
    shape = np.exp(-0.5 * ((bins[:, None] - bins[None, :]) / _SPREAD) ** 2)
    return shape.astype(np.float32)


def hash_pairs(frames: Int64, bins: Int64) -> tuple[Int64, Int64]:
    """Hash of (bin, bin difference, frame difference) for each peak and the next few near it."""
    hashes: list[Int64] = []
    times: list[Int64] = []
    taken = np.zeros(len(frames), np.int64)
    for ahead in range(1, 4 * _PEAKS_PER_FRAME * _FANOUT):
        dt, df = frames[ahead:] - frames[:-ahead], bins[ahead:] - bins[:-ahead]
        near = (dt >= _MIN_DT) & (dt <= _MAX_DT) & (np.abs(df) <= _MAX_DF)
        near &= taken[: len(dt)] < _FANOUT
        taken[: len(dt)] += near
        first = bins[:-ahead][near]
        hashes.append(first << 12 | (df[near] & 63) << 6 | dt[near])
        times.append(frames[:-ahead][near])
        if ahead >= len(frames) - 1:
            break
    if not hashes:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    joined, at = np.concatenate(hashes), np.concatenate(times)
    order = np.argsort(at, kind="stable")
    return joined[order], at[order]
