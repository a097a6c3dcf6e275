"""The public face: what the views say about a small world."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from avm_core.catalog import Catalog
from avm_core.config import CatalogConfig
from tests.avm_core.catalog.builders import (
    AUDIO,
    DAY,
    VIDEO,
    commit,
    content,
    entry,
    fingerprint,
    match,
    media,
    media_error,
    scan,
    snapshot,
)


def read(config: CatalogConfig, text: str) -> list[dict[str, Any]]:
    with Catalog.open(config, read_only=True) as reader:
        return reader.select(text).to_pylist()


def test_matches_tell_who_where_and_who_was_first(config: CatalogConfig, tmp_path: Path) -> None:
    licence = DAY + timedelta(days=2)
    with Catalog.open(config) as catalog:
        commit(
            catalog,
            tmp_path,
            {
                "media": [
                    media("u1", uploaded_at=DAY),
                    media("u2", uploaded_at=DAY + timedelta(days=3)),
                    media("u3"),
                    media("l1", "licensed", licensed_from=licence),
                ],
                "media_content": [content("u1", duration=80.0), content("u2", duration=10.0)],
                "match": [match(u, "l1") for u in ("u1", "u2", "u3")],
                "match_scan": [scan(u, "forward", 1) for u in ("u1", "u2", "u3")],
            },
        )
    rows = read(config, "FROM matches ORDER BY ugc_id")
    assert [row["precedes_licence"] for row in rows] == [True, False, None]
    assert [row["length"] for row in rows] == [20.0] * 3
    assert [row["coverage"] for row in rows] == [0.25, 1.0, None]
    assert rows[0]["ugc_title"] == "Фильм u1"
    assert rows[1]["licensed_uri"] == "s3://licensed/l1.mp4"
    assert rows[1]["licensed_from"] == licence


def test_media_status_names_the_state_of_each(config: CatalogConfig, tmp_path: Path) -> None:
    usable = ("waiting", "searched", "found", "film", "stored")
    with Catalog.open(config) as catalog:
        commit(
            catalog,
            tmp_path,
            {
                "media": [
                    *[media(m) for m in ("new", "mute", "bad", "waiting", "searched", "found")],
                    *[media(m, "licensed") for m in ("film", "stored", "raw")],
                ],
                "media_content": [content("searched", duration=33.0)],
                "media_fingerprint": [
                    *[fingerprint(m, AUDIO) for m in usable],
                    fingerprint("searched", VIDEO, status="error"),
                    fingerprint("mute", AUDIO, status="absent"),
                    fingerprint("mute", VIDEO, status="empty"),
                    fingerprint("bad", AUDIO, status="error"),
                ],
                "media_error": [
                    media_error("bad", "decode"),
                    media_error("bad", "probe", occurred_at=DAY - timedelta(days=1), message="x"),
                    media_error("raw", "download", error_class="MediaVanished"),
                ],
                "index_entry": [entry("licensed_audio", "stored", 1)],
                "match_scan": [scan("searched", "forward", 1), scan("found", "forward", 1)],
                "match": [match("found", "film"), match("found", "film", start=60.0)],
            },
        )
    rows = {row["media_id"]: row for row in read(config, "FROM media_status")}
    assert {name: row["state"] for name, row in rows.items()} == {
        "new": "discovered",
        "mute": "empty",
        "bad": "error",
        "waiting": "fingerprinted",
        "searched": "unmatched",
        "found": "matched",
        "film": "matched",
        "stored": "indexed",
        "raw": "error",
    }
    assert (rows["found"]["matches"], rows["new"]["matches"]) == (2, 0)
    assert rows["searched"]["duration"] == 33.0
    assert rows["bad"]["error_message"] == "not playable"
    errors = read(config, "SELECT uri, error_class FROM errors ORDER BY uri, error_class")
    assert [row["error_class"] for row in errors] == ["MediaVanished", "BadMedia", "BadMedia"]


def test_snapshots_mark_the_current_one_of_each_index(
    config: CatalogConfig, tmp_path: Path
) -> None:
    published = [snapshot("ugc_audio", 1), snapshot("ugc_audio", 2), snapshot("licensed_video", 1)]
    with Catalog.open(config) as catalog:
        commit(catalog, tmp_path, {"index_snapshot": published})
    rows = read(config, "FROM snapshots ORDER BY index_name, version")
    assert [(r["index_name"], r["version"], r["is_current"]) for r in rows] == [
        ("licensed_video", 1, True),
        ("ugc_audio", 1, False),
        ("ugc_audio", 2, True),
    ]
    assert {row["bytes_per_window"] for row in rows} == {96.0}
