"""What people look at: pictures at given seconds and the outline of the sound between two.

Both seek, so that the price depends on the stretch and not on the file, and both stop when
their patience ends: what is missing then is None or NaN. Patience is time of the processor, so
that a busy machine shows the same as an idle one, only later.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Sequence

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from avm_core.errors import BadMedia
from avm_core.media.container import (
    MAX_PIXELS,
    Source,
    check_size,
    open_media,
    origin,
    picture_stream,
)
from avm_core.types import Float64

Picture = npt.NDArray[np.uint8]

# Seconds that are decoded through rather than sought over: a seek goes back to a key frame.
_NEAR = 3.0
# Seconds of sound that stand for a bin of a long stretch.
_SAMPLE = 0.2
_SEQUENTIAL = 1.0
_BACKGROUND = 24


def pictures_at(
    source: Source, times: Sequence[float], *, height: int, patience: float
) -> list[Picture | None]:
    """The picture on screen at each of the ascending `times` in seconds, uint8 [height, W, 3],
    upright; None before the start, behind the end, and when `patience` in seconds is used up.

    Raises `BadMedia` if there are no pictures.
    """
    deadline = time.process_time() + patience
    with open_media(source) as container:
        stream = picture_stream(container)
        if stream is None:
            raise BadMedia("there are no pictures in it")
        check_size(stream, MAX_PIXELS)
        stream.thread_type = "AUTO"
        # Frames that no other needs are half of the work and next to one that is kept.
        stream.codec_context.skip_frame = "NONREF"
        reel = _Reel(container, stream, deadline)
        found = [reel.at(second) if second >= 0 else None for second in times]
        return [None if frame is None else _upright(frame, height) for frame in found]


def strip(pictures: Sequence[Picture | None], *, width: int, height: int) -> bytes:
    """One JPEG of all pictures side by side, each in a tile of `width` x `height` pixels."""
    sheet = Image.new("RGB", (width * len(pictures), height), (_BACKGROUND,) * 3)
    for number, picture in enumerate(pictures):
        if picture is None:
            continue
        tile = Image.fromarray(picture)
        tile.thumbnail((width, height))
        left = number * width + (width - tile.width) // 2
        sheet.paste(tile, (left, (height - tile.height) // 2))
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=78)
    return out.getvalue()


def peaks(source: Source, start: float, end: float, *, bins: int, patience: float) -> Float64:
    """Largest magnitude in [0, 1] of the sound in each of `bins` equal parts of [start, end);
    NaN where there is none or `patience` in seconds is used up. A long stretch is sampled.

    Raises `BadMedia` if there is no sound.
    """
    deadline = time.process_time() + patience
    edges = np.linspace(start, end, bins + 1)
    heights = np.full(bins, np.nan)
    with open_media(source) as container:
        if not container.streams.audio:
            raise BadMedia("there is no sound in it")
        if (end - start) / bins <= _SEQUENTIAL:
            spans = [(max(start, 0.0), end)]
        else:
            spans = [(edge, edge + _SAMPLE) for edge in edges[:-1] if edge >= 0]
        for first, last in spans:
            for second, samples, rate in _sound(container, first, last):
                _raise(heights, edges, second, samples, rate)
                if time.process_time() > deadline:
                    return heights
    return heights


class _Reel:
    """Frames of one file by ascending times."""

    def __init__(self, container: InputContainer, stream: VideoStream, deadline: float) -> None:
        self._container, self._stream, self._deadline = container, stream, deadline
        self._start = origin(container)
        self._frames: Iterator[VideoFrame] = iter(())
        self._last: VideoFrame | None = None

    def at(self, second: float) -> VideoFrame | None:
        """The frame shown at `second`, None behind the end."""
        if time.process_time() > self._deadline:
            return None
        target = second + self._start
        if self._last is None or not 0 <= target - _time(self._last) <= _NEAR:
            _seek(self._container, self._stream, target)
            self._frames = _decoded(self._container, self._stream)
            self._last = None
        ended = True
        for frame in self._frames:
            if frame.pts is None:
                continue
            before, self._last = self._last, frame
            if _time(frame) > target + 1e-3:
                return before or frame
            if time.process_time() > self._deadline:
                ended = False
                break
        # Past the last frame nothing is on screen, give or take what one is shown for.
        if ended and (self._last is None or target - _time(self._last) > 1.0):
            return None
        return self._last


def _time(frame: VideoFrame | AudioFrame) -> float:
    return float(frame.time or 0.0)


def _seek(container: InputContainer, stream: av.stream.Stream, second: float) -> None:
    base = stream.time_base
    try:
        if base:
            container.seek(max(int(second / base), 0), stream=stream, backward=True)
    except av.FFmpegError:
        return  # a stream that cannot be sought is read from where it is


def _decoded(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    try:
        for packet in container.demux(stream):
            try:
                yield from packet.decode()
            except (av.FFmpegError, EOFError):
                continue  # one damaged packet
    except (av.FFmpegError, EOFError):
        return


def _upright(frame: VideoFrame, height: int) -> Picture:
    turns = round(frame.rotation / 90) % 4
    scale = height / (frame.width if turns % 2 else frame.height)
    size = (max(round(frame.width * scale), 2), max(round(frame.height * scale), 2))
    small = frame.reformat(width=size[0], height=size[1], format="rgb24", interpolation="AREA")
    return np.ascontiguousarray(np.rot90(small.to_ndarray(), turns))


def _sound(
    container: InputContainer, first: float, last: float
) -> Iterator[tuple[float, npt.NDArray[np.float32], int]]:
    """(second, magnitudes [n], sample rate) of the sound in about [first, last)."""
    stream = container.streams.audio[0]
    start = origin(container)
    _seek(container, stream, first + start)
    resampler = av.AudioResampler(format="fltp", layout="mono")
    try:
        for packet in container.demux(stream):
            for frame in _frames(packet):
                second = _time(frame) - start
                if second >= last:
                    return
                if second + frame.samples / frame.sample_rate <= first:
                    continue
                for piece in resampler.resample(frame):
                    yield second, np.abs(piece.to_ndarray()[0]), piece.sample_rate
    except (av.FFmpegError, EOFError, ValueError):
        return


def _frames(packet: av.packet.Packet[av.AudioStream]) -> list[AudioFrame]:
    try:
        return packet.decode()
    except (av.FFmpegError, EOFError):
        return []


def _raise(
    heights: Float64, edges: Float64, second: float, samples: npt.NDArray[np.float32], rate: int
) -> None:
    """Raise the bins that these samples fall into."""
    at = second + np.arange(len(samples)) / rate
    places = np.searchsorted(edges, at, side="right") - 1
    inside = (places >= 0) & (places < len(heights))
    if inside.any():
        values = np.minimum(samples[inside], 1.0).astype(np.float64)
        # A comparison with NaN is false, and the first sample of a bin must win against it.
        fresh = np.unique(places[inside])
        heights[fresh] = np.nan_to_num(heights[fresh])
        np.maximum.at(heights, places[inside], values)
