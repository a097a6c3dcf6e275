"""Make pirate-like copies by real edits and real encoders, and say exactly what was planted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from avm_core.benchmark.edits.picture import looped, pictures_at
from avm_core.benchmark.edits.sound import exactly, read_sound
from avm_core.benchmark.edits.types import Clip, Edit, Kept, Planted
from avm_core.errors import BadSettings
from avm_core.media.filters import Filter, filter_audio
from avm_core.media.probe import probe
from avm_core.media.write import AudioFormat, Picture, VideoFormat, write_media
from avm_core.types import Float32, Float64, MediaInfo

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

    def copy_times(self) -> Float64:
        """Seconds of each picture from the beginning of this cut."""
        return np.arange(self.count, dtype=np.float64) / float(self.rate)

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
        if cut.clip.licensed and edit.new_picture is not None:
            yield from looped(edit.new_picture, cut.copy_times(), size)
            continue
        pictures = pictures_at(cut.clip.path, cut.source_times(), size)
        for step in edit.picture if cut.clip.licensed else ():
            pictures = step(pictures, cut.copy_times())
        yield from pictures


# --- sound ------------------------------------------------------------------------------------


def _sound(cuts: Sequence[_Cut], edit: Edit, sample_rate: int) -> Float32:
    pieces: list[Float32] = []
    for cut in cuts:
        length = cut.samples(sample_rate)
        if cut.clip.licensed and edit.new_sound is not None:
            # Resize repeats from the beginning where the other sound is shorter.
            pieces.append(np.resize(_samples(edit.new_sound, sample_rate), length))
            continue
        begin = round(cut.clip.start * sample_rate)
        end = begin + round(length * cut.speed)
        samples = _samples(cut.clip.path, sample_rate)[begin:end]
        pieces.append(_edited(samples, length, edit, sample_rate) if cut.clip.licensed else samples)
        pieces[-1] = exactly(pieces[-1], length)
    return np.concatenate(pieces)


def _edited(samples: Float32, length: int, edit: Edit, sample_rate: int) -> Float32:
    filters = _speed_filters(edit, sample_rate)
    if filters:
        samples = filter_audio(samples, sample_rate=sample_rate, filters=filters)
    samples = exactly(samples, length)
    for step in edit.sound:
        samples = step(samples, sample_rate)
    return samples


def _speed_filters(edit: Edit, sample_rate: int) -> list[Filter]:
    if edit.speed == 1.0:
        return []
    if edit.pitch == "kept":
        return [("atempo", f"{edit.speed}")]
    return [("asetrate", f"{round(sample_rate * edit.speed)}"), ("aresample", f"{sample_rate}")]


def _samples(path: Path, sample_rate: int) -> Float32:
    info = probe(path)
    if info.audio is None:
        return np.zeros(round(info.duration * sample_rate), dtype=np.float32)
    return read_sound(path, sample_rate)
