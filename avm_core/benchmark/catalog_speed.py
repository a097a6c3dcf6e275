"""How fast the catalog commits and answers."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from avm_core.catalog import Catalog, StagedUnit, migrate, rows_to_parquet
from avm_core.config import CatalogConfig


def measure_catalog(
    config: CatalogConfig, folder: Path, units: int = 20, rows: int = 500
) -> dict[str, Any]:
    """Milliseconds of one commit of `rows` media rows, of the no-op that repeats it, and of a short
    read: on a connection of its own, and on one that another read has left.

    `config` is a catalog that is not there yet, `folder` takes what is made on the way.
    """
    migrate(config)
    staged = [_media_unit(folder, number, rows) for number in range(units)]
    first = [_commit_time(config, unit) for unit in staged]
    again = [_commit_time(config, unit) for unit in staged]
    alone = [_read_time(_respelt(config, number)) for number in range(units)]
    after = [_read_time(config) for _ in range(units)]
    return {
        "rows_per_commit": rows,
        "commit_ms": 1000 * sorted(first)[units // 2],
        "repeat_ms": 1000 * sorted(again)[units // 2],
        "read_ms": 1000 * sorted(alone)[units // 2],
        "read_again_ms": 1000 * sorted(after)[units // 2],
    }


def _commit_time(config: CatalogConfig, unit: tuple[StagedUnit, dict[str, Path]]) -> float:
    with Catalog.open(config) as catalog:
        start = time.perf_counter()
        catalog.commit([unit], message="bench")
        return time.perf_counter() - start


def _respelt(config: CatalogConfig, number: int) -> CatalogConfig:
    """The same catalog in words that no connection was made for."""
    if config.dsn.startswith("postgres:"):
        dsn = f"{config.dsn} application_name=bench{number}"
    else:
        folder, _, name = config.dsn.rpartition("/")
        dsn = f"{folder}{'/.' * (number + 1)}/{name}"
    return config.model_copy(update={"dsn": dsn})


def _read_time(config: CatalogConfig) -> float:
    start = time.perf_counter()
    with Catalog.open(config, read_only=True) as catalog:
        catalog.query("exclusion/count")
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
