"""Say what a media file holds, from its headers."""

from __future__ import annotations

from pathlib import Path

import av
from av.container import InputContainer

from avm_core.errors import BadMedia
from avm_core.media.container import open_media, origin, packets, picture_stream
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


def readable_until(path: Path) -> float:
    """Seconds at which the last whole packet ends; reads the file without decoding it.

    Less than the declared duration where the file was cut short.
    """
    end = 0.0
    with open_media(path) as container:
        start = origin(container)
        for packet in packets(container, *container.streams):
            if packet is None or packet.is_corrupt or packet.pts is None or not packet.time_base:
                continue
            past = packet.pts + (packet.duration or 0)
            end = max(end, float(past * packet.time_base) - start)
    return end


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
