"""Publish results: the catalog as one plain DuckDB file that anyone can open."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from avm_core.pipeline.platform import Platform
from avm_core.storage import object_uri

RESULTS_KEY = "results/avm.duckdb"


def publish_results(platform: Platform) -> dict[str, Any]:
    """Export tables and views to `results/avm.duckdb` in the lake, replaced as a whole.

    With `results_path` set, a local copy is replaced too, by a rename. Returns
    {"uri", "rows": {table or view: count}}.
    """
    with tempfile.TemporaryDirectory(prefix="avm-results-") as folder:
        path = Path(folder) / "avm.duckdb"
        with platform.catalog() as catalog:
            rows = catalog.publish(path)
        platform.lake.upload(RESULTS_KEY, path)
        target = platform.settings.results_path
        if target:
            partial = Path(f"{target}.partial")
            partial.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, partial)
            partial.replace(target)
    return {"uri": object_uri(platform.lake, RESULTS_KEY), "rows": rows}
