"""Make pirate-like copies by real edits and real encoders, and say exactly what was planted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from avm_core.benchmark.edit_types import Clip, Edit, Kept, Planted
from avm_core.errors import BadSettings
from avm_core.media.decode import decode_audio
from avm_core.media.filters import Filter, filter_audio, read_pictures
from avm_core.media.probe import probe
from avm_core.media.write import AudioFormat, Picture, VideoFormat, write_media
from avm_core.types import Float32, Float64, MediaInfo

__all__ = ["Clip", "Edit", "Planted", "make_copy", "picture_filters", "sound_filters"]

# atempo's own lower bound, and beyond 2 it skips samples instead of blending them.
_SPEEDS = (0.5, 2.0)


def make_copy(
    sources: Sequence[Clip],
    out: Path,
    edit: Edit,
    *,
    video_format: VideoFormat | None = None,
    audio_format: AudioFormat | None = None,
) -> list[Planted]:
    """Cut `sources` one after another into `out` in a single decode, filter, encode pass.

    Without a size in `video_format` the copy has that of the first source with a picture.
    Sound is mono. Returns the licensed stretches in order. Raises `BadSettings` for a clip
    outside its file or an edit out of range, `BadMedia` for a source that cannot be read.
    """
    _check_edit(sources, edit)
    modality = edit.modality
    infos = [_checked(clip) for clip in sources]
    video = _sized(video_format or VideoFormat(), infos)
    audio = audio_format or AudioFormat()
    cuts = _cut(sources, edit, video.frame_rate)
    write_media(
        out,
        video=None if edit.drop == "picture" else _pictures(cuts, edit, video),
        audio=None if edit.drop == "sound" else _sound(cuts, edit, audio.sample_rate),
        video_format=video,
        audio_format=audio,
    )
    return [cut.planted(edit.name, modality) for cut in cuts if cut.clip.licensed]


@dataclass(frozen=True, slots=True)
class _Cut:
    """A clip's place in the copy, on the copy's grid of frames."""

    clip: Clip
    first: int
    count: int
    speed: float
    rate: Fraction

    def source_times(self) -> Float64:
        ordinals = np.arange(self.count, dtype=np.float64)
        return self.clip.start + ordinals / float(self.rate) * self.speed

    def samples(self, sample_rate: int) -> int:
        """Length in samples, from absolute positions, so that no rounding adds up."""
        begin = round(Fraction(self.first) / self.rate * sample_rate)
        return round(Fraction(self.first + self.count) / self.rate * sample_rate) - begin

    def planted(self, edit_name: str, modality: Kept) -> Planted:
        start = float(self.first / self.rate)
        length = float(self.count / self.rate)
        return Planted(
            licensed_id=self.clip.media_id,
            ugc_start=start,
            ugc_end=start + length,
            licensed_start=self.clip.start,
            licensed_end=self.clip.start + length * self.speed,
            speed=self.speed,
            edit=edit_name,
            modality=modality,
        )


def _check_edit(sources: Sequence[Clip], edit: Edit) -> None:
    if not sources:
        raise BadSettings("a copy needs at least one clip: give sources")
    if not _SPEEDS[0] <= edit.speed <= _SPEEDS[1]:
        raise BadSettings(f"speed {edit.speed} is outside {_SPEEDS}: choose one inside")
    for field, share in (("crop", edit.crop), ("letterbox", edit.letterbox)):
        if not 0.1 <= share <= 1:
            raise BadSettings(f"{field} {share} is outside 0.1..1: choose a share inside")


def _checked(clip: Clip) -> MediaInfo:
    info = probe(clip.path)
    if not 0 <= clip.start < clip.end <= info.duration + 0.1:
        raise BadSettings(
            f"clip {clip.start}-{clip.end} s is not inside {clip.path.name} "
            f"({info.duration:.2f} s): choose another stretch"
        )
    return info


def _sized(form: VideoFormat, infos: Sequence[MediaInfo]) -> VideoFormat:
    if form.width and form.height:
        return form
    for info in infos:
        if info.video is not None:
            # yuv420p has one colour sample for two pixels each way.
            return replace(form, width=info.video.width & ~1, height=info.video.height & ~1)
    return replace(form, width=480, height=270)


def _cut(sources: Sequence[Clip], edit: Edit, rate: Fraction) -> list[_Cut]:
    cuts: list[_Cut] = []
    first = 0
    for clip in sources:
        speed = edit.speed if clip.licensed else 1.0
        count = round((clip.end - clip.start) / speed * float(rate))
        cuts.append(_Cut(clip, first, count, speed, rate))
        first += count
    return cuts


# --- picture ----------------------------------------------------------------------------------


def _pictures(cuts: Sequence[_Cut], edit: Edit, form: VideoFormat) -> Iterator[Picture]:
    size = (form.width or 480, form.height or 270)
    for cut in cuts:
        if cut.clip.licensed and edit.picture is not None:
            yield from _looped(edit.picture, cut, size)
        else:
            own = picture_filters(edit, size) if cut.clip.licensed else [*_fit(size)]
            yield from _read(cut.clip.path, cut.source_times(), own, size)


def _read(
    path: Path, times: Float64, filters: Sequence[Filter], size: tuple[int, int]
) -> Iterator[Picture]:
    if probe(path).video is None:
        black = np.zeros((size[1], size[0], 3), dtype=np.uint8)
        yield from (black for _ in times)
    else:
        yield from read_pictures(path, times, filters=filters)


def _looped(path: Path, cut: _Cut, size: tuple[int, int]) -> Iterator[Picture]:
    times = np.arange(cut.count, dtype=np.float64) / float(cut.rate)
    period = probe(path).duration
    for turn in range(int(times[-1] // period) + 1):
        inside = times[(times >= turn * period) & (times < (turn + 1) * period)]
        yield from _read(path, inside - turn * period, _fit(size), size)


def picture_filters(edit: Edit, size: tuple[int, int]) -> list[Filter]:
    """FFmpeg filters that make `edit` on a picture and end in `size` (width, height)."""
    filters: list[Filter] = []
    if edit.crop != 1.0:
        filters.append(("crop", f"iw*{edit.crop}:ih*{edit.crop}"))
    if edit.mirror:
        filters.append(("hflip", ""))
    if edit.brightness != 0.0 or edit.contrast != 1.0:
        luma = f"clip((val-126)*{edit.contrast}+126+{edit.brightness}*219,16,235)"
        filters.append(("format", "pix_fmts=yuv420p"))
        filters.append(("lutyuv", f"y='{luma}'"))
    if edit.saturation != 1.0 or edit.hue != 0.0:
        filters.append(("hue", f"h={edit.hue}:s={edit.saturation}"))
    return [*filters, *_fit(size, edit.letterbox)]


def _fit(size: tuple[int, int], share: float = 1.0) -> list[Filter]:
    """Scale into `share` of the frame, keep the aspect ratio, fill up with black."""
    width, height = size
    inner = f"{int(width * share) & ~1}:{int(height * share) & ~1}"
    return [
        ("scale", f"{inner}:force_original_aspect_ratio=decrease:flags=area"),
        ("pad", f"{width}:{height}:(ow-iw)/2:(oh-ih)/2"),
    ]


# --- sound ------------------------------------------------------------------------------------


def _sound(cuts: Sequence[_Cut], edit: Edit, sample_rate: int) -> Float32:
    pieces: list[Float32] = []
    for cut in cuts:
        length = cut.samples(sample_rate)
        if cut.clip.licensed and edit.sound is not None:
            # Resize repeats from the beginning where the other sound is shorter.
            pieces.append(np.resize(_samples(edit.sound, sample_rate), length))
        else:
            begin = round(cut.clip.start * sample_rate)
            end = begin + round(length * cut.speed)
            samples = _samples(cut.clip.path, sample_rate)[begin:end]
            filters = sound_filters(edit, sample_rate) if cut.clip.licensed else []
            if filters:
                samples = filter_audio(samples, sample_rate=sample_rate, filters=filters)
            pieces.append(_exactly(samples, length))
    return np.concatenate(pieces)


def sound_filters(edit: Edit, sample_rate: int) -> list[Filter]:
    """FFmpeg filters that make `edit` on samples of `sample_rate` Hz."""
    filters: list[Filter] = []
    if edit.speed != 1.0 and edit.pitch == "kept":
        filters.append(("atempo", f"{edit.speed}"))
    elif edit.speed != 1.0:
        filters.append(("asetrate", f"{round(sample_rate * edit.speed)}"))
        filters.append(("aresample", f"{sample_rate}"))
    if edit.volume_db != 0.0:
        filters.append(("volume", f"{edit.volume_db}dB"))
    return filters


def _samples(path: Path, sample_rate: int) -> Float32:
    if probe(path).audio is None:
        return np.zeros(round(probe(path).duration * sample_rate), dtype=np.float32)
    return np.concatenate(list(decode_audio(path, sample_rate=sample_rate)))


def _exactly(samples: Float32, length: int) -> Float32:
    if len(samples) >= length:
        return samples[:length]
    return np.pad(samples, (0, length - len(samples)))
