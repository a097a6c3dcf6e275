"""Read ground truth and matches from files, refusing what cannot be scored."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from avm_core.errors import BadSettings
from avm_core.evaluate.formats import MATCH_COLUMNS, RUTUBE_COLUMNS, VSC_COLUMNS, media_stem
from avm_core.types import MODALITIES, Match

# Header of the published RUTUBE ground truth, beside that of its submissions.
RUTUBE_TRUTH_COLUMNS = ("ID_piracy", "segment", "ID_license", "segment.1")

_TIMES = ("ugc_start", "ugc_end", "licensed_start", "licensed_end")
_REQUIRED = ("ugc_id", "licensed_id", *_TIMES)
_FROM_VSC = dict(zip(VSC_COLUMNS, ("ugc_id", "licensed_id", *_TIMES, "score"), strict=True))

T = TypeVar("T")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TruthSegment:
    """A copied segment as a person (or an edit script) says it: seconds, half-open, both sides."""

    ugc_id: str
    licensed_id: str
    ugc_start: float
    ugc_end: float
    licensed_start: float
    licensed_end: float

    @property
    def speed(self) -> float:
        """Licensed seconds per UGC second."""
        return (self.licensed_end - self.licensed_start) / (self.ugc_end - self.ugc_start)


def read_truth(path: Path) -> list[TruthSegment]:
    """Ground truth in RUTUBE, VSC or AVM columns, as .csv, .json or .parquet.

    A media suffix of an id (".mp4") is dropped, so "a.mp4" and "a" are one media; columns
    beyond the six of `TruthSegment` that AVM or VSC know are passed over. Raises `BadSettings`
    with file, line and reason for anything that is not a list of distinct, non-empty segments.
    """
    return _read(path, _truth)


def read_matches(path: Path) -> list[Match]:
    """Matches from the formats of `read_truth`. What a format lacks is filled in: score 1,
    speed from the two lengths, modality "both"."""
    return _read(path, _match)


def _read(path: Path, build: Callable[[Row], T]) -> list[T]:
    seen: dict[T, int] = {}
    for line, row in _rows(path):
        try:
            item = build(_canonical(row))
        except ValueError as error:
            raise BadSettings(f"{path.name}, line {line}: {error}") from error
        if item in seen:
            raise BadSettings(
                f"{path.name}, line {line}: repeats line {seen[item]}: remove one of them"
            )
        seen[item] = line
    return list(seen)


# --- files to rows ----------------------------------------------------------------------------


def _rows(path: Path) -> Iterator[tuple[int, Row]]:
    """(line, row) pairs; in .json and .parquet a line is the number of the row, from 1."""
    readers = {".csv": _csv_rows, ".json": _json_rows, ".parquet": _parquet_rows}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise BadSettings(f"cannot read matches from {path.name}: use {', '.join(readers)}")
    try:
        yield from reader(path)
    except (OSError, UnicodeDecodeError, csv.Error, json.JSONDecodeError, pa.ArrowException) as e:
        raise BadSettings(f"{path.name} cannot be read: {e}") from e


def _csv_rows(path: Path) -> Iterator[tuple[int, Row]]:
    # Spreadsheets put a byte order mark in front of the header.
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, restkey="", restval=None)
        _check_columns(path, reader.fieldnames or ())
        for row in reader:
            if "" in row or None in row.values():
                raise BadSettings(
                    f"{path.name}, line {reader.line_num}: expected {len(reader.fieldnames or ())} "
                    f"values as in the header"
                )
            yield reader.line_num, row


def _json_rows(path: Path) -> Iterator[tuple[int, Row]]:
    rows = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadSettings(f"{path.name}: expected a list of objects")
    for line, row in enumerate(rows, start=1):
        _check_columns(path, tuple(row))
        yield line, row


def _parquet_rows(path: Path) -> Iterator[tuple[int, Row]]:
    table = pq.read_table(path)
    _check_columns(path, table.column_names)
    yield from enumerate(table.to_pylist(), start=1)


def _check_columns(path: Path, columns: Any) -> None:
    given = list(columns)
    layouts = (
        (RUTUBE_COLUMNS, RUTUBE_COLUMNS),
        (RUTUBE_TRUTH_COLUMNS, RUTUBE_TRUTH_COLUMNS),
        (VSC_COLUMNS[:-1], VSC_COLUMNS),
        (_REQUIRED, MATCH_COLUMNS),
    )
    for required, allowed in layouts:
        if set(required) <= set(given) <= set(allowed) and len(set(given)) == len(given):
            return
    raise BadSettings(
        f"{path.name}, line 1: columns {', '.join(given) or '(none)'} are not known: use "
        f"{','.join(RUTUBE_COLUMNS)} or {','.join(VSC_COLUMNS)} or {','.join(_REQUIRED)} "
        f"with optional {','.join(c for c in MATCH_COLUMNS if c not in _REQUIRED)}"
    )


# --- rows to values ---------------------------------------------------------------------------


def _canonical(row: Row) -> Row:
    """The row in AVM's columns, values still as they were read. Raises `ValueError`."""
    for columns in (RUTUBE_COLUMNS, RUTUBE_TRUTH_COLUMNS):
        if columns[0] in row:
            ugc_id, ugc, licensed_id, licensed = (row[column] for column in columns)
            times = (*_split(columns[1], ugc), *_split(columns[3], licensed))
            return dict(zip(_REQUIRED, (ugc_id, licensed_id, *times), strict=True))
    if VSC_COLUMNS[0] in row:
        return {_FROM_VSC[column]: value for column, value in row.items()}
    return row


def _split(column: str, text: Any) -> tuple[str, str]:
    start, dash, end = str(text).strip().partition("-")
    if not dash or not start or not end:
        raise ValueError(f"{column} is {text!r}, expected seconds as start-end (no negative ones)")
    return start, end


def _truth(row: Row) -> TruthSegment:
    ugc_id, licensed_id = _id(row, "ugc_id"), _id(row, "licensed_id")
    ugc_start, ugc_end, licensed_start, licensed_end = (_number(row, name) for name in _TIMES)
    for side, start, end in (
        ("ugc", ugc_start, ugc_end),
        ("licensed", licensed_start, licensed_end),
    ):
        if start < 0:
            raise ValueError(f"{side} segment starts before 0: {start:g}")
        if end <= start:
            raise ValueError(f"{side} segment ends at {end:g}, not after its start {start:g}")
    return TruthSegment(ugc_id, licensed_id, ugc_start, ugc_end, licensed_start, licensed_end)


def _match(row: Row) -> Match:
    segment = _truth(row)
    modality = row.get("modality", "both")
    if modality not in (*MODALITIES, "both"):
        raise ValueError(f"modality is {modality!r}, expected audio, video or both")
    return Match(
        ugc_id=segment.ugc_id,
        licensed_id=segment.licensed_id,
        ugc_start=segment.ugc_start,
        ugc_end=segment.ugc_end,
        licensed_start=segment.licensed_start,
        licensed_end=segment.licensed_end,
        speed=_number(row, "speed") if "speed" in row else segment.speed,
        score=_number(row, "score") if "score" in row else 1.0,
        modality=modality,
        audio_score=_number(row, "audio_score") if "audio_score" in row else 0.0,
        video_score=_number(row, "video_score") if "video_score" in row else 0.0,
    )


def _id(row: Row, column: str) -> str:
    value = row[column]
    text = "" if value is None else str(value).strip()
    if not text:
        raise ValueError(f"{column} is empty")
    return media_stem(text)


def _number(row: Row, column: str) -> float:
    try:
        value = float(row[column])
    except (TypeError, ValueError) as error:
        raise ValueError(f"{column} is {row[column]!r}, expected a number") from error
    if not math.isfinite(value):
        raise ValueError(f"{column} is {value}, expected a finite number")
    return value
