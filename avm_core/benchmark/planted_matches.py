"""A catalog with as many matches planted in it as a measurement wants."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from avm_core.catalog import TABLES, Catalog, StagedUnit, migrate
from avm_core.config import CatalogConfig

TITLES = 2_000
_PER_UPLOAD = 5
_DAYS = 300
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


@contextmanager
def fresh_catalog(dsn: str = "") -> Iterator[tuple[CatalogConfig, Path]]:
    """Settings of a catalog that is not there yet, and a folder for what is made with it, deleted
    afterwards; `dsn` names an empty Postgres database that takes the place of SQLite's file."""
    with tempfile.TemporaryDirectory(prefix="avm-bench-") as home:
        dsn = dsn or f"sqlite:{home}/c.sqlite"
        yield CatalogConfig(dsn=dsn, data_path=f"{home}/rows/"), Path(home)


def plant(config: CatalogConfig, folder: Path, matches: int, batch: int = 0) -> list[float]:
    """Fill a fresh catalog with `matches` matches, then commit a `batch` of others, of uploads that
    had none; seconds of both commits, the judging of the claims included.

    Five matches per upload; a twentieth of all belongs to title 0. Ids are numbers: upload `n` is
    `upload_id(n)`, title `title_id(n)`, match `match_id(n)`.
    """
    migrate(config)
    uploads, later = max(matches // _PER_UPLOAD, 1), max(batch // _PER_UPLOAD, 1)
    ugc = [upload_id(n) for n in range(uploads + later)]
    licensed = [title_id(n) for n in range(TITLES)]
    units = [
        _unit(folder, "media", {"media": _media(ugc, licensed)}),
        _unit(folder, "fingerprint", {"media_content": _content([*ugc, *licensed])}),
    ]
    seconds = []
    with Catalog.open(config) as catalog:
        catalog.commit(units, message="bench")
        for name, of, first, count in (
            ("all", ugc[:uploads], 0, matches),
            ("batch", ugc[uploads:], matches, batch),
        ):
            tables = {"match": _matches(of, first, count), "match_scan": _scans(of)}
            unit = _unit(folder, "forward", tables, name)
            start = time.perf_counter()
            catalog.commit([unit], message="bench")
            seconds.append(time.perf_counter() - start)
        catalog.compact()
    return seconds


def upload_id(number: int) -> str:
    """Media id of an upload."""
    return f"u{number:031x}"


def title_id(number: int) -> str:
    """Media id of a licensed title."""
    return f"l{number:031x}"


def match_id(number: int) -> str:
    """Id of a match."""
    return f"{number:016x}"


def _unit(
    folder: Path, kind: str, tables: dict[str, pa.Table], name: str = "all"
) -> tuple[StagedUnit, dict[str, Path]]:
    paths = {table: folder / f"{kind}-{name}-{table}.parquet" for table in tables}
    for table, content in tables.items():
        pq.write_table(content, paths[table], compression="zstd")
    uris = {table: str(path) for table, path in paths.items()}
    return StagedUnit(f"bench-{kind}-{name}", kind, name, uris), paths


def _table(name: str, count: int, **columns: Any) -> pa.Table:
    """`count` rows; a column that is not given is NULL, one value stands for all rows."""
    arrays = []
    for field in TABLES[name]:
        given = columns.get(field.name)
        if isinstance(given, list | np.ndarray):
            arrays.append(pa.array(given, field.type))
        else:
            arrays.append(pa.repeat(pa.scalar(given, field.type), count))
    return pa.Table.from_arrays(arrays, schema=TABLES[name])


def _media(ugc: Sequence[str], licensed: Sequence[str]) -> pa.Table:
    return pa.concat_tables(
        [
            _some_media(
                ugc,
                "ugc",
                uploader=[f"channel {n % 50_000}" for n in range(len(ugc))],
                views=np.arange(len(ugc)) * 37 % 1_000_003,
                uploaded_at=_NOW,
            ),
            _some_media(
                licensed,
                "licensed",
                rights_holder=[f"holder {n % 40}" for n in range(len(licensed))],
                territories="RU,KZ,BY",
            ),
        ]
    )


def _some_media(ids: Sequence[str], role: str, **columns: Any) -> pa.Table:
    word = "upload" if role == "ugc" else "title"
    return _table(
        "media",
        len(ids),
        media_id=list(ids),
        role=role,
        uri=[f"s3://bench/{role}/{n}.mp4" for n in range(len(ids))],
        version_id="",
        etag="0",
        size_bytes=10**8,
        title=[f"{word} {n} עברית 🎬" for n in range(len(ids))],
        discovered_at=_NOW,
        **columns,
    )


def _content(ids: Sequence[str]) -> pa.Table:
    return _table(
        "media_content",
        len(ids),
        media_id=list(ids),
        content_id=list(ids),
        duration=1800.0,
        probed_at=_NOW,
    )


def _scans(ugc: Sequence[str]) -> pa.Table:
    return _table(
        "match_scan",
        len(ugc),
        probe_id=list(ugc),
        direction="forward",
        modality="audio",
        searched_index="licensed",
        searched_version=1,
        fingerprinter="bench",
        matcher_version="bench",
        unit_id="bench",
        scanned_at=_NOW,
    )


def _matches(ugc: Sequence[str], first: int, count: int) -> pa.Table:
    rng = np.random.default_rng(first)
    length = rng.uniform(15, 300, count)
    start, at = rng.uniform(0, 1400, count), rng.uniform(0, 1400, count)
    title = np.where(rng.random(count) < 0.05, 0, rng.integers(0, TITLES, count))
    score = rng.uniform(0.5, 1, count)
    days = rng.integers(0, _DAYS, count).astype("timedelta64[D]")
    return _table(
        "match",
        count,
        match_id=[match_id(n) for n in range(first, first + count)],
        ugc_id=[ugc[n % len(ugc)] for n in range(count)],
        licensed_id=[title_id(n) for n in title],
        ugc_start=start,
        ugc_end=start + length,
        licensed_start=at,
        licensed_end=at + length,
        speed=np.where(rng.random(count) < 0.1, 1.05, 1.0),
        score=score,
        modality=np.take(["audio", "video", "both"], rng.integers(0, 3, count)),
        audio_score=score,
        video_score=0.0,
        direction=np.take(["forward", "reverse"], rng.integers(0, 2, count)),
        matcher_version="bench",
        unit_id="bench",
        found_at=np.datetime64(_NOW.replace(tzinfo=None), "us") + days,
    )
