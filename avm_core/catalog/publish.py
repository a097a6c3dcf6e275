"""The public copy of the catalog: one plain DuckDB file that any `duckdb` can read."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import duckdb

from avm_core.catalog import statements
from avm_core.catalog.connection import LAKE
from avm_core.catalog.schema import TABLES
from avm_core.catalog.transaction import transaction

_COPY = "publication"


def publish(connection: duckdb.DuckDBPyConnection, path: Path) -> dict[str, int]:
    """Write tables and views of one lake snapshot to `path`; return row counts by name.

    Whoever has the old file open keeps reading it: the new one takes its place in one rename.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        counts = _write(connection, draft)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        for leftover in (draft, draft.with_name(draft.name + ".wal")):
            leftover.unlink(missing_ok=True)
    return counts


def _write(connection: duckdb.DuckDBPyConnection, draft: Path) -> dict[str, int]:
    # Identifiers and paths cannot be parameters of DDL; all of these names are our own, the
    # path is quoted.
    quoted = str(draft).replace("'", "''")
    connection.execute(f"ATTACH '{quoted}' AS {_COPY}")
    try:
        with transaction(connection) as commit:
            for table in TABLES:
                connection.execute(f"CREATE TABLE {_COPY}.{table} AS FROM {LAKE}.{table}")
            commit()
        connection.execute(f"USE {_COPY}")
        for name in statements.views():
            connection.execute(statements.load(name, "views"))
        counts = {name: _count(connection, name) for name in published_names()}
    finally:
        connection.execute(f"USE {LAKE}")
        connection.execute(f"DETACH {_COPY}")
    return counts


def export_views(connection: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, int]:
    """Write every view of one lake snapshot as `folder/<view>.parquet`; rows by view."""
    counts = {}
    with transaction(connection) as commit:
        for name in statements.views():
            quoted = str(folder / f"{name}.parquet").replace("'", "''")
            done = connection.execute(
                f"COPY (FROM {name}) TO '{quoted}' (FORMAT parquet, COMPRESSION zstd)"
            ).fetchone()
            counts[name] = int(done[0]) if done else 0
        commit()
    return counts


def published_names() -> list[str]:
    """Tables, then views."""
    return [*TABLES, *statements.views()]


def _count(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {_COPY}.{name}").fetchone()
    return int(row[0]) if row else 0
