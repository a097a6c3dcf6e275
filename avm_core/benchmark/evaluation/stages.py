"""The stages of an evaluation: prints and matches by batches, scores over all of them at once.

A metric is computed on all matches of an evaluation together, never from metrics of batches, so
that it equals what `avm bench quality` says about the same set.
"""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from avm_core.benchmark.evaluation.evaluation import (
    Batch,
    Evaluation,
    has_stream,
    matches_key,
    print_key,
    read_evaluation,
)
from avm_core.benchmark.evaluation.plan import query_batches
from avm_core.benchmark.evaluation.stored_set import media_key
from avm_core.benchmark.evaluation.sweep import with_point
from avm_core.benchmark.quality import make_print, score_system, uploads_of
from avm_core.benchmark.rivals.avm import AvmPrinter
from avm_core.benchmark.rivals.base import Printed
from avm_core.benchmark.sets.manifest import LicensedItem, UgcItem
from avm_core.errors import ObjectMissing
from avm_core.evaluate.breakdown import gains
from avm_core.fingerprint.parallel import for_each
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.staging import Rows, digest, read_plan, stage
from avm_core.types import MODALITIES, Match, Modality, ObjectStore

# Metric to its gain and the ends of the gain's interval.
Gains = dict[str, tuple[float | None, ...]]


def make_prints(platform: Platform, batch: Batch) -> dict[str, Any]:
    """Make the prints of one batch of `plan_prints`; those that are there stay as they are.

    A file that cannot be read has an empty print, as on the command line. Returns {"made"}.
    """
    plan, lake = read_plan(platform, batch), platform.lake
    settings = with_point(platform.settings, plan["identity"]["of"])
    printers: dict[Modality, AvmPrinter] = {m: AvmPrinter(m, settings) for m in MODALITIES}
    for modality in {row["modality"] for row in plan["rows"]}:
        printers[modality].load()

    def work(row: dict[str, Any]) -> int:
        if _exists(lake, row["key"]):
            return 0
        with tempfile.TemporaryDirectory(prefix="avm-print-") as folder:
            # Its own name: a print says which file it was made of.
            path = Path(folder) / row["name"]
            lake.download(media_key(row["content"]), path)
            lake.put(row["key"], make_print(printers[row["modality"]], path))
        return 1

    made = for_each(work, plan["rows"], platform.settings.pipeline.fingerprint_workers)
    return {"made": sum(made)}


def match_queries(platform: Platform, batch: Batch) -> dict[str, Any]:
    """Match one batch of `plan_queries`; nothing is done if its matches are there.

    Returns {"uploads", "matches"}.
    """
    plan, lake = read_plan(platform, batch), platform.lake
    evaluation = read_evaluation(platform, plan["identity"]["of"])
    by_id = {item.media_id: item for item in evaluation.manifest.ugc}
    uploads = [by_id[row["media_id"]] for row in plan["rows"]]
    key = matches_key(evaluation, uploads)
    if not _exists(lake, key):
        began = time.monotonic()
        titles = evaluation.manifest.titles(evaluation.modality)
        searcher = evaluation.system.index([_printed(lake, evaluation, item) for item in titles])
        found = [
            match
            for upload in uploads
            for match in searcher.match(_printed(lake, evaluation, upload))
        ]
        body = {
            "seconds": time.monotonic() - began,
            "media_seconds": sum(item.duration for item in uploads),
            "matches": [asdict(match) for match in found],
        }
        lake.put(key, json.dumps(body).encode())
    return {"uploads": len(uploads), "matches": len(json.loads(lake.get(key))["matches"])}


def score_evaluation(platform: Platform, batch: Batch) -> dict[str, Any]:
    """Score everything that was matched for one batch of `plan_evaluation`; stage its rows.

    Raises `ObjectMissing` if matches are not there: run the task that makes them.
    """
    evaluation = read_evaluation(platform, batch)
    manifest = evaluation.manifest
    parts, matches = _found(platform, evaluation)
    result = score_system(matches, manifest, evaluation.modality)
    gained = _gains(platform, evaluation, batch.get("base"), matches)
    row = evaluation.columns | {
        "titles": len(manifest.titles(evaluation.modality)),
        "uploads": len(manifest.uploads(evaluation.modality)),
        "media_seconds": sum(part["media_seconds"] for part in parts),
        "seconds": sum(part["seconds"] for part in parts),
        "ended_at": datetime.now(UTC),
    }
    return stage(
        platform,
        kind="evaluation",
        unit_id=f"evaluation-{row['evaluation_id']}",
        input_digest=digest(row["configuration_id"], row["code_version"], row["point"]),
        tables={
            "evaluation": [row],
            "evaluation_metric": metric_rows(row["evaluation_id"], result, gained),
        },
    )


def _found(platform: Platform, evaluation: Evaluation) -> tuple[list[Batch], list[Match]]:
    """What every batch of the evaluation stored, and all matches in the set's order."""
    parts = [
        json.loads(platform.lake.get(matches_key(evaluation, uploads)))
        for uploads in query_batches(platform, evaluation)
    ]
    return parts, [Match(**found) for part in parts for found in part["matches"]]


def _gains(
    platform: Platform, evaluation: Evaluation, base: Batch | None, matches: list[Match]
) -> Gains:
    """Of each metric how far it is above that of `base`, with the interval."""
    if base is None:
        return {}
    manifest, task = evaluation.manifest, evaluation.modality
    other = read_evaluation(platform, base)
    _, before = _found(platform, other)
    intervals = gains(manifest.truth(task), before, matches, uploads_of(manifest, task))
    old, new = (score_system(found, manifest, task)["overall"] for found in (before, matches))
    return {
        metric: (new[metric] - old[metric], *(interval or (None, None)))
        for metric, interval in intervals.items()
        if new[metric] is not None and old[metric] is not None
    }


def metric_rows(evaluation_id: str, result: dict[str, Any], gained: Gains) -> Rows:
    """A result of `score_by_edit` in long form; `gained` goes with the overall metrics."""
    rows = _rows(evaluation_id, "", "", result["overall"])
    for row in rows:
        if row["metric"] in gained:
            names = ("gain", "gain_low", "gain_high")
            row |= dict(zip(names, gained[row["metric"]], strict=True))
    for edit, scores in result["edits"].items():
        rows += _rows(evaluation_id, edit, "", scores)
    for edit, strengths in result["strengths"].items():
        for strength, scores in strengths.items():
            rows += _rows(evaluation_id, edit, strength, scores)
    return rows


def _rows(evaluation_id: str, edit: str, strength: str, scores: dict[str, Any]) -> Rows:
    intervals = scores.get("intervals", {})
    rows = []
    for metric, value in scores.items():
        if metric != "intervals":
            low, high = intervals.get(metric) or (None, None)
            rows.append(
                {
                    "evaluation_id": evaluation_id,
                    "edit": edit,
                    "strength": strength,
                    "metric": metric,
                    "value": None if value is None else float(value),
                    "low": low,
                    "high": high,
                }
            )
    return rows


def _printed(lake: ObjectStore, evaluation: Evaluation, item: LicensedItem | UgcItem) -> Printed:
    content = evaluation.stored.contents[item.path]
    made = {
        printer.key: lake.get(print_key(printer, content))
        for printer in evaluation.system.printers
        if has_stream(item, printer)
    }
    return Printed(item.media_id, item.duration, made)


def _exists(lake: ObjectStore, key: str) -> bool:
    try:
        lake.head(key)
    except ObjectMissing:
        return False
    return True
