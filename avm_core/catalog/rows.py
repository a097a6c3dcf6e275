"""Rows as Parquet bytes in a table's schema, the form in which map tasks stage them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from avm_core.catalog.schema import TABLES
from avm_core.errors import BadSettings, ChecksumMismatch


def table_schema(table: str) -> pa.Schema:
    """The Arrow schema of `table`; raises `BadSettings` for an unknown name."""
    if table not in TABLES:
        raise BadSettings(f"the catalog has no table {table!r}; it has {', '.join(TABLES)}")
    return TABLES[table]


def rows_to_parquet(table: str, rows: Sequence[dict[str, Any]]) -> bytes:
    """Parquet bytes of `rows`; equal rows in the same order give equal bytes.

    Columns that may be NULL may be left out. Raises `BadSettings` for an unknown table or
    column, a missing value or one of the wrong type.
    """
    schema = table_schema(table)
    for row in rows:
        _require_columns(table, schema, row)
    try:
        content = pa.Table.from_pylist(list(rows), schema=schema)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise BadSettings(f"a {table} row does not fit its columns: {error}") from error
    sink = io.BytesIO()
    pq.write_table(content, sink, compression="zstd")
    return sink.getvalue()


def _require_columns(table: str, schema: pa.Schema, row: dict[str, Any]) -> None:
    unknown = sorted(set(row) - set(schema.names))
    if unknown:
        raise BadSettings(f"{table} has no column {', '.join(unknown)}; see catalog/schema.py")
    missing = [f.name for f in schema if not f.nullable and row.get(f.name) is None]
    if missing:
        raise BadSettings(f"a {table} row lacks {', '.join(missing)}, which may not be NULL")


def read_staged(table: str, path: Path) -> pa.Table:
    """The rows staged in the Parquet file `path`, in the table's schema.

    Raises `ChecksumMismatch` if the file is damaged or was made for another schema.
    """
    schema = table_schema(table)
    try:
        return pq.ParquetFile(path).read().select(schema.names).cast(schema)
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise ChecksumMismatch(
            f"{path} does not hold rows of {table} ({error}); stage the unit again"
        ) from error
