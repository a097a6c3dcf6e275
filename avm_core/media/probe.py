"""Say what a media file holds, from its headers."""

from __future__ import annotations

from pathlib import Path

import av
from av.container import InputContainer

from avm_core.errors import BadMedia
from avm_core.media.container import open_media, picture_stream
from avm_core.types import AudioStream, MediaInfo, VideoStream


def probe(path: Path) -> MediaInfo:
    """Duration in seconds and the first audio and picture stream.

    Raises `BadMedia` for a file that is empty, is not audio or video, or has neither stream.
    """
    with open_media(path) as container:
        audio = next(iter(container.streams.audio), None)
        video = picture_stream(container)
        if audio is None and video is None:
            raise BadMedia("no audio and no picture stream: nothing to fingerprint")
        return MediaInfo(
            duration=_duration(container),
            audio=_audio(audio) if audio is not None else None,
            video=_video(video) if video is not None else None,
        )


def _audio(stream: av.AudioStream) -> AudioStream:
    context = stream.codec_context
    return AudioStream(context.name, context.sample_rate, context.channels)


def _video(stream: av.VideoStream) -> VideoStream:
    context = stream.codec_context
    rate = float(stream.average_rate or 0)
    return VideoStream(context.name, context.width, context.height, rate)


def _duration(container: InputContainer) -> float:
    if container.duration:
        return container.duration / av.time_base
    # Raw streams and some MPEG files carry no duration in the header.
    known = [
        float(stream.duration * stream.time_base)
        for stream in container.streams
        if stream.duration and stream.time_base
    ]
    return max(known, default=0.0)
