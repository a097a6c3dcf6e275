"""`avm score`: matches against a ground truth, or against a benchmark set edit by edit."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from avm_core.errors import BadSettings
from avm_core.evaluate.breakdown import Upload, score_by_edit
from avm_core.evaluate.metrics import score
from avm_core.evaluate.plots import write_plots
from avm_core.evaluate.tables import to_markdown
from avm_core.evaluate.truth import TruthSegment, read_matches, read_truth
from avm_core.types import Match, Modality


def run(arguments: argparse.Namespace) -> None:
    """Print every metric as JSON, with or without `--json`: that is its contract."""
    path = Path(arguments.matches)
    truth = read_truth(Path(arguments.truth)) if arguments.truth else None
    if arguments.manifest:
        if arguments.clean_hours is not None:
            raise BadSettings("leave --clean-hours out: the manifest knows which uploads are clean")
        result = _on_set(
            truth, read_matches(path), Path(arguments.manifest), arguments.task or "both"
        )
        printed = result
    elif truth is None:
        raise BadSettings("say what is true: --truth GT.csv, or --manifest DIR of a benchmark set")
    elif arguments.task:
        raise BadSettings("--task needs --manifest: a truth file does not say which streams count")
    else:
        result = _on_file(truth, read_matches(path), arguments.clean_hours)
        printed = result["overall"]
    if arguments.report:
        write_report({path.stem: result}, Path(arguments.report))
    print(json.dumps(printed, indent=2))


def write_report(results: dict[str, dict[str, Any]], folder: Path) -> None:
    """Write `score.json`, `score.md` and the plots of `evaluate.plots` into `folder`.

    `results` maps a system to a result of `score_by_edit`. Raises `BadSettings` if the folder
    cannot be written.
    """
    with report_folder(folder):
        write_json(results, folder / "score.json")
        (folder / "score.md").write_text(to_markdown(results), encoding="utf-8")
        write_plots(results, folder)


def write_json(value: object, path: Path) -> None:
    """One indented JSON document, ending in a newline."""
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


@contextmanager
def report_folder(folder: Path) -> Iterator[None]:
    """Makes the folder; what cannot be written there raises `BadSettings`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise BadSettings(f"cannot write the report: {error}: choose another --report") from error


def _on_set(
    truth: list[TruthSegment] | None,
    matches: Sequence[Match],
    folder: Path,
    task: Modality | Literal["both"],
) -> dict[str, Any]:
    """Uploads of the set that lack the stream of `task` do not count, and neither does what
    was matched on them; an upload from outside the set is refused."""
    from avm_core.benchmark.quality import uploads_of
    from avm_core.benchmark.sets.manifest import read_manifest

    manifest = read_manifest(folder)
    uploads = uploads_of(manifest, task)
    aside = {item.media_id for item in manifest.ugc} - {upload.ugc_id for upload in uploads}
    return score_by_edit(
        manifest.truth(task) if truth is None else truth,
        [match for match in matches if match.ugc_id not in aside],
        uploads,
    )


def _on_file(
    truth: list[TruthSegment], matches: list[Match], clean_hours: float | None
) -> dict[str, Any]:
    """A truth file does not say what was done to an upload, nor how long the clean ones are:
    there are no edits, and no interval of false positives per hour."""
    scores = score(truth, matches, clean_hours)
    named = dict.fromkeys([row.ugc_id for row in truth] + [match.ugc_id for match in matches])
    uploads = [Upload(name, "", "", hours=0.0, clean=False) for name in named]
    overall = score_by_edit(truth, matches, uploads)["overall"]
    return {"overall": overall | scores, "edits": {}, "strengths": {}}
