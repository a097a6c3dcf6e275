"""Read a stretch of a file through FFmpeg filters: pictures at given times, sound in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from avm_core.errors import BadMedia, BadSettings
from avm_core.media.container import open_media, origin, picture_stream
from avm_core.media.write import Picture
from avm_core.types import Float32, Float64

# One FFmpeg filter: its name and its argument string, as on ffmpeg's own command line.
Filter = tuple[str, str]

_BLOCK = 4096
# A time that falls on a frame's first instant must show that frame, whatever the rounding.
_EPSILON = 1e-3


def read_pictures(
    path: Path, times: Float64, *, filters: Sequence[Filter] = ()
) -> Iterator[Picture]:
    """The picture on screen at each of `times` (seconds, ascending), filtered, RGB [H, W, 3].

    A player's view: each frame stays until the next one is due, the last one for ever. Raises
    `BadMedia` without a decodable picture, `BadSettings` for a filter that does not exist.
    """
    if not len(times):
        return
    with open_media(path) as container:
        stream = picture_stream(container)
        if stream is None:
            raise BadMedia(f"{path.name} has no video stream: give a file with a picture")
        chain: _PictureChain | None = None
        for frame, repeats in _on_screen(container, stream, times):
            if chain is None:
                chain = _PictureChain(frame, filters)
            picture = chain.apply(frame)
            yield from (picture for _ in range(repeats))


def filter_pictures(pictures: Iterable[Picture], filters: Sequence[Filter]) -> Iterator[Picture]:
    """RGB pictures uint8 [H, W, 3] of one size through `filters`, one out for each one in.

    Raises `BadSettings` for a filter that does not exist.
    """
    chain: _PictureChain | None = None
    for ordinal, picture in enumerate(pictures):
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        frame.pts = ordinal
        frame.time_base = Fraction(1, 25)  # any clock will do: no filter here looks at it
        chain = chain or _PictureChain(frame, filters)
        yield chain.apply(frame)


def filter_audio(samples: Float32, *, sample_rate: int, filters: Sequence[Filter]) -> Float32:
    """Mono float32 samples [N] through `filters`; the result has whatever length they give.

    Raises `BadSettings` for a filter that does not exist.
    """
    graph = Graph()
    source = graph.add_abuffer(sample_rate=sample_rate, format="flt", layout="mono")
    # Some filters answer in another format; the last two bring back what was handed in.
    back = f"sample_fmts=flt:channel_layouts=mono:sample_rates={sample_rate}"
    _link(graph, source, [*filters, ("aformat", back)], "abuffersink")
    pieces: list[Float32] = []
    for start in range(0, len(samples), _BLOCK):
        block = np.ascontiguousarray(samples[None, start : start + _BLOCK], dtype=np.float32)
        frame = AudioFrame.from_ndarray(block, format="flt", layout="mono")
        frame.sample_rate = sample_rate
        frame.pts = start
        frame.time_base = Fraction(1, sample_rate)
        graph.push(frame)
        pieces.extend(_pulled(graph))
    graph.push(None)
    pieces.extend(_pulled(graph))
    return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.float32)


def _on_screen(
    container: InputContainer, stream: VideoStream, times: Float64
) -> Iterator[tuple[VideoFrame, int]]:
    """Frames that are wanted, each with how many of `times` see it."""
    start = origin(container)
    stream.thread_type = "SLICE"
    if times[0] > 1:
        container.seek(int((times[0] + start) * av.time_base))
    shown: VideoFrame | None = None
    done = 0
    for frame in _decoded(container, stream):
        if frame.time is None:
            continue
        due = int(np.searchsorted(times, frame.time - start - _EPSILON, side="left"))
        # Times before a file's first frame see that frame.
        if due > done and shown is not None:
            yield shown, due - done
            done = due
        shown = frame
        if done == len(times):
            return
    if shown is None:
        raise BadMedia("the video stream cannot be decoded: no picture came out of it")
    yield shown, len(times) - done


def _decoded(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    try:
        yield from container.decode(stream)
    except av.FFmpegError as error:
        raise BadMedia(f"the video stream breaks off: {error}; choose another source") from error


class _PictureChain:
    """One configured filter graph for pictures of one size and format."""

    def __init__(self, like: VideoFrame, filters: Sequence[Filter]) -> None:
        self._graph = Graph()
        source = self._graph.add_buffer(
            width=like.width, height=like.height, format=like.format, time_base=like.time_base
        )
        _link(self._graph, source, [*filters, ("format", "pix_fmts=rgb24")], "buffersink")

    def apply(self, frame: VideoFrame) -> Picture:
        self._graph.vpush(frame)
        picture = self._graph.vpull().to_ndarray(format="rgb24")
        return np.asarray(picture, dtype=np.uint8)


def _link(graph: Graph, source: FilterContext, filters: Sequence[Filter], sink: str) -> None:
    try:
        nodes = [graph.add(name, args or None) for name, args in filters]
        graph.link_nodes(source, *nodes, graph.add(sink))
        graph.configure()
    except (ValueError, av.FFmpegError) as error:
        names = ", ".join(f"{name}={args}" for name, args in filters)
        raise BadSettings(
            f"FFmpeg refuses the filters {names} ({error}): check names and arguments"
        ) from error


def _pulled(graph: Graph) -> Iterator[Float32]:
    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        yield np.asarray(frame.to_ndarray(), dtype=np.float32).reshape(-1)
