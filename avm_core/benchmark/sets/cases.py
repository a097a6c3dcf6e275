"""One line of a set's menu: an edit at one strength, and the shape of the uploads it goes into."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from avm_core.benchmark.edits import Edit
from avm_core.benchmark.sets.manifest import Strength
from avm_core.benchmark.sets.recipes import QUICK
from avm_core.media.write import AudioFormat, VideoFormat

# excerpt: one stretch, half of them between foreign ones; bare: one stretch alone;
# inside: always between foreign ones; several_excerpts: `count` stretches of one title;
# several_titles: `count` titles; shared: the beginning of a title whose intro others share.
Shape = Literal["excerpt", "bare", "inside", "several_excerpts", "several_titles", "shared"]

PLAIN_SOUND = AudioFormat(bitrate=96_000)
PLAIN_PICTURE = VideoFormat(width=480, height=270, bitrate=200_000, options=QUICK)


@dataclass(frozen=True, slots=True)
class Beds:
    """Foreign files that edits put over or in place of licensed streams."""

    speech: Path
    song: Path
    footage: Path


@dataclass(frozen=True, slots=True)
class Case:
    """An edit at one strength. `seconds` bounds each licensed stretch as seen in the upload;
    `picture` says whether the uploads have one; formats that are None are the set's own."""

    edit: Edit
    strength: Strength
    picture: bool
    shape: Shape = "excerpt"
    count: int = 1
    seconds: tuple[float, float] = (22.0, 45.0)
    video: VideoFormat | None = None
    audio: AudioFormat | None = None
    suffix: str = ""

    @property
    def file_suffix(self) -> str:
        return self.suffix or (".mp4" if self.picture else ".m4a")
