"""Open a media file, with every FFmpeg failure turned into `BadMedia`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

import av
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from avm_core.errors import BadMedia

S = TypeVar("S", bound=Stream)
# A file, or what can be read and sought like one: a stretch of a long object needs no copy of it.
Source = Path | BinaryIO

# A damaged container is read on behind the damage; one that has ended fails for ever.
_FAILURES = 20
# Of one picture: what 8192 x 8192 takes. A small file can claim a picture that fills the memory.
MAX_PIXELS = 8192 * 8192


@contextmanager
def open_media(source: Source, *, device: str = "cpu") -> Iterator[InputContainer]:
    """The opened container; raises `BadMedia` for what is empty or not audio or video.

    On a `device` cuda[:N] the pictures are decoded by its NVDEC where that can, and by the CPU
    where it cannot.
    """
    if isinstance(source, Path) and source.stat().st_size == 0:
        raise BadMedia("the object is empty (0 bytes): upload it again")
    try:
        container = _open(source, device)
    except (av.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadMedia(f"not readable as audio or video: {reason}; check the upload") from error
    with container:
        # FFmpeg plays plain text as a terminal recording if the name ends in .txt or .nfo.
        if container.format.name == "tty":
            raise BadMedia("a text file, not audio or video; check the upload")
        yield container


def packets(container: InputContainer, *streams: S) -> Iterator[Packet[S] | None]:
    """The packets of `streams` in the order of the file, and None for damage between them."""
    failures = 0
    while failures < _FAILURES:
        try:
            for packet in cast("Iterator[Packet[S]]", container.demux(*streams)):
                failures = 0
                yield packet
            return
        except (av.FFmpegError, EOFError):
            failures += 1
            if failures == 1:
                yield None


def _open(source: Source, device: str) -> InputContainer:
    file = str(source) if isinstance(source, Path) else source
    # FFmpeg decodes a little to learn what the streams are: no giant picture then either.
    options = {"max_pixels": str(MAX_PIXELS)}
    kind, _, number = device.partition(":")
    if kind == "cuda" and "cuda" in hwdevices_available():
        card = HWAccel("cuda", number or None, allow_software_fallback=True)
        try:
            return av.open(file, "r", metadata_errors="ignore", options=options, hwaccel=card)
        except (av.FFmpegError, RuntimeError):
            pass  # no driver, or no decoder left on the card: what follows always works
    return av.open(file, "r", metadata_errors="ignore", options=options)


def picture_stream(container: InputContainer) -> VideoStream | None:
    """The first moving-picture stream: cover art and thumbnails do not count."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    return None


def origin(container: InputContainer) -> float:
    """Seconds that the container calls its start; all our times count from here."""
    return (container.start_time or 0) / av.time_base


def check_size(stream: VideoStream, max_pixels: int) -> None:
    """Raise `BadMedia` if a picture is too large to decode, from what the header says of it."""
    width, height = stream.codec_context.width, stream.codec_context.height
    if width * height > max_pixels:
        raise BadMedia(
            f"a picture of {width} x {height} has more than the {max_pixels} pixels that are "
            "decoded: scale the video down, or raise AVM_DECODE__MAX_PIXELS"
        )
