"""What the demo prints and draws: found beside planted, from the published results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table

from avm_core.evaluate.timeline import plot_timeline
from avm_core.pipeline.explain import explain
from avm_core.pipeline.platform import Platform
from avm_core.types import Match
from local.corpus import Upload

SQL = Path(__file__).with_name("demo.sql")
Row = dict[str, Any]

_COLUMNS = (
    "upload",
    "edit",
    "licensed",
    "planted_start",
    "planted_end",
    "found_start",
    "found_end",
    "start_error",
    "end_error",
    "speed",
    "score",
    "modality",
    "direction",
    "precedes_licence",
)


def compare(results: Path, uploads: Sequence[Upload]) -> list[Row]:
    """Rows of `demo.sql` on the published results."""
    planted = pa.Table.from_pylist([row for upload in uploads for row in _planted(upload)])
    with duckdb.connect(str(results), read_only=True) as connection:
        connection.register("planted", planted)
        table: pa.Table = connection.execute(SQL.read_text(encoding="utf-8")).to_arrow_table()
    rows: list[Row] = table.to_pylist()
    return rows


def _planted(upload: Upload) -> list[Row]:
    empty: Row = dict.fromkeys(("ugc_start", "ugc_end", "licensed_start", "licensed_end"))
    if not upload.planted:
        return [{"upload": upload.key, "edit": "clean", "licensed": None, **empty}]
    return [
        {
            "upload": upload.key,
            "edit": stretch.edit,
            "licensed": stretch.licensed_id,
            "ugc_start": stretch.ugc_start,
            "ugc_end": stretch.ugc_end,
            "licensed_start": stretch.licensed_start,
            "licensed_end": stretch.licensed_end,
        }
        for stretch in upload.planted
    ]


def verdict(rows: Sequence[Row], uploads: Sequence[Upload]) -> list[str]:
    """What is wrong: copies missed or found twice, matches without a planted copy, an upload
    older than its licence that is not marked, and an old upload that no backfill found."""
    problems = []
    for row in rows:
        name = f"{row['upload']} / {row['licensed']}"
        if row["planted_start"] is not None and row["found_start"] is None:
            problems.append(f"missed: {name} ({row['edit']})")
        if row["planted_start"] is None and row["found_start"] is not None:
            problems.append(f"false match: {name} at {row['found_start']:.1f} s")
    pairs = [(r["upload"], r["licensed"], r["planted_start"]) for r in rows if r["found_start"]]
    problems += [f"found twice: {pair[0]}" for pair in set(pairs) if pairs.count(pair) > 1]
    for upload in uploads:
        mine = [r for r in rows if r["upload"] == upload.key and r["found_start"] is not None]
        early = upload.planted and not upload.claimable
        if early and not all(row["precedes_licence"] for row in mine):
            problems.append(f"not marked as older than the licence: {upload.key}")
        if upload.late and not any(row["direction"] == "reverse" for row in mine):
            problems.append(f"not found by the backfill: {upload.key}")
    return problems


def draw(platform: Platform, rows: Sequence[Row], path: Path) -> Path | None:
    """Draw the time line of the copy at another speed, or of the first one found."""
    found = [row for row in rows if row["match_id"] and row["planted_start"] is not None]
    if not found:
        return None
    chosen = max(found, key=lambda row: abs(row["speed"] - 1.0))
    with platform.catalog() as catalog:
        stored = catalog.select(
            "SELECT * FROM matches WHERE match_id = $id", {"id": chosen["match_id"]}
        ).to_pylist()[0]
    match = Match(**{name: stored[name] for name in Match.__slots__})
    plot_timeline(
        match,
        explain(platform, match),
        path,
        names=(chosen["upload"], chosen["licensed"]),
        planted=[(chosen["planted_start"], chosen["planted_end"])],
    )
    return path


def print_report(
    console: Console, rows: Sequence[Row], results: Path, picture: Path | None
) -> None:
    """The SQL, its rows as a table, boundary errors in short, and where the picture is."""
    # A pipe has no width to fit the table into: give it what it needs.
    wide = console if console.is_terminal else Console(file=console.file, width=240)
    console.print("\n[bold]The SQL behind the table[/] (on the published results)")
    wide.print(Syntax(SQL.read_text(encoding="utf-8"), "sql", background_color="default"))
    table = Table(*(column.replace("_", " ") for column in _COLUMNS), header_style="bold")
    for row in rows:
        table.add_row(*(_cell(row[column]) for column in _COLUMNS))
    wide.print(table)
    errors = sorted(
        abs(row[name])
        for row in rows
        for name in ("start_error", "end_error", "licensed_start_error", "licensed_end_error")
        if row[name] is not None
    )
    if errors:
        middle, worst = errors[len(errors) // 2], errors[-1]
        console.print(f"Boundary error: median {middle:.2f} s, worst {worst:.2f} s")
    console.print(f"Results as one DuckDB file: {results}")
    if picture:
        console.print(f"Time line of one match:     {picture}")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)
