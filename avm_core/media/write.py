"""Write pictures and sound into a media file: the same bytes for the same input."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, cast

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from avm_core.errors import BadSettings
from avm_core.types import Float32

Picture = npt.NDArray[np.uint8]

# Fixed, not "as many as there are cores": x264 gives other bytes for another thread count.
_THREADS = 2
_BLOCK = 1024
# VP8's "realtime" looks at the clock, and then the bytes differ between runs.
_VIDEO_OPTIONS: dict[str, dict[str, str]] = {
    "libx264": {"preset": "veryfast"},
    "libvpx": {"deadline": "good", "cpu-used": "5"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
}
# libopus speaks 48 kHz only.
_FIXED_RATES = {"libopus": 48_000}


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """How pictures are encoded: size in pixels (even; None keeps the pictures' own),
    `bitrate` in bit/s, `gop` in frames, `options` go to the encoder as they are."""

    codec: str = "libx264"
    frame_rate: Fraction = Fraction(25)
    bitrate: int = 150_000
    gop: int = 50
    width: int | None = None
    height: int | None = None
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """How sound is encoded: `sample_rate` in Hz of the samples that are handed in,
    `bitrate` in bit/s."""

    codec: str = "aac"
    sample_rate: int = 44_100
    bitrate: int = 64_000


def write_media(
    path: Path,
    *,
    video: Iterable[Picture] | None = None,
    audio: Float32 | None = None,
    video_format: VideoFormat | None = None,
    audio_format: AudioFormat | None = None,
    faststart: bool = True,
) -> None:
    """Encode RGB pictures uint8 [H, W, 3] and samples float32 [N] or [C, N] (C = 1 or 2).

    The container follows the suffix of `path` (.mp4, .m4a, .mkv, .webm, .avi, .mp3). Pictures
    are taken one by one; `faststart` puts the index of an MP4 at the front. Raises
    `BadSettings` for nothing to write, a codec that is not built in or one that the
    container does not take.
    """
    if video is None and audio is None:
        raise BadSettings(f"nothing to write to {path.name}: give pictures, samples or both")
    options = {"fflags": "+bitexact"}
    if faststart and path.suffix in {".mp4", ".m4a", ".mov"}:
        options["movflags"] = "+faststart"
    try:
        with _open(path, options) as container:
            _encode(
                container,
                _Pictures(container, video, video_format or VideoFormat())
                if video is not None
                else None,
                _Sound(container, audio, audio_format or AudioFormat())
                if audio is not None
                else None,
            )
    except (av.FFmpegError, av.codec.codec.UnknownCodecError) as error:
        raise BadSettings(
            f"cannot write {path.name}: {error}; choose another codec or container"
        ) from error


def _open(path: Path, options: dict[str, str]) -> OutputContainer:
    try:
        return av.open(str(path), "w", options=options)
    except ValueError as error:
        raise BadSettings(
            f"cannot write {path.name}: {error}; choose another codec or container"
        ) from error


class _Pictures:
    """One video stream: encodes picture by picture."""

    def __init__(
        self, container: OutputContainer, pictures: Iterable[Picture], form: VideoFormat
    ) -> None:
        self.pictures = iter(pictures)
        self.rate = form.frame_rate
        self._form = form
        options = {**_VIDEO_OPTIONS.get(form.codec, {}), **dict(form.options)}
        stream = container.add_stream(form.codec, rate=form.frame_rate, options=options)
        self._stream = cast(VideoStream, stream)
        self._opened = False

    def packets(self, picture: Picture, ordinal: int) -> Iterator[av.Packet[Any]]:
        if not self._opened:
            self._open(picture)
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        frame.pts = ordinal
        frame.time_base = 1 / self.rate
        yield from self._stream.encode(frame)

    def rest(self) -> Iterator[av.Packet[Any]]:
        if not self._opened:
            raise BadSettings("no pictures to write: give at least one, or no video at all")
        yield from self._stream.encode(None)

    def _open(self, picture: Picture) -> None:
        context = self._stream.codec_context
        context.width = self._form.width or picture.shape[1]
        context.height = self._form.height or picture.shape[0]
        context.pix_fmt = "yuv420p"
        context.bit_rate = self._form.bitrate
        context.gop_size = self._form.gop
        context.thread_count = _THREADS
        context.flags |= Flags.bitexact
        self._opened = True


class _Sound:
    """One audio stream: encodes up to any sample."""

    def __init__(self, container: OutputContainer, samples: Float32, form: AudioFormat) -> None:
        self._samples = np.atleast_2d(np.asarray(samples, dtype=np.float32))
        if len(self._samples) not in {1, 2}:
            raise BadSettings(f"samples must be [N], [1, N] or [2, N], not {samples.shape}")
        self._layout: Literal["mono", "stereo"] = "mono" if len(self._samples) == 1 else "stereo"
        self._rate = form.sample_rate
        self._position = 0
        out_rate = _FIXED_RATES.get(form.codec, form.sample_rate)
        self._stream = cast(
            AudioStream, container.add_stream(form.codec, rate=out_rate, layout=self._layout)
        )
        self._stream.codec_context.bit_rate = form.bitrate
        self._stream.codec_context.flags |= Flags.bitexact

    def packets_until(self, seconds: Fraction | None) -> Iterator[av.Packet[Any]]:
        """Encode what is due before `seconds`; everything when it is None."""
        total = self._samples.shape[1]
        end = total if seconds is None else min(total, int(seconds * self._rate))
        while self._position < end:
            block = self._samples[:, self._position : self._position + _BLOCK]
            frame = AudioFrame.from_ndarray(
                np.ascontiguousarray(block), format="fltp", layout=self._layout
            )
            frame.sample_rate = self._rate
            frame.pts = self._position
            frame.time_base = Fraction(1, self._rate)
            self._position += block.shape[1]
            yield from self._stream.encode(frame)

    def rest(self) -> Iterator[av.Packet[Any]]:
        yield from self.packets_until(None)
        yield from self._stream.encode(None)


def _encode(container: OutputContainer, pictures: _Pictures | None, sound: _Sound | None) -> None:
    if pictures is not None:
        for ordinal, picture in enumerate(pictures.pictures):
            container.mux(list(pictures.packets(picture, ordinal)))
            if sound is not None:
                # In step with the pictures, so that a file cut in the middle has both.
                container.mux(list(sound.packets_until((ordinal + 1) / pictures.rate)))
    if sound is not None:
        container.mux(list(sound.rest()))
    if pictures is not None:
        container.mux(list(pictures.rest()))
