"""Plan an evaluation: the set goes into the lake, each point becomes a manifest, its work batches.

Every object that a batch makes has a key that depends on what it is made from, and a plan asks
which of them are missing: what was done once, by a killed run or by another, is not done again.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import avm_core
from avm_core.benchmark.evaluation.stored_set import (
    SPLITS,
    StoredSet,
    build_stored,
    load_set,
)
from avm_core.benchmark.evaluation.sweep import Point, grid_points, settings_changed, with_point
from avm_core.benchmark.rivals.avm import AvmSystem
from avm_core.benchmark.rivals.base import Printer, missing
from avm_core.benchmark.sets.manifest import LicensedItem, SetManifest, Task, UgcItem
from avm_core.config import Settings
from avm_core.errors import BadSettings
from avm_core.match.version import matcher_version
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.staging import digest, pack, read_plan, write_plan

Batch = dict[str, Any]
_PRINTS = "bench/prints"
_MATCHES = "bench/matches"


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


def plan_evaluation(
    platform: Platform,
    *,
    set_name: str,
    modality: Task,
    edits: Sequence[str] = (),
    grid: Mapping[str, Sequence[Any]] | None = None,
    baseline: bool = True,
    run_id: str,
) -> list[Batch]:
    """Build and store the set; one batch per point of `grid`, or one for the settings in force.

    With `baseline` a sweep also measures the settings in force. Raises `BadSettings` that names
    what is wrong before anything is built: a field, a value, a modality without a fingerprinter;
    and, once the set is known, an edit that is not in it.
    """
    points = sweep_points(platform, modality, grid or {}, baseline=baseline)
    stored = build_stored(platform, set_name)
    return plan_points(
        platform, stored, points, modality=modality, edits=edits, run_id=run_id, sweep=bool(grid)
    )


def sweep_points(
    platform: Platform, modality: Task, grid: Mapping[str, Sequence[Any]], *, baseline: bool
) -> list[Point]:
    """The grid's points, all of which can be measured here; first {} with `baseline`, unless one
    of them is the settings in force anyway."""
    points = grid_points(grid)
    made = [with_point(platform.settings, point) for point in points]
    for settings in made:
        _check_printers(AvmSystem(modality, settings))
    return [{}, *points] if baseline and platform.settings not in made else points


def _check_printers(system: AvmSystem) -> None:
    if reason := missing(system):
        raise BadSettings(f"{system.name} cannot run here: {reason}")
    for printer in system.printers:
        if not printer.key.startswith(f"{printer.modality}_"):
            raise BadSettings(f"{printer.key} is no {printer.modality} fingerprinter")


def plan_points(
    platform: Platform,
    stored: StoredSet,
    points: Sequence[Point],
    *,
    modality: Task,
    edits: Sequence[str],
    run_id: str,
    sweep: bool,
) -> list[Batch]:
    """One batch per point, on a set that is in the lake."""
    restricted(stored.manifest, edits)
    identity = {
        "run_id": run_id,
        "experiment": sweep,
        "set": stored.digest,
        "modality": modality,
        "edits": sorted(set(edits)),
    }
    started_at = datetime.now(UTC).isoformat()
    return [
        write_plan(platform, kind="evaluation", rows=[point], identity=identity)
        | {"started_at": started_at, "point": json.dumps(point, sort_keys=True)}
        for point in points
    ]


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


# --- batches ----------------------------------------------------------------------------------


def plan_prints(platform: Platform, evaluations: Sequence[Batch]) -> list[Batch]:
    """Batches of the files whose prints the lake lacks, each print once however many points
    need it."""
    known = {info.key for info in platform.lake.list(f"{_PRINTS}/")}
    wanted: dict[str, list[dict[str, Any]]] = {}
    for batch in evaluations:
        evaluation = read_evaluation(platform, batch)
        point = json.dumps(evaluation.point, sort_keys=True)
        for printer in evaluation.system.printers:
            for item in items_of(evaluation, printer):
                content = evaluation.stored.contents[item.path]
                key = print_key(printer, content)
                if key not in known:
                    known.add(key)
                    wanted.setdefault(point, []).append(
                        {
                            "key": key,
                            "content": content,
                            "name": Path(item.path).name,
                            "modality": printer.modality,
                            "duration": item.duration,
                        }
                    )
    return _packed(
        platform,
        "evaluation_prints",
        [(json.loads(point), rows) for point, rows in wanted.items()],
    )


def plan_queries(platform: Platform, evaluations: Sequence[Batch]) -> list[Batch]:
    """Batches of uploads that were not yet matched by the code and settings in force."""
    known = {info.key for info in platform.lake.list(f"{_MATCHES}/")}
    groups = []
    for batch in evaluations:
        evaluation = read_evaluation(platform, batch)
        for uploads in query_batches(platform, evaluation):
            if matches_key(evaluation, uploads) not in known:
                rows = [{"media_id": u.media_id, "duration": u.duration} for u in uploads]
                groups.append((batch, rows))
    return _packed(platform, "evaluation_queries", groups)


def _packed(
    platform: Platform, kind: str, groups: Sequence[tuple[Any, list[dict[str, Any]]]]
) -> list[Batch]:
    """One manifest per batch of each group's rows; its identity is what the group is of."""
    sizes = platform.settings.pipeline
    batches = [
        write_plan(platform, kind=kind, rows=rows, identity={"of": of, "code": code_version()})
        | {"media_count": len(rows), "seconds": sum(row["duration"] for row in rows)}
        for of, group in groups
        for rows in pack(
            group,
            weight="duration",
            limit=sizes.batch_media_seconds,
            count=sizes.batch_media_count,
        )
    ]
    if len(batches) > sizes.max_batches:
        raise BadSettings(
            f"{len(batches)} batches are more than AVM_PIPELINE__MAX_BATCHES ({sizes.max_batches})"
            ": take fewer points, fewer edits, or larger batches"
        )
    return batches


def query_batches(platform: Platform, evaluation: Evaluation) -> list[list[UgcItem]]:
    """All uploads of an evaluation in the set's order, as they are matched together."""
    sizes = platform.settings.pipeline
    uploads = evaluation.manifest.uploads(evaluation.modality)
    by_id = {item.media_id: item for item in uploads}
    packed = pack(
        [{"media_id": item.media_id, "duration": item.duration} for item in uploads],
        weight="duration",
        limit=sizes.batch_media_seconds,
        count=sizes.batch_media_count,
    )
    return [[by_id[row["media_id"]] for row in rows] for rows in packed]


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
    return f"{_PRINTS}/{printer.key}/{content}"


def matches_key(evaluation: Evaluation, uploads: Sequence[UgcItem]) -> str:
    """Where the matches of these uploads lie in the lake."""
    configuration = evaluation.configuration
    del configuration["edits"]  # what else is in the set changes no upload's matches
    names = [item.media_id for item in uploads]
    return f"{_MATCHES}/{digest(configuration, code_version(), names)}.json"


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
