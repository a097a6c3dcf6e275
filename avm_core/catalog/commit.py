"""Staged units become rows: ledger check, replacement and ledger row in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from avm_core.catalog import statements
from avm_core.catalog.claims import Touched
from avm_core.catalog.rows import read_staged
from avm_core.catalog.schema import TABLES
from avm_core.catalog.transaction import transaction
from avm_core.catalog.units import KINDS, StagedUnit
from avm_core.errors import BadSettings

Staged = tuple[StagedUnit, dict[str, Path]]

_AUTHOR = "avm"


def commit_units(
    connection: duckdb.DuckDBPyConnection, units: Sequence[Staged], *, message: str
) -> int:
    """Replace the rows of `units` in ONE transaction; return how many were new.

    Units of one kind are replaced together, kinds in the order of `KINDS`; then the claims that
    rest on them are judged. Nothing is written if the ledger knows them all. Raises `BadSettings`
    if a unit's local file is not given, `ChecksumMismatch` if one is damaged, `duckdb.Error` if
    another writer was first.
    """
    latest = {unit.unit_id: (unit, paths) for unit, paths in units}
    with transaction(connection) as commit:
        # First of all, so that of two writers at once the later one fails and starts again
        # with the rows and the ledger of the earlier one in sight.
        connection.execute(statements.load("commit_serial/bump"))
        new = _unknown_to_ledger(connection, list(latest.values()))
        if not new:
            return 0
        entries: list[dict[str, object]] = []
        touched = Touched()
        for kind in KINDS:
            entries += _replace_kind(
                connection, kind, [u for u in new if u[0].kind == kind], touched
            )
        touched.renew(connection)
        ledger = pa.Table.from_pylist(entries, schema=TABLES["commit_ledger"])
        _replace(connection, "commit_ledger", ledger)
        connection.execute(
            statements.load("commit_ledger/describe"), {"author": _AUTHOR, "message": message}
        )
        commit()
    return len(new)


def _unknown_to_ledger(
    connection: duckdb.DuckDBPyConnection, units: Sequence[Staged]
) -> list[Staged]:
    known = set(
        connection.execute(
            statements.load("commit_ledger/known"),
            {"unit_ids": [unit.unit_id for unit, _ in units]},
        ).fetchall()
    )
    return [item for item in units if (item[0].unit_id, item[0].input_digest) not in known]


def _replace_kind(
    connection: duckdb.DuckDBPyConnection, kind: str, units: Sequence[Staged], touched: Touched
) -> list[dict[str, object]]:
    """Replace the rows of all units of one kind; return their ledger rows."""
    if not units:
        return []
    counts = dict.fromkeys((unit.unit_id for unit, _ in units), 0)
    staged: dict[str, pa.Table] = {}
    for table in KINDS[kind]:
        parts = [TABLES[table].empty_table()]
        for unit, paths in units:
            part = _read(unit, paths, table)
            counts[unit.unit_id] += part.num_rows
            parts.append(part)
        staged[table] = pa.concat_tables(parts)
        connection.register(f"staged_{table}", staged[table])
    for table in KINDS[kind]:
        _replace(connection, table, staged[table])
        touched.see(table, staged[table])
    now = datetime.now(UTC)
    return [
        {
            "unit_id": unit.unit_id,
            "kind": kind,
            "input_digest": unit.input_digest,
            "rows": counts[unit.unit_id],
            "committed_at": now,
        }
        for unit, _ in units
    ]


def _read(unit: StagedUnit, paths: dict[str, Path], table: str) -> pa.Table:
    if table not in unit.tables:
        return TABLES[table].empty_table()
    if table not in paths:
        raise BadSettings(
            f"unit {unit.unit_id}: no local copy of {unit.tables[table]} was given for {table}"
        )
    return read_staged(table, paths[table])


def _replace(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    connection.register(f"staged_{table}", rows)
    for text in statements.replacements(table):
        connection.execute(text)
