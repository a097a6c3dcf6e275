"""Frames of any format to mono samples of one rate."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from avm_core.types import Float32

_JOINED = 16_384  # samples that are resampled at once


class Resampler:
    """AudioResampler to mono float32 that survives a change of format inside the stream.

    Frames are joined before they are resampled: a codec's frame is 20 ms long, and handing each
    through Python takes longer than decoding it.
    """

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._format: tuple[str, str, int] | None = None
        self._inner: AudioResampler | None = None
        self._joined = AudioFifo()

    @property
    def waiting(self) -> int:
        """Samples, at the new rate, that were pushed and have not come out."""
        if self._format is None:
            return 0
        return round(self._joined.samples * self._rate / self._format[2])

    def push(self, frame: AudioFrame) -> Iterator[Float32]:
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._format:
            yield from self.flush()
            self._format = shape
            self._inner = AudioResampler(format="flt", layout="mono", rate=self._rate)
            self._joined = AudioFifo()
        frame.pts = None  # the timeline is kept outside, holes and all
        self._joined.write(frame)
        if self._joined.samples >= _JOINED:
            yield from self.drain()

    def drain(self) -> Iterator[Float32]:
        """What was joined so far."""
        joined = self._joined.read(0, True) if self._joined.samples else None
        if self._inner is not None and joined is not None:
            yield from _samples(self._inner.resample(joined))

    def flush(self) -> Iterator[Float32]:
        """What was joined, and what the resampler itself still holds."""
        yield from self.drain()
        if self._inner is not None:
            yield from _samples(self._inner.resample(None))
            self._inner = None


def _samples(frames: list[AudioFrame]) -> Iterator[Float32]:
    for frame in frames:
        if frame.samples:
            yield frame.to_ndarray().reshape(-1).astype(np.float32, copy=False)
