"""`avm bench`: run one measurement of avm_core.benchmark."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from avm_core.errors import BadSettings


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """The measurement's result as a dict; see docs/benchmarks.md for what each number means."""
    if arguments.what == "index":
        from avm_core.benchmark.index_speed import measure_index

        return measure_index(arguments.windows)
    from avm_core.benchmark.speed import measure_catalog, measure_match, measure_speed

    if arguments.what == "catalog":
        return measure_catalog()
    folder = Path(arguments.media)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not files:
        raise BadSettings(f"--media {arguments.media!r} holds no files")
    if arguments.what == "separation":
        from avm_core.benchmark.separation import measure_all

        return measure_all(files)
    return measure_speed(files) if arguments.what == "speed" else measure_match(files)
