"""Write matches as CSV, JSON or Parquet, in AVM's columns or in those of other scorers."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from avm_core.errors import BadSettings
from avm_core.types import Match

Format = Literal["avm", "rutube", "vsc"]
Row = dict[str, Any]

TEXT_COLUMNS = ("ugc_id", "licensed_id", "modality")
MATCH_COLUMNS = (
    "ugc_id",
    "licensed_id",
    "ugc_start",
    "ugc_end",
    "licensed_start",
    "licensed_end",
    "speed",
    "score",
    "modality",
    "audio_score",
    "video_score",
)
RUTUBE_COLUMNS = ("ID-piracy", "SEG-piracy", "ID-license", "SEG-license")
VSC_COLUMNS = (
    "query_id",
    "ref_id",
    "query_start",
    "query_end",
    "ref_start",
    "ref_end",
    "score",
)

_MEDIA_SUFFIX = re.compile(
    r"(?<=.)\.(3gp|aac|aiff|avi|flac|flv|m2ts|m4a|m4v|mka|mkv|mov|mp[234]|mpe?g|mts|og[agv]|opus|ts"
    r"|wav|webm|wma|wmv)$",
    re.IGNORECASE,
)


def media_stem(media_id: str) -> str:
    """The id without a media suffix: "a.b.MP4" gives "a.b", "v1.2" stays."""
    return _MEDIA_SUFFIX.sub("", media_id)


def write_matches(matches: Sequence[Match], path: Path, *, layout: Format = "avm") -> None:
    """Write one row per match; the suffix of `path` (.csv, .json, .parquet) picks the file type.

    Layout `avm` has all fields of `Match`, `vsc` the VSC22 matching columns (the UGC is the
    query), `rutube` file stems and integer seconds "start-end". Rows that are equal after
    that rounding are written once. Raises `BadSettings` for another suffix or layout.
    """
    if layout not in _LAYOUTS:
        raise BadSettings(f"match format {layout!r}: use one of {', '.join(_LAYOUTS)}")
    writer = _WRITERS.get(path.suffix.lower())
    if writer is None:
        raise BadSettings(f"cannot write matches to {path.name}: use {', '.join(_WRITERS)}")
    columns, to_row = _LAYOUTS[layout]
    rows = [
        dict(zip(columns, values, strict=True)) for values in dict.fromkeys(map(to_row, matches))
    ]
    writer(path, columns, rows)


def _avm_row(match: Match) -> tuple[Any, ...]:
    values = asdict(match)
    return tuple(values[column] for column in MATCH_COLUMNS)


def _rutube_row(match: Match) -> tuple[Any, ...]:
    return (
        media_stem(match.ugc_id.rpartition("/")[2]),
        _whole_seconds(match.ugc_start, match.ugc_end),
        media_stem(match.licensed_id.rpartition("/")[2]),
        _whole_seconds(match.licensed_start, match.licensed_end),
    )


def _vsc_row(match: Match) -> tuple[Any, ...]:
    return (
        match.ugc_id,
        match.licensed_id,
        match.ugc_start,
        match.ugc_end,
        match.licensed_start,
        match.licensed_end,
        match.score,
    )


def _whole_seconds(start: float, end: float) -> str:
    first = max(0, round(start))
    # A segment stays a segment after rounding: an empty one is invalid for every scorer.
    return f"{first}-{max(first + 1, round(end))}"


def _write_csv(path: Path, columns: Sequence[str], rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _write_json(path: Path, columns: Sequence[str], rows: list[Row]) -> None:
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _write_parquet(path: Path, columns: Sequence[str], rows: list[Row]) -> None:
    # The types are fixed, so a file without rows has the same schema as any other.
    numbers = set(MATCH_COLUMNS + VSC_COLUMNS) - {*TEXT_COLUMNS, "query_id", "ref_id"}
    schema = pa.schema(
        [(name, pa.float64() if name in numbers else pa.string()) for name in columns]
    )
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)


_LAYOUTS: dict[str, tuple[tuple[str, ...], Callable[[Match], tuple[Any, ...]]]] = {
    "avm": (MATCH_COLUMNS, _avm_row),
    "rutube": (RUTUBE_COLUMNS, _rutube_row),
    "vsc": (VSC_COLUMNS, _vsc_row),
}
_WRITERS: dict[str, Callable[[Path, Sequence[str], list[Row]], None]] = {
    ".csv": _write_csv,
    ".json": _write_json,
    ".parquet": _write_parquet,
}
