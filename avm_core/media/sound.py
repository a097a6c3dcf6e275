"""Decode sound in a stream: mono samples in blocks, in place on the container's clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import InputContainer

from avm_core.errors import BadMedia
from avm_core.media.container import open_media, origin
from avm_core.types import Float32

# Timestamps jitter by a codec frame; a larger hole is lost audio and is filled with silence.
_MAX_JITTER = 0.1
# A broken timestamp must not make us invent hours of silence.
_MAX_FILL = 3600.0
_JOINED = 16_384  # samples that are resampled at once


def decode_audio(path: Path, *, sample_rate: int, block_seconds: float = 30.0) -> Iterator[Float32]:
    """Mono float32 blocks whose concatenation starts at second 0 of the container's clock.

    Holes in the timestamps are filled with silence. A file that breaks in the middle gives
    what came before; one without any decodable audio raises `BadMedia`.
    """
    size = int(block_seconds * sample_rate)
    pending: list[Float32] = []
    count = 0
    for piece in _timeline(path, sample_rate):
        pending.append(piece)
        count += len(piece)
        while count >= size:
            joined = np.concatenate(pending)
            yield joined[:size]
            pending, count = [joined[size:]], len(joined) - size
    if count:
        yield np.concatenate(pending)


def _timeline(path: Path, sample_rate: int) -> Iterator[Float32]:
    with open_media(path) as container:
        if not container.streams.audio:
            raise BadMedia("no audio stream")
        resampler = _Resampler(sample_rate)
        start, position, decoded = origin(container), 0, False
        for frame in _decoded_audio(container):
            decoded = True
            hole = 0
            if frame.time is not None:
                due = round((frame.time - start) * sample_rate)
                hole = due - position - resampler.waiting
            if hole < -_MAX_JITTER * sample_rate:
                continue  # overlaps what was already given out
            if _MAX_JITTER * sample_rate < hole < _MAX_FILL * sample_rate:
                for piece in resampler.drain():
                    position += len(piece)
                    yield piece
                position += hole
                yield from _silence(hole, sample_rate)
            for piece in resampler.push(frame):
                position += len(piece)
                yield piece
        if not decoded:
            raise BadMedia("the audio stream cannot be decoded: no frame came out of it")
        yield from resampler.flush()


def _silence(count: int, sample_rate: int) -> Iterator[Float32]:
    # Second by second: an hour of it at once would be the largest thing in memory.
    for first in range(0, count, sample_rate):
        yield np.zeros(min(sample_rate, count - first), dtype=np.float32)


class _Resampler:
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


def _decoded_audio(container: InputContainer) -> Iterator[AudioFrame]:
    stream = container.streams.audio[0]
    try:
        for packet in container.demux(stream):
            try:
                yield from packet.decode()
            except av.InvalidDataError:
                continue  # one damaged packet: the timestamps fill its place with silence
    except (av.FFmpegError, EOFError):
        return  # the file ends early: what came before still counts
