"""Staged units: map tasks write rows as objects, one reduce task turns them into rows.

Keys depend on the unit alone, so a task that is killed and run again overwrites its own
objects, and nothing that it staged becomes visible before `record` commits it.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from avm_core.catalog import StagedUnit, rows_to_parquet
from avm_core.groups import in_groups
from avm_core.pipeline.platform import Platform
from avm_core.storage import object_uri

Rows = list[dict[str, Any]]


def digest(*parts: object) -> str:
    """First 16 hex digits of the sha256 of the parts as JSON."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def stage(
    platform: Platform, *, kind: str, unit_id: str, input_digest: str, tables: dict[str, Rows]
) -> dict[str, Any]:
    """Write the rows of each table as one Parquet object; return the unit as a small dict."""
    lake = platform.lake
    uris = {}
    for table, rows in tables.items():
        key = f"stage/{kind}/unit={unit_id}/{table}.parquet"
        if rows:
            lake.put(key, rows_to_parquet(table, rows))
            uris[table] = object_uri(lake, key)
    return StagedUnit(unit_id, kind, input_digest, uris).to_dict()


def record(platform: Platform, units: Sequence[dict[str, Any]], *, message: str) -> int:
    """Commit staged units in ONE catalog transaction; return how many were not there yet.

    Running it again is a no-op. `message` is kept with the catalog's snapshot.
    """
    staged = [StagedUnit.from_dict(unit) for unit in units]
    with tempfile.TemporaryDirectory(prefix="avm-record-") as folder:
        local = []
        for number, unit in enumerate(staged):
            paths: dict[str, Path] = {}
            for table, uri in unit.tables.items():
                paths[table] = Path(folder) / f"{number}-{table}.parquet"
                store, key = platform.resolve(uri)
                store.download(key, paths[table])
            local.append((unit, paths))
        with platform.catalog(read_only=False) as catalog:
            return catalog.commit(local, message=message)


def cost(
    unit_id: str, *, stage: str, media: int, media_seconds: float, since: float
) -> dict[str, Any]:
    """The row of `unit_cost` for work that began at `time.perf_counter()` of `since`."""
    return {
        "unit_id": unit_id,
        "stage": stage,
        "media": media,
        "media_seconds": media_seconds,
        "work_seconds": time.perf_counter() - since,
        "finished_at": datetime.now(UTC),
    }


# --- plans ------------------------------------------------------------------------------------


def write_plan(platform: Platform, *, kind: str, rows: Rows, identity: object) -> dict[str, Any]:
    """Store a batch's rows as a manifest object; return {"batch_id", "manifest_uri"}.

    The batch id covers rows and `identity` (versions), so the same plan is the same object.
    """
    batch_id = digest(kind, rows, identity)
    key = f"plans/{kind}/{batch_id}.json"
    lake = platform.lake
    body = {"batch_id": batch_id, "identity": identity, "rows": rows}
    lake.put(key, json.dumps(body, default=str, sort_keys=True).encode())
    return {"batch_id": batch_id, "manifest_uri": object_uri(lake, key)}


def read_plan(platform: Platform, batch: dict[str, Any]) -> dict[str, Any]:
    """The manifest behind a batch: {"batch_id", "identity", "rows"}."""
    plan: dict[str, Any] = json.loads(platform.get(batch["manifest_uri"]))
    return plan


def pack(
    rows: Iterable[dict[str, Any]], *, weight: str, limit: float, count: int | None = None
) -> list[Rows]:
    """Consecutive rows in batches of at most `count` rows and about `limit` of summed
    `weight`; a row heavier than the limit is a batch of its own."""
    return in_groups(rows, size=lambda row: float(row[weight] or 0), limit=limit, count=count)
