"""How fast claims are judged, read and decided on, with many matches planted in a catalog."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from avm_core.catalog import TABLES, Catalog, StagedUnit, migrate
from avm_core.config import CatalogConfig, Settings
from avm_core.pipeline.decide import decide, undo
from avm_core.pipeline.platform import Platform

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_TITLES = 2_000
_REPEATS = 5
_QUESTIONS = {
    "first_page": "SELECT * FROM claims ORDER BY score DESC, match_id LIMIT 50",
    "page_of_reviews": (
        "SELECT * FROM claims WHERE action = 'review' ORDER BY length DESC LIMIT 50 OFFSET 500"
    ),
    "search_in_titles": (
        "SELECT * FROM claims WHERE licensed_title ILIKE '%title 17%' ORDER BY score LIMIT 50"
    ),
    "counts_by_action": "SELECT action, count(*) FROM claims GROUP BY action",
    "one_match": "SELECT * FROM claims WHERE match_id = '00000000000003e7'",
    "exposure": "FROM exposure ORDER BY minutes DESC LIMIT 50",
    "coverage": "FROM coverage ORDER BY ugc_seconds DESC LIMIT 50",
    "repeat_infringers": "FROM repeat_infringers ORDER BY blocked_uploads DESC LIMIT 50",
}


def measure_claims(matches: int) -> dict[str, Any]:
    """Seconds to judge `matches` matches, median milliseconds of each question and decision.

    Two matches per upload; a tenth of all matches belong to one title.
    """
    with tempfile.TemporaryDirectory(prefix="avm-bench-") as home:
        folder = Path(home)
        (folder / "lake").mkdir()
        config = CatalogConfig(dsn=f"sqlite:{folder}/c.sqlite", data_path=f"{folder}/rows/")
        migrate(config)
        judge = _plant(config, folder, matches)
        platform = Platform(Settings(lake_uri=str(folder / "lake"), catalog=config))
        with Catalog.open(config, read_only=True) as reader:
            asked = {
                name: _median(lambda text=text: reader.select(text))  # type: ignore[misc]
                for name, text in _QUESTIONS.items()
            }
        return {
            "matches": matches,
            "commit_and_judge_s": judge,
            "questions_ms": asked,
            "decide_ms": _deciding(platform, "reject"),
            "exclude_ms": _deciding(platform, "exclude"),
        }


def _deciding(platform: Platform, verdict: str) -> float:
    start = time.perf_counter()
    row = decide(platform, match_id=f"{0:016x}", verdict=verdict, decided_by="bench", source="cli")
    spent = time.perf_counter() - start
    undo(platform, decision_id=row["decision_id"], undone_by="bench")
    return 1000 * spent


def _median(ask: Callable[[], Any]) -> float:
    times = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        ask()
        times.append(time.perf_counter() - start)
    return 1000 * sorted(times)[_REPEATS // 2]


def _plant(config: CatalogConfig, folder: Path, matches: int) -> float:
    """Seconds of the commit that brings the matches and judges them."""
    uploads = (matches + 1) // 2
    described = {
        "media": pa.concat_tables([_media("ugc", uploads), _media("licensed", _TITLES)]),
        "media_content": pa.concat_tables([_content("u", uploads), _content("l", _TITLES)]),
    }
    found = {"match": _matches(matches, uploads)}
    with Catalog.open(config) as catalog:
        for kind, table in (("media", "media"), ("fingerprint", "media_content")):
            catalog.commit([_unit(folder, kind, {table: described[table]})], message="bench")
        start = time.perf_counter()
        catalog.commit([_unit(folder, "forward", found)], message="bench")
        return time.perf_counter() - start


def _unit(
    folder: Path, kind: str, tables: dict[str, pa.Table]
) -> tuple[StagedUnit, dict[str, Path]]:
    paths = {name: folder / f"{kind}-{name}.parquet" for name in tables}
    for name, content in tables.items():
        pq.write_table(content, paths[name], compression="zstd")
    uris = {name: str(path) for name, path in paths.items()}
    return StagedUnit(f"bench-{kind}", kind, kind, uris), paths


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


def _media(role: str, count: int) -> pa.Table:
    letter, word = ("u", "upload") if role == "ugc" else ("l", "title")
    numbers = range(count)
    return _table(
        "media",
        count,
        media_id=[f"{letter}{n:031x}" for n in numbers],
        role=role,
        uri=[f"s3://bench/{role}/{n}.mp4" for n in numbers],
        version_id="",
        etag="0",
        size_bytes=1,
        title=[f"{word} {n} עברית 🎬" for n in numbers],
        uploader=[f"uploader {n % 50_000}" for n in numbers] if role == "ugc" else None,
        views=np.arange(count) % 10_000 if role == "ugc" else None,
        uploaded_at=_NOW if role == "ugc" else None,
        rights_holder=None if role == "ugc" else [f"holder {n % 40}" for n in numbers],
        territories=None if role == "ugc" else "RU,KZ,BY",
        discovered_at=_NOW,
    )


def _content(letter: str, count: int) -> pa.Table:
    ids = [f"{letter}{n:031x}" for n in range(count)]
    return _table(
        "media_content", count, media_id=ids, content_id=ids, duration=1800.0, probed_at=_NOW
    )


def _matches(count: int, uploads: int) -> pa.Table:
    rng = np.random.default_rng(3)
    length = rng.uniform(15, 300, count)
    start, at = rng.uniform(0, 1400, count), rng.uniform(0, 1400, count)
    title = np.where(rng.random(count) < 0.1, 0, rng.integers(0, _TITLES, count))
    score = rng.uniform(0.5, 1, count)
    return _table(
        "match",
        count,
        match_id=[f"{n:016x}" for n in range(count)],
        ugc_id=[f"u{n:031x}" for n in np.arange(count) % uploads],
        licensed_id=[f"l{n:031x}" for n in title],
        ugc_start=start,
        ugc_end=start + length,
        licensed_start=at,
        licensed_end=at + length,
        speed=1.0,
        score=score,
        modality=rng.choice(["audio", "video", "both"], count),
        audio_score=score,
        video_score=0.0,
        direction="forward",
        matcher_version="bench",
        unit_id="bench",
        found_at=_NOW,
    )
