"""Open a media file, with every FFmpeg failure turned into `BadMedia`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar, cast

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from avm_core.errors import BadMedia

S = TypeVar("S", bound=Stream)

# A damaged container is read on behind the damage; one that has ended fails for ever.
_FAILURES = 20


@contextmanager
def open_media(path: Path) -> Iterator[InputContainer]:
    """The opened container; raises `BadMedia` for what is empty or not audio or video."""
    if path.stat().st_size == 0:
        raise BadMedia("the object is empty (0 bytes): upload it again")
    try:
        container = av.open(str(path), metadata_errors="ignore")
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


def picture_stream(container: InputContainer) -> VideoStream | None:
    """The first moving-picture stream: cover art and thumbnails do not count."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    return None


def origin(container: InputContainer) -> float:
    """Seconds that the container calls its start; all our times count from here."""
    return (container.start_time or 0) / av.time_base
