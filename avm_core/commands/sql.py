"""`avm sql`: read-only questions to the catalog."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from typing import Any

import pyarrow as pa
from rich.console import Console
from rich.table import Table

from avm_core.catalog import Catalog
from avm_core.config import load_settings
from avm_core.errors import BadSettings


def run(arguments: argparse.Namespace) -> None:
    """Print the rows as a table, CSV or JSON."""
    if bool(arguments.query) == bool(arguments.report):
        raise BadSettings("give one SELECT statement, or --report NAME")
    settings = load_settings()
    with Catalog.open(settings.catalog, read_only=True, s3=settings.s3) as catalog:
        if arguments.report:
            found = catalog.report(arguments.report)
        else:
            found = catalog.select(arguments.query)
    rows = found.to_pylist()
    if arguments.json:
        print(json.dumps(rows, indent=2, default=str))
    elif arguments.csv:
        writer = csv.DictWriter(sys.stdout, found.column_names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    else:
        Console().print(_table(found, rows))


def _table(found: pa.Table, rows: list[dict[str, Any]]) -> Table:
    table = Table(*found.column_names, header_style="bold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    return table


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)
