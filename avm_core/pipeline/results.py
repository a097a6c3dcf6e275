"""Publish results: the catalog as one plain DuckDB file that anyone can open."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from avm_core.pipeline.platform import Platform
from avm_core.storage import object_uri

RESULTS_KEY = "results/avm.duckdb"
VIEWS_PREFIX = "results/views/"


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


def export_views(platform: Platform) -> dict[str, Any]:
    """Write every view to `results/views/<view>.parquet` in the lake, each replaced as a whole.

    All are of one snapshot of the catalog. Returns {"uri", "rows": {view: count}}.
    """
    with tempfile.TemporaryDirectory(prefix="avm-views-") as folder:
        with platform.catalog() as catalog:
            rows = catalog.export_views(Path(folder))
        for name in rows:
            platform.lake.upload(f"{VIEWS_PREFIX}{name}.parquet", Path(folder) / f"{name}.parquet")
    return {"uri": object_uri(platform.lake, VIEWS_PREFIX), "rows": rows}
