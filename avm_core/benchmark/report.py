"""The report of `avm bench rivals` as one Markdown file: the set, the scores, what it all costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from avm_core.benchmark.quality import TASKS
from avm_core.benchmark.sets.manifest import SetManifest, Task
from avm_core.evaluate import tables
from avm_core.fingerprint.stages import STAGES
from avm_core.types import Modality

_COSTS = {
    "fingerprint_x": "fingerprint x",
    "vs_decode": "vs decode",
    "match_x": "match x",
    "disk_mb_per_hour": "disk MB/h",
    "ram_mb_per_hour": "RAM MB/h",
}
_RATIOS = {
    "fingerprint_x": "fingerprint x vs chromaprint",
    "disk_mb_per_hour": "disk vs chromaprint",
}
_UNITS = (
    "x: seconds of media per second of wall time, the best of a few runs; vs decode: time as a "
    "multiple of plain decoding of the same streams; MB/h: megabytes per hour of media; vs "
    "chromaprint: as a multiple of chromaprint's number. Every system reads the same titles and "
    "uploads. Timings depend on the machine and on what else runs there: trust the ratios."
)

Stages = Mapping[Modality, Mapping[str, float]]


def to_markdown(
    command: str,
    manifest: SetManifest,
    scores: Mapping[Task, tables.Results],
    speed: tables.Results,
    stages: Stages,
) -> str:
    """The whole file, ending in a newline.

    `command` is what made it; `scores` is from `measure_table`, `speed` from `measure_systems`,
    `stages` from `measure_stages`. A task without systems is left out, and so are speed and
    stages where nothing was measured.
    """
    parts = [
        f"# Benchmark set `{manifest.name}`",
        f"Made by `{command}`: this file is generated, do not edit it by hand.",
        _counts(manifest),
    ]
    for task, results in scores.items():
        if results:
            parts += [f"## Task `{task}`", tables.to_markdown(results)]
    if speed:
        parts += ["## Speed and size", _UNITS, speed_table(speed), tables.missing_notes(speed)]
    if stages:
        parts += ["## The stages of a fingerprint", stages_table(stages), sizes_table(stages)]
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def speed_table(speed: tables.Results) -> str:
    """One row per system; its last columns are multiples of chromaprint's numbers, if it ran."""

    def cells(values: dict[str, Any]) -> list[str]:
        ratios = values.get("vs_chromaprint", {})
        own = [_short(values[name]) for name in _COSTS]
        return own + [_short(ratios.get(name)) for name in _RATIOS]

    return tables.systems_table(speed, [*_COSTS.values(), *_RATIOS.values()], cells)


_STEPS = {
    "core_decode": "decode, one core",
    "core": "all stages, one core",
    "decode": "decode, all cores",
    "whole": "all stages, all cores",
}


def stages_table(stages: Stages) -> str:
    """Decoding, each stage and their sum on one core; decoding and the whole fingerprint on all:
    x and vs decode of each modality."""
    header = [f"{modality} {what}" for modality in stages for what in ("x", "vs decode")]
    rows = []
    for step in ("core_decode", *STAGES, "core", "decode", "whole"):
        row = [_STEPS.get(step, step)]
        for found in stages.values():
            row += [_short(found[f"{step}_x"]), _short(found.get(f"{step}_vs_decode", 1.0))]
        rows.append(row)
    return tables.markdown_table(["stage", *header], rows)


def sizes_table(stages: Stages) -> str:
    """What the fingerprints of each modality occupy, and how much media was measured."""
    columns = ("disk_mb_per_hour", "ram_mb_per_hour", "media_seconds")
    return tables.markdown_table(
        ["fingerprints", "disk MB/h", "RAM MB/h", "seconds of media"],
        [[modality, *(_short(found[c]) for c in columns)] for modality, found in stages.items()],
    )


def _counts(manifest: SetManifest) -> str:
    rows = [
        [
            task,
            str(len(manifest.titles(task))),
            str(len(manifest.uploads(task))),
            str(len(manifest.truth(task))),
            _short(manifest.clean_hours(task)),
        ]
        for task in TASKS
    ]
    table = tables.markdown_table(
        ["task", "titles", "uploads", "planted stretches", "clean hours"], rows
    )
    if manifest.skipped:
        count = len(manifest.skipped)
        table += f"\n\nSources and uploads that could not be used and were skipped: {count}."
    return table


def _short(value: float | None) -> str:
    """Three digits that say something, and no exponent: 1234, 12.3, 0.0123."""
    if value is None:
        return "–"
    if not value:
        return "0"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"
