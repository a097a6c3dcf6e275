"""Rows and staged units with defaults, so that a test names only what it is about."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from avm_core.catalog import KINDS, Catalog, StagedUnit, rows_to_parquet

AUDIO = "audio_test.one-00000001"
VIDEO = "video_test.one-00000002"
MATCHER = "matcher-1"
DAY = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

Rows = dict[str, list[dict[str, Any]]]


def media(media_id: str, role: str = "ugc", *, day: int = 0, **more: Any) -> dict[str, Any]:
    row = {
        "media_id": media_id,
        "role": role,
        "uri": f"s3://{role}/{media_id}.mp4",
        "version_id": "",
        "etag": f"etag-{media_id}",
        "size_bytes": 1000 + day,
        "title": f"Фильм {media_id}",
        "discovered_at": DAY + timedelta(days=day),
    }
    return row | more


def content(media_id: str, *, duration: float = 100.0, **more: Any) -> dict[str, Any]:
    row = {
        "media_id": media_id,
        "content_id": f"content-{media_id}",
        "duration": duration,
        "audio_codec": "aac",
        "video_codec": "h264",
        "width": 640,
        "height": 360,
        "probed_at": DAY,
    }
    return row | more


def fingerprint(
    media_id: str, fingerprinter: str, *, status: str = "ok", **more: Any
) -> dict[str, Any]:
    usable = status == "ok"
    row = {
        "media_id": media_id,
        "modality": fingerprinter.partition("_")[0],
        "fingerprinter": fingerprinter,
        "status": status,
        "content_id": f"content-{media_id}" if usable else None,
        "artefact_uri": f"s3://lake/{fingerprinter}/{media_id}" if usable else None,
        "windows": 100 if usable else 0,
        "valid_windows": 90 if usable else 0,
        "dims": 96,
        "bytes": 9600,
        "fingerprinted_at": DAY,
    }
    return row | more


def media_error(media_id: str, stage: str, **more: Any) -> dict[str, Any]:
    row = {
        "media_id": media_id,
        "stage": stage,
        "error_class": "BadMedia",
        "message": "not playable",
        "terminal": True,
        "occurred_at": DAY,
    }
    return row | more


def snapshot(index_name: str, version: int, **more: Any) -> dict[str, Any]:
    row = {
        "snapshot_id": f"{index_name}-{version}",
        "index_name": index_name,
        "version": version,
        "fingerprinter": AUDIO if index_name.endswith("audio") else VIDEO,
        "manifest_uri": f"s3://lake/index/{index_name}/{version}.json",
        "windows": 100 * version,
        "media_count": version,
        "bytes": 9600 * version,
        "published_at": DAY + timedelta(hours=version),
    }
    return row | more


def entry(index_name: str, media_id: str, first_version: int, **more: Any) -> dict[str, Any]:
    row = {
        "index_name": index_name,
        "fingerprinter": AUDIO if index_name.endswith("audio") else VIDEO,
        "media_id": media_id,
        "first_version": first_version,
    }
    return row | more


def scan(
    probe_id: str, direction: str, version: int, *, modality: str = "audio", **more: Any
) -> dict[str, Any]:
    row = {
        "probe_id": probe_id,
        "direction": direction,
        "modality": modality,
        "searched_index": f"{'licensed' if direction == 'forward' else 'ugc'}_{modality}",
        "searched_version": version,
        "fingerprinter": AUDIO if modality == "audio" else VIDEO,
        "matcher_version": MATCHER,
        "unit_id": f"{direction}-{probe_id}",
        "scanned_at": DAY + timedelta(minutes=version),
    }
    return row | more


def match(
    ugc_id: str, licensed_id: str, *, start: float = 10.0, direction: str = "forward", **more: Any
) -> dict[str, Any]:
    key = f"{ugc_id}|{licensed_id}|{start}"
    row = {
        "match_id": hashlib.sha256(key.encode()).hexdigest(),
        "ugc_id": ugc_id,
        "licensed_id": licensed_id,
        "ugc_start": start,
        "ugc_end": start + 20.0,
        "licensed_start": start + 300.0,
        "licensed_end": start + 320.0,
        "speed": 1.0,
        "score": 0.9,
        "modality": "audio",
        "audio_score": 0.9,
        "video_score": 0.0,
        "direction": direction,
        "audio_snapshot": "licensed_audio-1",
        "audio_fingerprinter": AUDIO,
        "matcher_version": MATCHER,
        "unit_id": f"{direction}-{ugc_id}",
        "found_at": DAY,
    }
    return row | more


def removal(media_id: str, **more: Any) -> dict[str, Any]:
    row = {
        "removal_id": f"removal-{media_id}",
        "media_id": media_id,
        "reason": "the licence ended",
        "removed_by": "anna",
        "removed_at": DAY,
    }
    return row | more


def exclusion(media_id: str, other_id: str, **more: Any) -> dict[str, Any]:
    row = {
        "exclusion_id": f"exclusion-{media_id}-{other_id}",
        "media_id": media_id,
        "other_id": other_id,
        "start_s": 0.0,
        "end_s": 20.0,
        "score": 0.9,
        "modality": "audio",
        "audio_fingerprinter": AUDIO,
        "matcher_version": MATCHER,
        "unit_id": f"self-{media_id}",
        "found_at": DAY,
    }
    return row | more


def stage(
    folder: Path, kind: str, rows: Rows, *, unit_id: str = "", digest: str = "d1"
) -> tuple[StagedUnit, dict[str, Path]]:
    """Write the rows as Parquet below `folder`; the unit and its local files."""
    folder.mkdir(parents=True, exist_ok=True)
    unit_id = unit_id or hashlib.sha256(repr((kind, rows)).encode()).hexdigest()[:16]
    paths: dict[str, Path] = {}
    for table, table_rows in rows.items():
        paths[table] = folder / f"{unit_id}.{table}.parquet"
        paths[table].write_bytes(rows_to_parquet(table, table_rows))
    uris = {table: f"s3://lake/stage/{unit_id}/{table}.parquet" for table in paths}
    return StagedUnit(unit_id, kind, digest, uris), paths


def commit(catalog: Catalog, folder: Path, rows: Rows, *, kind: str = "") -> int:
    """Stage and commit rows; without `kind` each table goes with the kind that writes it,
    scans with the forward one."""
    if kind:
        units = [stage(folder, kind, rows)]
    else:
        units = [
            stage(folder, name, {t: rows[t] for t in tables if t in rows})
            for name, tables in KINDS.items()
            if name not in ("reverse", "exclusion") and any(t in rows for t in tables)
        ]
    return catalog.commit(units, message="test")


def ids(rows: Sequence[dict[str, Any]], column: str = "media_id") -> list[str]:
    return [row[column] for row in rows]
