"""How fast the catalog commits, on SQLite and a local folder."""

from __future__ import annotations

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from avm_core.catalog import Catalog, StagedUnit, migrate, rows_to_parquet
from avm_core.config import CatalogConfig


def measure_catalog(units: int = 20, rows: int = 500) -> dict[str, Any]:
    """Milliseconds of one commit of `rows` media rows, and of the no-op that repeats it."""
    with tempfile.TemporaryDirectory(prefix="avm-bench-") as folder:
        config = CatalogConfig(dsn=f"sqlite:{folder}/c.sqlite", data_path=f"{folder}/rows/")
        migrate(config)
        staged = [_media_unit(Path(folder), number, rows) for number in range(units)]
        first, again = [], []
        for unit in staged:
            first.append(_commit_time(config, unit))
        for unit in staged:
            again.append(_commit_time(config, unit))
    return {
        "rows_per_commit": rows,
        "commit_ms": 1000 * sorted(first)[units // 2],
        "repeat_ms": 1000 * sorted(again)[units // 2],
    }


def _commit_time(config: CatalogConfig, unit: tuple[StagedUnit, dict[str, Path]]) -> float:
    with Catalog.open(config) as catalog:
        start = time.perf_counter()
        catalog.commit([unit], message="bench")
        return time.perf_counter() - start


def _media_unit(folder: Path, number: int, rows: int) -> tuple[StagedUnit, dict[str, Path]]:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    path = folder / f"{number}.parquet"
    content = [
        {
            "media_id": f"{number:08x}{row:024x}",
            "role": "ugc",
            "uri": f"s3://bench/{number}/{row}.mp4",
            "version_id": "",
            "etag": "0",
            "size_bytes": row,
            "title": str(row),
            "discovered_at": now,
        }
        for row in range(rows)
    ]
    path.write_bytes(rows_to_parquet("media", content))
    return StagedUnit(f"bench-{number}", "media", str(number), {"media": str(path)}), {
        "media": path
    }
