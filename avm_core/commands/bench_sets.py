"""The subcommands of `avm bench` that build a set or score systems on it."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import Any

from avm_core.benchmark.quality import find_matches, measure_table, score_system
from avm_core.benchmark.report import to_markdown
from avm_core.benchmark.rivals.base import missing
from avm_core.benchmark.rivals.registry import systems
from avm_core.benchmark.sets.build import SEED, build_set
from avm_core.benchmark.sets.manifest import SetManifest
from avm_core.commands.progress import progress_bar
from avm_core.commands.score import report_folder, write_json, write_report
from avm_core.errors import BadSettings
from avm_core.types import Match

_DEMO_MEDIA = "local/media"
# The contract of `avm bench quality`; `score.json` of a report has every metric.
_QUALITY = ("final", "f1", "iou", "vcsl_f1", "boundary_median_s", "fp_per_clean_hour")
# How many titles and uploads the timings take from the set: enough to be steady.
_TIMED = 8


def build(arguments: argparse.Namespace) -> tuple[SetManifest, Path]:
    """Build (or find) the set; returns its manifest and folder."""
    folder = Path(arguments.out or f".avm/bench/{arguments.set}")
    with progress_bar() as tell:
        manifest = build_set(
            arguments.set,
            folder,
            sources_dir=Path(arguments.sources),
            media=Path(arguments.media or _DEMO_MEDIA),
            seed=SEED if arguments.seed is None else arguments.seed,
            progress=tell,
        )
    return manifest, folder


def quality(arguments: argparse.Namespace) -> dict[str, Any]:
    """AVM alone: the contract's metrics overall and per edit.

    Raises `BadSettings` if a modality that was asked for has no fingerprinter.
    """
    name = "avm" if arguments.modality == "both" else f"avm ({arguments.modality})"
    (system,) = systems([name])
    if reason := missing(system):
        raise BadSettings(f"{name} cannot run here: {reason}")
    manifest, folder = build(arguments)
    with progress_bar() as tell:
        found = find_matches(system, manifest, folder, _prints(folder), tell)
    result = score_system(found, manifest, arguments.modality)
    if arguments.report:
        write_report({name: result}, Path(arguments.report) / arguments.modality)
    edits = {edit: _short(score) for edit, score in result["edits"].items()}
    return {"overall": _short(result["overall"]), "edits": edits}


def scores(arguments: argparse.Namespace) -> dict[str, Any]:
    """How true AVM's scores are on the set, per task and on all of them, beside a fit to them."""
    from avm_core.benchmark.quality import TASKS
    from avm_core.benchmark.score_fit import UnfilteredSystem, judge_scores
    from avm_core.config import load_settings

    manifest, folder = build(arguments)
    found: dict[str, list[Match]] = {}
    with progress_bar() as tell:
        for task in TASKS:
            system = UnfilteredSystem(task, load_settings())
            found[task] = find_matches(system, manifest, folder, _prints(folder), tell)
    truth = manifest.truth()
    judged = {task: judge_scores(matches, truth) for task, matches in found.items()}
    return judged | {"all": judge_scores([m for some in found.values() for m in some], truth)}


def rivals(arguments: argparse.Namespace) -> dict[str, Any]:
    """Every system on every task of the set; its speed, and AVM's stages, on the same files."""
    from avm_core.benchmark.stages import measure_stages
    from avm_core.benchmark.system_speed import measure_systems

    chosen = systems(arguments.only.split(",") if arguments.only else None)
    manifest, folder = build(arguments)
    with progress_bar() as tell:
        table = measure_table(chosen, manifest, folder, _prints(folder), tell)
    report = Path(arguments.report) if arguments.report else None
    if report:  # before the timings: should one of them fail, hours of scoring are not lost
        for task, results in table.items():
            if results:
                write_report(results, report / task)
    speed: dict[str, Any] = {}
    stages: dict[Any, Any] = {}
    if not arguments.no_speed:
        titles, uploads = _timed(manifest, folder)
        speed = measure_systems(chosen, titles, uploads)
        stages = measure_stages([path for _, path in (*titles, *uploads)])
    if report:
        text = to_markdown(_command(arguments), manifest, table, speed, stages)
        with report_folder(report):
            write_json(speed, report / "speed.json")
            write_json(stages, report / "stages.json")
            (report / "report.md").write_text(text, encoding="utf-8")
    overall = {
        task: {
            name: result if "missing" in result else _short(result["overall"])
            for name, result in results.items()
        }
        for task, results in table.items()
    }
    return {"set": manifest.name, "tasks": overall, "speed": speed, "stages": stages}


def _command(arguments: argparse.Namespace) -> str:
    """The command line that a report came from, as far as it shapes what is in it."""
    words = ["avm", "bench", "rivals"]
    for option in ("set", "seed", "only", "report"):
        value = getattr(arguments, option)
        if value is not None:
            words += [f"--{option}", str(value)]
    if arguments.no_speed:
        words.append("--no-speed")
    return shlex.join(words)


def tune_systems(arguments: argparse.Namespace) -> dict[str, Any]:
    """`final` of the systems named by `--only` at each threshold of their menus."""
    from avm_core.benchmark.tune import tune

    if not arguments.only:
        raise BadSettings("say which systems to tune: --only chromaprint,landmarks")
    manifest, folder = build(arguments)
    with progress_bar() as tell:
        return {
            name: tune(name, manifest, folder, _prints(folder), tell)
            for name in arguments.only.split(",")
        }


def frames(arguments: argparse.Namespace) -> dict[str, Any]:
    """Pictures compared one by one, by the fingerprinters named by `--only` or all there are."""
    from avm_core.benchmark.frame_sources import frame_sources
    from avm_core.benchmark.frames import measure_frames

    sources = frame_sources(arguments.only.split(",") if arguments.only else None)
    manifest, folder = build(arguments)
    with progress_bar() as tell:
        found = measure_frames(sources, manifest, folder, _prints(folder), tell)
    return {"set": manifest.name, "fingerprinters": found}


def check_sources(arguments: argparse.Namespace) -> dict[str, Any]:
    """Seconds of media by split and kind, and every track found in two splits."""
    from avm_core.benchmark.sources.disjoint import check_splits

    return check_splits(Path(arguments.sources))


def _timed(
    manifest: SetManifest, folder: Path
) -> tuple[list[tuple[str, Path]], list[tuple[str, Path]]]:
    """Some titles and uploads that have both sound and picture, so that all systems take part."""
    titles = [(i.media_id, folder / i.path) for i in manifest.licensed if i.audio and i.video]
    uploads = [(i.media_id, folder / i.path) for i in manifest.ugc if i.audio and i.video]
    return titles[:_TIMED], uploads[:_TIMED]


def _prints(folder: Path) -> Path:
    return folder / "prints"


def _short(score: dict[str, Any]) -> dict[str, Any]:
    return {name: score[name] for name in _QUALITY}
