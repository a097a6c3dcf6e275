"""`avm match`: the whole pipeline on two folders, in one process, without Airflow."""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from avm_core.catalog import migrate
from avm_core.commands.progress import progress_bar
from avm_core.config import CatalogConfig, PipelineConfig, Settings, load_settings
from avm_core.errors import BadSettings
from avm_core.evaluate.formats import media_stem, write_matches
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.round import run_round
from avm_core.types import Match

_SUFFIXES = (".csv", ".json", ".parquet")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Match all of `--ugc` with all of `--licensed`; write `--out`, report unreadable files."""
    out = Path(arguments.out)
    if out.suffix.lower() not in _SUFFIXES:
        raise BadSettings(f"--out {arguments.out!r} must end in {', '.join(_SUFFIXES)}")
    for name in ("licensed", "ugc"):
        uri = getattr(arguments, name)
        if "://" not in uri and not Path(uri).is_dir():
            raise BadSettings(f"--{name} {uri!r} is not a folder")
    kept = nullcontext(arguments.work) if arguments.work else tempfile.TemporaryDirectory("-avm")
    with kept as work:
        platform = Platform(_settings(arguments, Path(work)))
        migrate(platform.settings.catalog)
        with progress_bar() as tell:
            run_round(platform, progress=tell)
        matches, errors = _results(platform)
    write_matches(matches, out, layout=arguments.format)
    _report(errors, arguments.errors)
    return {"matches": len(matches), "unreadable": len(errors), "out": str(out)}


def _settings(arguments: argparse.Namespace, work: Path) -> Settings:
    base = load_settings()
    work.mkdir(parents=True, exist_ok=True)
    return base.model_copy(
        update={
            "licensed_uri": arguments.licensed,
            "ugc_uri": arguments.ugc,
            "lake_uri": str(work / "lake"),
            "cache_dir": str(work / "cache"),
            "catalog": CatalogConfig(
                dsn=f"sqlite:{work / 'catalog.sqlite'}", data_path=str(work / "rows") + "/"
            ),
            "audio_fingerprinter": (
                "" if arguments.modality == "video" else base.audio_fingerprinter
            ),
            "video_fingerprinter": (
                "" if arguments.modality == "audio" else base.video_fingerprinter
            ),
            # Small batches: the progress bar moves, and a kill loses little.
            "pipeline": PipelineConfig(batch_media_count=4),
        }
    )


def _results(platform: Platform) -> tuple[list[Match], list[dict[str, Any]]]:
    with platform.catalog() as catalog:
        rows = catalog.report("matches").to_pylist()
        errors = catalog.report("errors").to_pylist()
    names = {
        uri: _name(uri, base)
        for row in rows
        for uri, base in (
            (row["ugc_uri"], platform.media_store("ugc").uri),
            (row["licensed_uri"], platform.media_store("licensed").uri),
        )
    }
    fields = [name for name in Match.__slots__ if not name.endswith("_id")]
    matches = [
        Match(
            ugc_id=names[row["ugc_uri"]],
            licensed_id=names[row["licensed_uri"]],
            **{name: row[name] for name in fields},
        )
        for row in rows
    ]
    matches.sort(key=lambda match: (match.ugc_id, match.ugc_start, match.licensed_id))
    return matches, errors


def _name(uri: str, base: str) -> str:
    """The key below the folder without its media suffix: what a ground truth calls it."""
    return media_stem(uri.removeprefix(base).lstrip("/"))


def _report(errors: list[dict[str, Any]], path: str | None) -> None:
    columns = ("uri", "stage", "error_class", "message")
    for row in errors:
        print(f"avm: {row['uri']}: {row['error_class']}: {row['message']}", file=sys.stderr)
    if path:
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows(errors)
