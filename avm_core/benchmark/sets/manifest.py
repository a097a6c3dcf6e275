"""The manifest of a benchmark set: every title, every upload, and what was done to it."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from avm_core.benchmark.edits.types import Planted
from avm_core.errors import BadSettings
from avm_core.evaluate.truth import TruthSegment
from avm_core.types import Modality

MANIFEST = "manifest.json"
Strength = Literal["light", "medium", "heavy"]
STRENGTHS: tuple[Strength, ...] = ("light", "medium", "heavy")

# What a system may look at: the sound alone, the picture alone, or both.
Task = Literal["audio", "video", "both"]


@dataclass(frozen=True, slots=True)
class LicensedItem:
    """A licensed title. `path` is relative to the set's folder; `works` are the source works
    that it is made of; `copied` is False for a distractor."""

    media_id: str
    path: str
    duration: float
    audio: bool
    video: bool
    works: tuple[str, ...]
    copied: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class UgcItem:
    """An upload. `edit` and `strength` name what was done, `steps` says it in full;
    an upload without `planted` stretches is clean."""

    media_id: str
    path: str
    duration: float
    audio: bool
    video: bool
    works: tuple[str, ...]
    edit: str
    strength: str
    steps: str
    planted: tuple[Planted, ...]

    @property
    def clean(self) -> bool:
        return not self.planted


@dataclass(frozen=True, slots=True)
class Skipped:
    """A source or an upload that could not be used, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class SetManifest:
    """Everything about one set; a pure function of (name, seed, sources, code)."""

    name: str
    seed: int
    licensed: tuple[LicensedItem, ...]
    ugc: tuple[UgcItem, ...]
    skipped: tuple[Skipped, ...] = ()

    def truth(self, task: Task = "both") -> list[TruthSegment]:
        """The planted stretches that `task` can find: those that keep a stream it looks at."""
        return [
            _segment(item.media_id, stretch)
            for item in self.uploads(task)
            for stretch in item.planted
            if task == "both" or stretch.modality in (task, "both")
        ]

    def uploads(self, task: Task = "both") -> list[UgcItem]:
        """Uploads with a stream that `task` looks at."""
        return [item for item in self.ugc if task == "both" or _has(item, task)]

    def titles(self, task: Task = "both") -> list[LicensedItem]:
        """Licensed titles with a stream that `task` looks at."""
        return [item for item in self.licensed if task == "both" or _has(item, task)]

    def clean_hours(self, task: Task = "both") -> float:
        """Hours of uploads without any copy."""
        return sum(item.duration for item in self.uploads(task) if item.clean) / 3600


def _has(item: LicensedItem | UgcItem, modality: Modality) -> bool:
    return item.audio if modality == "audio" else item.video


def _segment(ugc_id: str, stretch: Planted) -> TruthSegment:
    return TruthSegment(
        ugc_id=ugc_id,
        licensed_id=stretch.licensed_id,
        ugc_start=stretch.ugc_start,
        ugc_end=stretch.ugc_end,
        licensed_start=stretch.licensed_start,
        licensed_end=stretch.licensed_end,
    )


# --- files ------------------------------------------------------------------------------------


def write_manifest(manifest: SetManifest, folder: Path) -> None:
    """Write `manifest.json`, `truth.csv` (float seconds) and `truth_rutube.csv` (whole ones)."""
    text = json.dumps(asdict(manifest), indent=1, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
    planted = [(item.media_id, stretch) for item in manifest.ugc for stretch in item.planted]
    times = ("ugc_start", "ugc_end", "licensed_start", "licensed_end")
    _write_rows(
        folder / "truth.csv",
        ("ugc_id", "licensed_id", *times),
        [(ugc, row.licensed_id, *(str(getattr(row, t)) for t in times)) for ugc, row in planted],
    )
    _write_rows(
        folder / "truth_rutube.csv",
        ("ID-piracy", "SEG-piracy", "ID-license", "SEG-license"),
        [row.truth_row(ugc) for ugc, row in planted],
    )


def read_manifest(folder: Path) -> SetManifest:
    """Raises `BadSettings` where there is no manifest, or one that this version cannot read."""
    path = folder / MANIFEST
    if not path.is_file():
        raise BadSettings(f"{path} does not exist: build the set with `avm bench build`")
    try:
        return _parse(json.loads(path.read_text(encoding="utf-8")))
    except (KeyError, TypeError, ValueError) as error:
        raise BadSettings(f"{path} cannot be read ({error}): build the set again") from error


def _parse(data: dict[str, Any]) -> SetManifest:
    return SetManifest(
        name=data["name"],
        seed=data["seed"],
        licensed=tuple(LicensedItem(**_tuples(item)) for item in data["licensed"]),
        ugc=tuple(
            UgcItem(**_tuples(item) | {"planted": tuple(Planted(**p) for p in item["planted"])})
            for item in data["ugc"]
        ),
        skipped=tuple(Skipped(**item) for item in data["skipped"]),
    )


def _tuples(item: dict[str, Any]) -> dict[str, Any]:
    return item | {"works": tuple(item["works"])}


def _write_rows(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
