"""Decode pictures in a stream: about one per second, at the times that the container gives."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Literal

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from avm_core.config import DecodeConfig
from avm_core.errors import BadMedia
from avm_core.media.borders import Shot, may_have_border, without_borders
from avm_core.media.container import (
    MAX_PIXELS,
    check_size,
    open_media,
    origin,
    packets,
    picture_stream,
)
from avm_core.media.scale import Pixels, Scaler
from avm_core.media.stills import without_stills
from avm_core.media.views import with_views
from avm_core.types import Float64, Frames

# Which pictures are kept in more pixels too: to cut out of them.
_Detail = Literal["none", "borders", "all"]


def decode_frames(
    path: Path,
    *,
    step: float,
    max_keyframe_gap: float,
    size: int,
    batch: int = 32,
    max_border: float = 0.0,
    max_views: int = 0,
    max_hold: float = 0.0,
    max_pixels: int = MAX_PIXELS,
    device: str = "cpu",
) -> Iterator[Frames]:
    """About one picture per `step` seconds, scaled to `size` x `size` RGB, in batches.

    Key frames alone are decoded where they are at most `max_keyframe_gap` seconds apart
    (an order of magnitude cheaper); otherwise the frames that others refer to are decoded and
    sampled. Times are the container's own.

    Borders up to `max_border` of a side are cut off (0: none). Parts of a picture that are
    pictures of their own follow it as views, at most `max_views` of them (0: none). With
    `max_hold`, a picture that shows what the last one shows is left out, but for one every
    `max_hold` seconds: a hole in the times that is wider than the sampling means that the same
    picture goes on (0: all are kept).

    Raises `BadMedia` if there is no decodable picture, or one of more than `max_pixels`.
    `device` is where NVDEC may be: cuda[:N].
    """
    scaler = Scaler()
    sampled = _sampled(path, step, max_keyframe_gap, max_pixels, device)
    detail: _Detail = "all" if max_views else "borders" if max_border > 0 else "none"
    shots = _squared(sampled, scaler, size, detail)
    if max_border > 0:
        shots = without_borders(shots, scaler, largest=max_border)
    if max_views:
        shots = with_views(shots, scaler, most=max_views, max_border=max_border)
    if max_hold > 0:
        shots = without_stills(shots, max_hold=max_hold)
    yield from _batches(shots, batch)


def sample_pictures(
    path: Path, decode: DecodeConfig, *, size: int, device: str = "cpu"
) -> Iterator[Frames]:
    """`decode_frames` as the settings ask for it; raises as that does."""
    return decode_frames(
        path,
        step=decode.frame_step,
        max_keyframe_gap=decode.max_keyframe_gap,
        size=size,
        max_border=decode.max_border,
        max_views=decode.max_views,
        max_hold=decode.max_hold,
        max_pixels=decode.max_pixels,
        device=device,
    )


def _batches(shots: Iterator[Shot], size: int) -> Iterator[Frames]:
    rows = (row for shot in shots for row in _rows(shot))
    while taken := list(islice(rows, size)):
        times, views, pixels = zip(*taken, strict=True)
        yield Frames(np.stack(pixels), np.array(times), np.array(views, np.int8))


def _rows(shot: Shot) -> Iterator[tuple[float, int, Pixels]]:
    for view, pixels in enumerate((shot.pixels, *shot.views)):
        yield shot.time, view, pixels


def keyframe_times(path: Path) -> Float64:
    """Presentation times [K] of the key frames in seconds, ascending; reads packets only."""
    times = []
    with open_media(path) as container:
        stream = picture_stream(container)
        if stream is None:
            return np.empty(0)
        start = origin(container)
        # Not with `discard`: FFmpeg's MP4 reader then gives the packets other times.
        for packet in packets(container, stream):
            if packet is not None and packet.is_keyframe and packet.pts is not None:
                times.append(float(packet.pts * packet.time_base) - start)
    return np.sort(np.array(times, dtype=np.float64))


def _squared(
    frames: Iterator[tuple[float, VideoFrame]],
    scaler: Scaler,
    size: int,
    detail: _Detail,
) -> Iterator[Shot]:
    previous: Pixels | None = None
    for time, frame in frames:
        pixels = scaler.square(frame, size)
        cut = detail == "all" or (detail == "borders" and may_have_border(pixels, previous))
        yield Shot(time, pixels, scaler.square(frame, 2 * size) if cut else None)
        previous = pixels


def _sampled(
    path: Path, step: float, max_keyframe_gap: float, max_pixels: int, device: str
) -> Iterator[tuple[float, VideoFrame]]:
    with open_media(path, device=device) as container:
        stream = picture_stream(container)
        if stream is None:
            raise BadMedia("no picture stream: give a file with a moving picture")
        check_size(stream, max_pixels)
        key_times = _indexed_keys(container, stream)
        if key_times is None:
            key_times = keyframe_times(path)
        sparse = _dense_enough(key_times, _end(container, key_times), max_keyframe_gap)
        start, empty = origin(container), True
        # What the header does not say: a picture that grows on the way.
        stream.codec_context.options = {"max_pixels": str(max_pixels)}
        if sparse:
            frames = _key_frames(container, stream, _Pace(0.75 * step), start)
        else:
            frames = _reference_frames(container, stream)
        for sample in _thin(frames, step=step, start=start, sparse=sparse):
            empty = False
            yield sample
        if empty:
            # FFmpeg forgets the size of pictures that it refuses while it opens the file.
            giant = "" if stream.codec_context.width else f" (of more than {max_pixels} pixels?)"
            raise BadMedia(
                f"the picture stream cannot be decoded: no frame{giant} with a time came out of "
                "it; check that it plays, or encode it anew"
            )


def _indexed_keys(container: InputContainer, stream: VideoStream) -> Float64 | None:
    """Times of the key frames from the container's index, if that is complete: in decoding
    order, a few frames off, which is enough to see how close they are."""
    entries = stream.index_entries
    if not 0 < stream.frames <= len(entries) or stream.time_base is None:
        return None
    ticks = [entry.timestamp for entry in entries if entry.is_keyframe]
    times = np.array(ticks, dtype=np.float64) * float(stream.time_base) - origin(container)
    return np.sort(np.maximum(times, 0.0))


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


class _Pace:
    """Lets through what is due: times from 0 on, at least `gap` seconds apart."""

    def __init__(self, gap: float) -> None:
        self._gap = gap
        self._due = 0.0

    def due(self, time: float) -> bool:
        if time + 1e-6 < self._due:
            return False
        self._due = time + self._gap
        return True


def _key_frames(
    container: InputContainer, stream: VideoStream, pace: _Pace, start: float
) -> Iterator[VideoFrame]:
    # Frame threads only add delay when nine of ten packets are never decoded.
    stream.thread_type = "SLICE"
    for packet in packets(container, stream):
        if packet is not None and packet.pts is not None and packet.time_base is not None:
            # Where every frame is a key frame, most need not be decoded either.
            time = float(packet.pts * packet.time_base) - start
            if not packet.is_keyframe or not pace.due(time):
                continue
        yield from _decoded(packet)


def _reference_frames(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    stream.thread_type = "AUTO"
    # Frames that no other needs are up to half of the work, and never far from one that is kept.
    stream.codec_context.skip_frame = "NONREF"
    for packet in packets(container, stream):
        yield from _decoded(packet)


def _decoded(packet: Packet[VideoStream] | None) -> Iterator[VideoFrame]:
    if packet is None:
        return
    try:
        yield from packet.decode()
    except (av.FFmpegError, EOFError):
        return  # one damaged packet


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
