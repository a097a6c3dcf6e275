"""The nouns of made copies: what is cut, what is done to it, and what was planted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from avm_core.errors import BadSettings
from avm_core.media.write import Picture
from avm_core.types import Float32, Float64

# Which of the licensed streams a copy keeps.
Kept = Literal["audio", "video", "both"]


class SoundStep(Protocol):
    """One change of a clip's sound. Frozen dataclasses: their fields are the whole recipe."""

    def __call__(self, samples: Float32, sample_rate: int) -> Float32:
        """Mono float32 [N] at `sample_rate` Hz in, as many samples out."""


class PictureStep(Protocol):
    """One change of a clip's pictures. Frozen dataclasses, as for sound."""

    def __call__(self, pictures: Iterator[Picture], times: Float64) -> Iterator[Picture]:
        """RGB pictures of one size in, as many of the same size out.

        `times` are the seconds of each picture from the beginning of the clip's copy.
        """


@dataclass(frozen=True, slots=True)
class Clip:
    """A stretch `[start, end)` in seconds of a file. Edits change licensed clips only; the
    others are foreign material, fitted to the copy's size and put in as they are."""

    path: Path
    start: float
    end: float
    licensed: bool = True

    @property
    def media_id(self) -> str:
        """The file's stem, which is how ground truth names it."""
        return self.path.stem


@dataclass(frozen=True, slots=True)
class Edit:
    """What is done to every licensed clip of a copy; the defaults change nothing.

    `speed` is licensed seconds per second of the copy, with the pitch `kept` or `coupled` to
    it as on a tape. Then the steps of `sound` and `picture` run in order; a picture has the
    copy's size before its first step. `new_sound` and `new_picture` name files that replace
    those of the licensed clips (from their beginning, looped; the steps do not touch them);
    `drop` leaves a stream out of the whole copy.
    """

    name: str
    speed: float = 1.0
    pitch: Literal["kept", "coupled"] = "kept"
    sound: tuple[SoundStep, ...] = ()
    picture: tuple[PictureStep, ...] = ()
    new_sound: Path | None = None
    new_picture: Path | None = None
    drop: Literal["nothing", "sound", "picture"] = "nothing"

    @property
    def modality(self) -> Kept:
        """Which of the licensed streams survive; raises `BadSettings` for neither."""
        sound = self.new_sound is None and self.drop != "sound"
        picture = self.new_picture is None and self.drop != "picture"
        if sound and picture:
            return "both"
        if not sound and not picture:
            raise BadSettings(f"edit {self.name!r} leaves neither sound nor picture: keep one")
        return "audio" if sound else "video"


@dataclass(frozen=True, slots=True)
class Planted:
    """One true copied stretch: float seconds, half-open, of what was really cut."""

    licensed_id: str
    ugc_start: float
    ugc_end: float
    licensed_start: float
    licensed_end: float
    speed: float
    edit: str
    modality: Kept

    def truth_row(self, ugc_id: str) -> tuple[str, str, str, str]:
        """`ID-piracy, SEG-piracy, ID-license, SEG-license`, in whole seconds."""
        ugc = f"{round(self.ugc_start)}-{round(self.ugc_end)}"
        licensed = f"{round(self.licensed_start)}-{round(self.licensed_end)}"
        return (ugc_id, ugc, self.licensed_id, licensed)
