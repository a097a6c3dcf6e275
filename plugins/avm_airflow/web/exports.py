"""The filtered list as a file: CSV, JSON or Parquet."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.responses import FileResponse

from avm_airflow.web.catalogs import POOL
from avm_airflow.web.filters import Chosen
from avm_core.errors import StoreUnavailable

router = APIRouter()

Form = Literal["csv", "json", "parquet"]
_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
}
_SECONDS = 120.0
_AT_ONCE = threading.BoundedSemaphore(2)


@router.get("/export.{form}")
def export(form: Form, chosen: Chosen) -> FileResponse:
    """All claims that pass the filters, written batch by batch: a million need no memory."""
    if not _AT_ONCE.acquire(blocking=False):
        raise StoreUnavailable("other exports are being written")
    descriptor, name = tempfile.mkstemp(prefix="avm-export-", suffix=f".{form}")
    path = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file, POOL.lend(_SECONDS) as catalog:
            _WRITERS[form](catalog.batches("page/export", **chosen.conditions()), file)
    except BaseException:
        path.unlink()
        raise
    finally:
        _AT_ONCE.release()
    return FileResponse(
        path,
        media_type=_TYPES[form],
        filename=f"avm-matches.{form}",
        background=BackgroundTask(path.unlink),
    )


def _csv(batches: pa.RecordBatchReader, file: BinaryIO) -> None:
    # The header first, for a list without rows too.
    pa_csv.write_csv(batches.schema.empty_table(), file)
    options = pa_csv.WriteOptions(include_header=False)
    for batch in batches:
        pa_csv.write_csv(_harmless(batch), file, options)


def _harmless(batch: pa.RecordBatch) -> pa.Table:
    """Text that a spreadsheet would run as a formula gets an apostrophe: people write titles."""
    columns = []
    for column in batch.columns:
        if pa.types.is_string(column.type):
            risky = pc.fill_null(pc.match_substring_regex(column, r"^[=+\-@\t\r]"), False)
            quoted = pc.binary_join_element_wise("'", column, "")
            column = pc.if_else(risky, quoted, column)
        columns.append(column)
    return pa.table(columns, names=batch.schema.names)


def _json(batches: pa.RecordBatchReader, file: BinaryIO) -> None:
    file.write(b"[")
    first = True
    for batch in batches:
        for row in batch.to_pylist():
            file.write(b"\n" if first else b",\n")
            text = json.dumps(row, ensure_ascii=False, default=lambda value: value.isoformat())
            file.write(text.encode())
            first = False
    file.write(b"\n]\n")


def _parquet(batches: pa.RecordBatchReader, file: BinaryIO) -> None:
    with pq.ParquetWriter(file, batches.schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)


_WRITERS: dict[str, Callable[[pa.RecordBatchReader, BinaryIO], None]] = {
    "csv": _csv,
    "json": _json,
    "parquet": _parquet,
}
