"""Decode once and in a stream: mono audio in blocks, and about one picture per second.

All times are seconds from the container's start, taken from its timestamps, so that audio
and picture of one file stay on one clock whatever the codec delay.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from avm_core.errors import BadMedia
from avm_core.media.container import open_media, origin, packets, picture_stream
from avm_core.media.damage import Damage
from avm_core.media.resample import Resampler
from avm_core.types import Float32, Float64, Frames

# Timestamps jitter by a codec frame; a larger hole is lost audio and is filled with silence.
_MAX_JITTER = 0.1
# A broken timestamp must not make us invent hours of silence.
_MAX_FILL = 3600.0
# A hole that a sender left on purpose is shorter: Opus speaks every 0.4 s even in silence.
_PAUSE = 1.0


# --- audio ------------------------------------------------------------------------------------


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


# --- picture ----------------------------------------------------------------------------------


def decode_frames(
    path: Path,
    *,
    step: float,
    max_keyframe_gap: float,
    size: int,
    batch: int = 32,
) -> Iterator[Frames]:
    """About one picture per `step` seconds, scaled to `size` x `size` RGB, in batches.

    Key frames alone are decoded where they are at most `max_keyframe_gap` seconds apart
    (an order of magnitude cheaper); otherwise every frame is decoded and sampled. Times are
    the container's own. Raises `BadMedia` if there is no decodable picture.
    """
    key_times = keyframe_times(path)
    with open_media(path) as container:
        stream = picture_stream(container)
        if stream is None:
            raise BadMedia("no picture stream")
        sparse = _dense_enough(key_times, _end(container, key_times), max_keyframe_gap)
        frames = _decoded_pictures(container, stream, keys_only=sparse)
        kept = _thin(frames, step=step, start=origin(container), sparse=sparse)
        pixels: list[np.ndarray] = []
        times: list[float] = []
        empty = True
        for time, frame in kept:
            pixels.append(_upright(frame, size))
            times.append(time)
            if len(times) == batch:
                yield Frames(np.stack(pixels), np.array(times))
                pixels, times, empty = [], [], False
        if times:
            yield Frames(np.stack(pixels), np.array(times))
        elif empty:
            raise BadMedia("the picture stream cannot be decoded: no frame came out of it")


def keyframe_times(path: Path) -> Float64:
    """Presentation times [K] of the key frames in seconds, ascending; reads packets only."""
    times = []
    with open_media(path) as container:
        stream = picture_stream(container)
        if stream is None:
            return np.empty(0)
        start = origin(container)
        for packet in packets(container, stream):
            if packet is not None and packet.is_keyframe and packet.pts is not None:
                times.append(float(packet.pts * packet.time_base) - start)
    return np.sort(np.array(times, dtype=np.float64))


def _end(container: InputContainer, key_times: Float64) -> float:
    if container.duration:
        return container.duration / av.time_base
    return float(key_times[-1]) if len(key_times) else 0.0


def _dense_enough(key_times: Float64, end: float, max_gap: float) -> bool:
    if len(key_times) == 0:
        return False
    gaps = np.diff(np.concatenate([[0.0], key_times, [max(end, float(key_times[-1]))]]))
    # One long gap (a still title card) must not make us decode a whole film.
    return bool(np.quantile(gaps, 0.9) <= max_gap)


def _decoded_pictures(
    container: InputContainer, stream: VideoStream, *, keys_only: bool
) -> Iterator[VideoFrame]:
    # Frame threads only add delay when nine of ten packets are never decoded.
    stream.thread_type = "SLICE" if keys_only else "AUTO"
    for packet in packets(container, stream):
        if packet is None or (keys_only and packet.pts is not None and not packet.is_keyframe):
            continue
        try:
            yield from packet.decode()
        except av.FFmpegError:
            continue  # one damaged packet


def _thin(
    frames: Iterator[VideoFrame], *, step: float, start: float, sparse: bool
) -> Iterator[tuple[float, VideoFrame]]:
    # Sparse key frames keep their own times; a full decode is sampled on the grid of `step`.
    due = 0.0
    last = -np.inf
    for frame in frames:
        if frame.pts is None or frame.time_base is None:
            continue
        time = float(frame.pts * frame.time_base) - start
        if time + 1e-6 < due or time <= last:
            continue
        last = time
        due = time + 0.75 * step if sparse else (np.floor(time / step + 1e-6) + 1) * step
        yield max(time, 0.0), frame


def _upright(frame: VideoFrame, size: int) -> np.ndarray:
    scaled = frame.reformat(width=size, height=size, format="rgb24", interpolation="AREA")
    turns = round(frame.rotation / 90) % 4
    return np.rot90(scaled.to_ndarray(), k=turns) if turns else scaled.to_ndarray()
