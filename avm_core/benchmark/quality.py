"""Run systems on a benchmark set and score what they find, per edit and overall."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from avm_core.benchmark.rivals.base import Printed, Printer, System, missing
from avm_core.benchmark.sets.manifest import LicensedItem, SetManifest, Task, UgcItem
from avm_core.errors import BadMedia
from avm_core.evaluate.breakdown import Upload, score_by_edit
from avm_core.media.probe import probe
from avm_core.types import Match

Progress = Callable[[str, int, int], None]
Result = dict[str, Any]

TASKS: tuple[Task, ...] = ("audio", "video", "both")


def find_matches(
    system: System, manifest: SetManifest, folder: Path, prints: Path, tell: Progress
) -> list[Match]:
    """What `system` finds in every upload of the set; fingerprints are kept below `prints`."""
    task = system.task
    titles = _print_all(system, manifest.titles(task), folder, prints, tell)
    uploads = _print_all(system, manifest.uploads(task), folder, prints, tell)
    searcher = system.index(titles)
    matches: list[Match] = []
    for done, upload in enumerate(uploads):
        tell(f"{system.name}: match", done, len(uploads))
        matches += searcher.match(upload)
    tell(f"{system.name}: match", len(uploads), len(uploads))
    return matches


def score_system(matches: Sequence[Match], manifest: SetManifest, task: Task) -> Result:
    """Metrics of one system's matches on the uploads and the truth of `task`."""
    uploads = uploads_of(manifest, task)
    known = {upload.ugc_id for upload in uploads}
    return score_by_edit(
        manifest.truth(task), [match for match in matches if match.ugc_id in known], uploads
    )


def uploads_of(manifest: SetManifest, task: Task) -> list[Upload]:
    """The set's uploads as the metrics want them.

    An upload whose only planted stretch `task` cannot perceive counts under its edit, but is
    not clean: a match on it is false, though it is not a match on an innocent upload.
    """
    return [
        Upload(item.media_id, item.edit, item.strength, item.duration / 3600, item.clean)
        for item in manifest.uploads(task)
    ]


def measure_table(
    systems: Sequence[System], manifest: SetManifest, folder: Path, prints: Path, tell: Progress
) -> dict[Task, dict[str, Result]]:
    """{task: {system: score_by_edit result, or {"missing": reason}}}.

    On `audio` and `video` stand the systems that look at that stream alone; on `both` stand
    all of them, against everything that was planted.
    """
    table: dict[Task, dict[str, Result]] = {task: {} for task in TASKS}
    for system in systems:
        reason = missing(system)
        found = [] if reason else find_matches(system, manifest, folder, prints, tell)
        tasks: tuple[Task, ...] = (system.task, "both")
        for task in dict.fromkeys(tasks):
            result = {"missing": reason} if reason else score_system(found, manifest, task)
            table[task][system.name] = result
    return table


# --- prints -----------------------------------------------------------------------------------


def _print_all(
    system: System,
    items: Sequence[LicensedItem | UgcItem],
    folder: Path,
    prints: Path,
    tell: Progress,
) -> list[Printed]:
    printed = []
    for done, item in enumerate(items):
        tell(f"{system.name}: fingerprint", done, len(items))
        made = {}
        for printer in system.printers:
            if item.audio if printer.modality == "audio" else item.video:
                made[printer.key] = kept_print(printer, folder / item.path, prints)
        printed.append(Printed(item.media_id, item.duration, made))
    tell(f"{system.name}: fingerprint", len(items), len(items))
    return printed


def kept_print(printer: Printer, path: Path, prints: Path) -> bytes:
    """The print of a file, made once per (printer, content); empty where it cannot be made."""
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    kept = prints / printer.key / content
    if kept.is_file():
        return kept.read_bytes()
    kept.parent.mkdir(parents=True, exist_ok=True)
    data = make_print(printer, path)
    partial = kept.with_suffix(f".{os.getpid()}")
    partial.write_bytes(data)
    partial.replace(kept)
    return data


def make_print(printer: Printer, path: Path) -> bytes:
    """The print of a file; empty where it cannot be made."""
    try:
        return printer.make(path, probe(path))
    except BadMedia:
        return b""  # a rival's decoder may refuse what others read: it finds nothing there
