"""A result as people or programs want it: a table on the terminal, CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import json
import re
import sys
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table
from rich.text import Text

from avm_core.errors import BadSettings

FORMATS = ("table", "csv", "json", "parquet")
# Control characters, and those that turn the direction of everything after them.
_UNSHOWN = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def chosen_format(given: str | None, out: str | None) -> str:
    """What was asked for, else what the name of the file ends in, else a table.

    Raises `BadSettings` for an unknown name, or Parquet without a file.
    """
    suffix = Path(out).suffix.removeprefix(".") if out else ""
    wanted = given or (suffix if suffix in FORMATS else "table")
    if wanted not in FORMATS:
        raise BadSettings(f"--format {wanted!r} is none of {', '.join(FORMATS)}")
    if wanted == "parquet" and not out:
        raise BadSettings("Parquet is no text: name a file with --out FILE")
    return wanted


def write_table(found: pa.Table, form: str, *, out: str | None) -> None:
    """Write to the file `out`, replaced as a whole, or to the terminal.

    Raises `BadSettings` if the file cannot be written.
    """
    if out is None:
        _write_text(found, form, sys.stdout)
        return
    target = Path(out)
    partial = target.with_name(f".{target.name}.partial")
    try:
        if form == "parquet":
            pq.write_table(found, partial, compression="zstd")
        else:
            with partial.open("w", encoding="utf-8", newline="") as file:
                _write_text(found, form, file)
        partial.replace(target)
    except OSError as error:
        raise BadSettings(f"cannot write {out}: {error}") from error
    finally:
        partial.unlink(missing_ok=True)


def _write_text(found: pa.Table, form: str, file: IO[str]) -> None:
    if form == "json":
        json.dump(found.to_pylist(), file, indent=2, default=str, ensure_ascii=False)
        file.write("\n")
    elif form == "csv":
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(found.column_names)
        for batch in found.to_batches():
            columns = [column.to_pylist() for column in batch.columns]
            writer.writerows(zip(*columns, strict=True))
    else:
        wide = None if file is sys.stdout and sys.stdout.isatty() else 240
        Console(file=file, width=wide).print(_table(found))


def _table(found: pa.Table) -> Table:
    table = Table(*found.column_names, header_style="bold")
    for row in found.to_pylist():
        # As Text: in a plain string "[red]" would be a colour.
        table.add_row(*(Text(_cell(value)) for value in row.values()))
    return table


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}"
    return _UNSHOWN.sub("�", str(value))
