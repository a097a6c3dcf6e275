"""Decode sound in a stream: mono samples in blocks, in place on the container's clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.container import InputContainer

from avm_core.errors import BadMedia
from avm_core.media.container import open_media, origin, packets
from avm_core.media.damage import Damage
from avm_core.media.resample import Resampler
from avm_core.types import Float32

# Timestamps jitter by a codec frame; a larger hole is lost audio and is filled with silence.
_MAX_JITTER = 0.1
# A broken timestamp must not make us invent hours of silence.
_MAX_FILL = 3600.0
# A hole that a sender left on purpose is shorter: Opus speaks every 0.4 s even in silence.
_PAUSE = 1.0


def decode_audio(
    path: Path, *, sample_rate: int, block_seconds: float = 30.0, damage: Damage | None = None
) -> Iterator[Float32]:
    """Mono float32 blocks whose concatenation starts at second 0 of the container's clock.

    Holes in the timestamps are filled with silence, and so is what cannot be decoded: `damage`
    is told where that is. A file that breaks in the middle gives what came before; one without
    any decodable audio raises `BadMedia`.
    """
    size = int(block_seconds * sample_rate)
    damage = Damage() if damage is None else damage
    pending: list[Float32] = []
    count = given = 0
    for piece in _timeline(path, sample_rate, damage):
        pending.append(damage.mend(piece, given / sample_rate, sample_rate))
        given += len(piece)
        count += len(piece)
        while count >= size:
            joined = np.concatenate(pending)
            yield joined[:size]
            pending, count = [joined[size:]], len(joined) - size
    if count:
        yield np.concatenate(pending)


def _timeline(path: Path, sample_rate: int, damage: Damage) -> Iterator[Float32]:
    with open_media(path) as container:
        if not container.streams.audio:
            raise BadMedia("no audio stream")
        resampler = Resampler(sample_rate)
        clock = _Clock(container, sample_rate, damage)
        position, decoded = 0, False
        for frame in _decoded_audio(container):
            hole = clock.hole(frame, position + resampler.waiting)
            if frame is None or hole is None:
                continue
            decoded = True
            if hole:
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
        clock.close(position + resampler.waiting)
        yield from resampler.flush()


class _Clock:
    """Holds frames against their timestamps, and notes what the timestamps say is lost."""

    def __init__(self, container: InputContainer, rate: int, damage: Damage) -> None:
        self._start = origin(container)
        length = container.duration
        self._length = length / av.time_base + _MAX_JITTER if length else np.inf
        stream = container.streams.audio[0]
        self._end = float((stream.duration or 0) * (stream.time_base or 0))
        self._rate = rate
        self._damage = damage
        self._failed = 0  # packets since the last good frame

    def hole(self, frame: AudioFrame | None, position: int) -> int | None:
        """Samples of silence to put before `frame`, where `position` samples were given out;
        None if it has no place. A frame of None is a damaged packet."""
        if frame is None:
            self._failed += 1
            return None
        time = None if frame.time is None else frame.time - self._start
        hole = 0 if time is None else round(time * self._rate) - position
        if hole < -_MAX_JITTER * self._rate:
            if position:  # what comes before the start is meant to be dropped
                self._lost("frames that overlap others", 1, position)
            return None
        believed = _MAX_JITTER * self._rate < hole < _MAX_FILL * self._rate
        # Many a broken timestamp lies behind the end of the file.
        hole = hole if believed and time is not None and time < self._length else 0
        if self._failed:
            self._lost("damaged packets", self._failed, position, hole)
        elif position and hole > _PAUSE * self._rate:
            self._lost("gaps", 1, position, hole)
        self._failed = 0
        return hole

    def close(self, position: int) -> None:
        """No frame comes any more: damage reaches to the end, where that is known."""
        if self._failed:
            rest = max(round(self._end * self._rate) - position, 0)
            self._lost("damaged packets", self._failed, position, rest)

    def _lost(self, cause: str, count: int, position: int, samples: int = 0) -> None:
        start = position / self._rate
        self._damage.add(cause, count, start, start + samples / self._rate)


def _silence(count: int, sample_rate: int) -> Iterator[Float32]:
    # Second by second: an hour of it at once would be the largest thing in memory.
    for first in range(0, count, sample_rate):
        yield np.zeros(min(sample_rate, count - first), dtype=np.float32)


def _decoded_audio(container: InputContainer) -> Iterator[AudioFrame | None]:
    """Frames, and None for what is damaged: the timestamps fill its place with silence."""
    for packet in packets(container, container.streams.audio[0]):
        try:
            yield from packet.decode() if packet is not None else [None]
        except av.FFmpegError:  # any: some decoders name the place in the syntax of their format
            yield None
