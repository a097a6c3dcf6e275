"""Decode pictures in a stream: about one per second, at the times that the container gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from avm_core.errors import BadMedia
from avm_core.media.container import open_media, origin, picture_stream
from avm_core.types import Float64, Frames


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
