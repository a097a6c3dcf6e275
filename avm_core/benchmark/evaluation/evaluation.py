"""One evaluation: a configuration on a set, and the keys of everything that is made for it."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import avm_core
from avm_core.benchmark.evaluation.stored_set import SPLITS, StoredSet, load_set
from avm_core.benchmark.evaluation.sweep import Point, settings_changed, with_point
from avm_core.benchmark.rivals.avm import AvmSystem
from avm_core.benchmark.rivals.base import Printer
from avm_core.benchmark.sets.manifest import LicensedItem, SetManifest, Task, UgcItem
from avm_core.config import Settings
from avm_core.errors import BadSettings
from avm_core.match.version import matcher_version
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.staging import digest, read_plan

Batch = dict[str, Any]
PRINTS = "bench/prints"
MATCHES = "bench/matches"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One configuration on one set. `point` is what a sweep changed, `settings` what is in force
    with it, `edits` what the uploads are restricted to (all of them if empty)."""

    run_id: str
    experiment: bool
    stored: StoredSet
    modality: Task
    edits: tuple[str, ...]
    point: Point
    settings: Settings
    started_at: datetime

    @property
    def manifest(self) -> SetManifest:
        """The set with the uploads that count."""
        return restricted(self.stored.manifest, self.edits)

    @property
    def system(self) -> AvmSystem:
        return AvmSystem(self.modality, self.settings)

    @property
    def configuration(self) -> dict[str, Any]:
        """Everything that a result depends on, but for the code."""
        named = {printer.modality: printer.key for printer in self.system.printers}
        return {
            "set_digest": self.stored.digest,
            "modality": self.modality,
            "edits": ",".join(self.edits),
            "audio_fingerprinter": named.get("audio"),
            "video_fingerprinter": named.get("video"),
            "matcher_version": matcher_version(self.settings.match),
            "index_version": self.settings.index.digest(),
        }

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of its row that do not depend on what is found."""
        configuration = self.configuration
        changed = settings_changed(self.settings)
        return configuration | {
            "evaluation_id": digest(self.run_id, configuration),
            "configuration_id": digest(configuration),
            "run_id": self.run_id,
            "experiment": self.experiment,
            "set_name": self.stored.manifest.name,
            "split": SPLITS[self.stored.manifest.name],
            "code_version": code_version(),
            "settings_changed": json.dumps(changed, sort_keys=True),
            "point": json.dumps(self.point, sort_keys=True),
            "started_at": self.started_at,
        }


def read_evaluation(platform: Platform, batch: Batch) -> Evaluation:
    """The evaluation behind a batch of `plan_evaluation`."""
    plan = read_plan(platform, batch)
    identity, [point] = plan["identity"], plan["rows"]
    return Evaluation(
        run_id=identity["run_id"],
        experiment=identity["experiment"],
        stored=load_set(platform.lake, identity["set"]),
        modality=identity["modality"],
        edits=tuple(identity["edits"]),
        point=point,
        settings=with_point(platform.settings, point),
        started_at=datetime.fromisoformat(batch["started_at"]),
    )


def restricted(manifest: SetManifest, edits: Sequence[str]) -> SetManifest:
    """The set with the uploads of these edits, or of all; raises `BadSettings` for an edit that
    none of them has."""
    if not edits:
        return manifest
    known = dict.fromkeys(item.edit for item in manifest.ugc)
    unknown = [edit for edit in edits if edit not in known]
    if unknown:
        raise BadSettings(
            f"the set {manifest.name} has no edit {unknown[0]!r}: choose from {', '.join(known)}"
        )
    kept = tuple(item for item in manifest.ugc if item.edit in edits)
    return SetManifest(manifest.name, manifest.seed, manifest.licensed, kept, manifest.skipped)


# --- keys -------------------------------------------------------------------------------------


def items_of(evaluation: Evaluation, printer: Printer) -> list[LicensedItem | UgcItem]:
    """Titles and uploads of the evaluation that have the printer's stream."""
    manifest, task = evaluation.manifest, evaluation.modality
    items: list[LicensedItem | UgcItem] = [*manifest.titles(task), *manifest.uploads(task)]
    return [item for item in items if has_stream(item, printer)]


def has_stream(item: LicensedItem | UgcItem, printer: Printer) -> bool:
    """Whether the item has what the printer reads."""
    return item.audio if printer.modality == "audio" else item.video


def print_key(printer: Printer, content: str) -> str:
    """Where the print of a file lies in the lake; an empty object is a file that has none."""
    return f"{PRINTS}/{printer.key}/{content}"


def matches_key(evaluation: Evaluation, uploads: Sequence[UgcItem]) -> str:
    """Where the matches of these uploads lie in the lake."""
    configuration = evaluation.configuration
    del configuration["edits"]  # what else is in the set changes no upload's matches
    names = [item.media_id for item in uploads]
    return f"{MATCHES}/{digest(configuration, code_version(), names)}.json"


@functools.cache
def code_version() -> str:
    """First 8 hex digits of the sha256 of AVM's source: an evaluation exists to see what a change
    of code does, also one that forgot to raise a version."""
    folder = Path(str(avm_core.__file__)).parent
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        found.update(path.relative_to(folder).as_posix().encode())
        found.update(path.read_bytes())
    return found.hexdigest()[:8]
