"""What titles and uploads are made of, before anything is made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from avm_core.benchmark.edits import Clip, Edit
from avm_core.media.write import AudioFormat, VideoFormat

# A cheap preset: sets have hours of pictures, and copies are meant to look bad.
QUICK = (("preset", "superfast"),)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Seconds `[start, end)` of a source file, and the work that it comes from."""

    path: Path
    start: float
    end: float
    work: str

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class TitleRecipe:
    """A licensed title: pictures cut from `shots` one after another (none: sound only), sound
    from `sound` in the same way. Where the shots' own sound is kept, both name the same."""

    media_id: str
    shots: tuple[Stretch, ...]
    sound: tuple[Stretch, ...]
    copied: bool
    note: str = ""
    # Seconds at the start that other titles share; an excerpt may not consist of them.
    shared: float = 0.0

    @property
    def seconds(self) -> float:
        return sum(stretch.seconds for stretch in self.shots or self.sound)

    @property
    def works(self) -> tuple[str, ...]:
        return tuple(sorted({stretch.work for stretch in (*self.shots, *self.sound)}))


@dataclass(frozen=True, slots=True)
class UgcRecipe:
    """An upload: clips, one edit on the licensed ones, and how the copy is encoded."""

    media_id: str
    suffix: str
    clips: tuple[Clip, ...]
    edit: Edit
    strength: str
    works: tuple[str, ...]
    video: VideoFormat
    audio: AudioFormat
