"""Decode once and in a stream: mono audio in blocks, and about one picture per second.

All times are seconds from the container's start, taken from its timestamps, so that audio
and picture of one file stay on one clock whatever the codec delay.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from avm_core.errors import BadMedia
from avm_core.media.container import open_media, origin, picture_stream
from avm_core.types import Float32, Float64, Frames

# Timestamps jitter by a codec frame; a larger hole is lost audio and is filled with silence.
_MAX_JITTER = 0.1
# A broken timestamp must not make us invent hours of silence.
_MAX_FILL = 3600.0
_JOINED = 16_384  # samples that are resampled at once


# --- audio ------------------------------------------------------------------------------------


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
        try:
            for packet in container.demux(stream):
                if packet.is_keyframe and packet.pts is not None and packet.time_base:
                    times.append(float(packet.pts * packet.time_base) - start)
        except av.FFmpegError:
            pass  # the file ends early: the keys before it are good
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
    try:
        for packet in container.demux(stream):
            if keys_only and packet.pts is not None and not packet.is_keyframe:
                continue
            try:
                yield from packet.decode()
            except av.InvalidDataError:
                continue  # one damaged packet
    except (av.FFmpegError, EOFError):
        return  # the file ends early: what came before still counts


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
