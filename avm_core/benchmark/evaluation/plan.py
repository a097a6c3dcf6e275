"""Plan an evaluation: the set goes into the lake, each point becomes a manifest, its work batches.

Every object that a batch makes has a key that depends on what it is made from, and a plan asks
which of them are missing: what was done once, by a killed run or by another, is not done again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from avm_core.benchmark.evaluation.evaluation import (
    MATCHES,
    PRINTS,
    Batch,
    Evaluation,
    code_version,
    items_of,
    matches_key,
    print_key,
    read_evaluation,
    restricted,
)
from avm_core.benchmark.evaluation.stored_set import StoredSet, build_stored
from avm_core.benchmark.evaluation.sweep import Point, grid_points, with_point
from avm_core.benchmark.rivals.avm import AvmSystem
from avm_core.benchmark.rivals.base import missing
from avm_core.benchmark.sets.manifest import Task, UgcItem
from avm_core.errors import BadSettings
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.staging import pack, write_plan


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
    """One batch per point, on a set that is in the lake; the later points of a sweep name the
    first one as their `base`."""
    restricted(stored.manifest, edits)
    identity = {
        "run_id": run_id,
        "experiment": sweep,
        "set": stored.digest,
        "modality": modality,
        "edits": sorted(set(edits)),
    }
    started_at = datetime.now(UTC).isoformat()
    first, *others = [
        write_plan(platform, kind="evaluation", rows=[point], identity=identity)
        | {"started_at": started_at, "point": json.dumps(point, sort_keys=True)}
        for point in points
    ]
    return [first, *(batch | {"base": first} for batch in others)]


# --- batches ----------------------------------------------------------------------------------


def plan_prints(platform: Platform, evaluations: Sequence[Batch]) -> list[Batch]:
    """Batches of the files whose prints the lake lacks, each print once however many points
    need it."""
    known = {info.key for info in platform.lake.list(f"{PRINTS}/")}
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
    known = {info.key for info in platform.lake.list(f"{MATCHES}/")}
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
