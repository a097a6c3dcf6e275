"""The nouns of made copies: what is cut, what is done to it, and what was planted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from avm_core.errors import BadSettings

# Which of the licensed streams a copy keeps.
Kept = Literal["audio", "video", "both"]


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
    it as on a tape. `crop` keeps that fraction of width and height and scales it back;
    `letterbox` shrinks the picture to that fraction inside black bars. `brightness` adds
    (-1..1), `contrast` and `saturation` multiply, `hue` turns by degrees. `sound` and
    `picture` name files that replace those of the licensed clips (from their beginning,
    looped); `drop` leaves a stream out of the whole copy.
    """

    name: str
    speed: float = 1.0
    pitch: Literal["kept", "coupled"] = "kept"
    volume_db: float = 0.0
    crop: float = 1.0
    mirror: bool = False
    letterbox: float = 1.0
    brightness: float = 0.0
    contrast: float = 1.0
    saturation: float = 1.0
    hue: float = 0.0
    sound: Path | None = None
    picture: Path | None = None
    drop: Literal["nothing", "sound", "picture"] = "nothing"

    @property
    def modality(self) -> Kept:
        """Which of the licensed streams survive; raises `BadSettings` for neither."""
        sound = self.sound is None and self.drop != "sound"
        picture = self.picture is None and self.drop != "picture"
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
