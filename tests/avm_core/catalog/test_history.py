"""What ends is kept: which matches become history, why, and what a removal takes with it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from avm_core.catalog import Catalog
from avm_core.config import CatalogConfig
from tests.avm_core.catalog.builders import (
    DAY,
    VIDEO,
    commit,
    entry,
    exclusion,
    match,
    media,
    removal,
    scan,
)

NEWER = {"found_at": DAY + timedelta(days=1)}


def rows(config: CatalogConfig, table: str, columns: str) -> list[tuple[Any, ...]]:
    with Catalog.open(config, read_only=True) as reader:
        found = reader.select(f"SELECT {columns} FROM {table} ORDER BY ALL").to_pylist()
    return [tuple(row.values()) for row in found]


def past(config: CatalogConfig) -> list[tuple[Any, ...]]:
    return rows(config, "match_past", "ugc_id, licensed_id, ugc_start, ended_by")


@pytest.fixture
def world(config: CatalogConfig, tmp_path: Path) -> CatalogConfig:
    """u1 in l1 and l2, u2 in l1; titles l1, l2 in version 1 of their index, uploads likewise."""
    names = {"l1": "licensed", "l2": "licensed", "u1": "ugc", "u2": "ugc"}
    scans = [scan("u1", "forward", 1), scan("u2", "forward", 1)]
    found = [match("u1", "l1"), match("u1", "l2"), match("u2", "l1")]
    entries = [entry(f"{role}_audio", name, 1) for name, role in names.items()]
    rows_of = {
        "media": [media(name, role) for name, role in names.items()],
        "index_entry": entries,
        "match": found,
        "match_scan": scans,
    }
    with Catalog.open(config) as catalog:
        commit(catalog, tmp_path, rows_of)
    return config


def scanned(
    config: CatalogConfig,
    folder: Path,
    found: list[dict[str, Any]],
    *scans: dict[str, Any],
    kind: str = "forward",
) -> None:
    with Catalog.open(config) as catalog:
        commit(catalog, folder, {"match": found, "match_scan": list(scans)}, kind=kind)


def test_a_segment_found_again_is_no_ending(world: CatalogConfig, tmp_path: Path) -> None:
    again = [match("u1", "l1", start=10.04, **NEWER), match("u1", "l2", **NEWER)]
    scanned(world, tmp_path, again, scan("u1", "forward", 1))
    assert past(world) == []
    starts = rows(
        world, "match", "ugc_id, licensed_id, ugc_start, found_at > '2026-03-01 13:00:00Z'"
    )
    assert starts == [
        ("u1", "l1", 10.04, False),
        ("u1", "l2", 10.0, False),
        ("u2", "l1", 10.0, False),
    ]


def test_a_segment_found_elsewhere_is_one(world: CatalogConfig, tmp_path: Path) -> None:
    moves: list[dict[str, Any]] = [
        {"ugc_start": 9.94},
        {"ugc_end": 30.06},
        {"licensed_start": 310.06},
        {"licensed_end": 329.9},
        {"modality": "both"},
    ]
    names = [f"v{number}" for number, _ in enumerate(moves)]
    before = [match(name, "l1") for name in names]
    after = [match(name, "l1", **NEWER, **moved) for name, moved in zip(names, moves, strict=True)]
    scans = [scan(name, "forward", 1) for name in names]
    scanned(world, tmp_path, before, *scans)
    scanned(world, tmp_path, after, *scans)
    assert past(world) == [(name, "l1", 10.0, "rematch") for name in names]
    assert len(rows(world, "match", "match_id")) == 3 + len(moves)


def test_what_is_not_found_again_ends_with_all_its_columns(
    world: CatalogConfig, tmp_path: Path
) -> None:
    was = rows(world, "match", "* EXCLUDE (found_at)")
    scanned(world, tmp_path, [], scan("l1", "reverse", 1), kind="reverse")
    assert past(world) == [("u1", "l1", 10.0, "rematch"), ("u2", "l1", 10.0, "rematch")]
    kept = rows(world, "match_past", "* EXCLUDE (found_at, ended_at, ended_by)")
    assert sorted(kept + rows(world, "match", "* EXCLUDE (found_at)")) == was
    ended = "found_at = '2026-03-01 12:00:00Z' AND ended_at > '2026-06-01'"
    assert rows(world, "match_past", ended) == [(True,), (True,)]
    titles = rows(world, "past_matches", "ugc_title, licensed_title, ended_by")
    assert titles[0] == ("Фильм u1", "Фильм l1", "rematch")


def test_the_reason_says_what_was_new(world: CatalogConfig, tmp_path: Path) -> None:
    other_matcher = scan("u2", "forward", 1, matcher_version="matcher-2")
    scanned(world, tmp_path, [], other_matcher)
    assert past(world) == [("u2", "l1", 10.0, "matcher")]
    # A modality that was switched on since is another model; l2 shares its end with a new title.
    pictures = {"video_fingerprinter": VIDEO, **NEWER}
    both = (scan("u1", "forward", 1), scan("u1", "forward", 1, modality="video"))
    scanned(world, tmp_path, [match("u1", "l1", start=11.0, **pictures)], *both)
    assert past(world)[:2] == [("u1", "l1", 10.0, "model"), ("u1", "l2", 10.0, "model")]


def test_a_match_cut_short_by_an_exclusion_says_so(world: CatalogConfig, tmp_path: Path) -> None:
    with Catalog.open(world) as catalog:
        shared = {"exclusion": [exclusion("l1", "l2"), exclusion("l2", "l1")]}
        commit(catalog, tmp_path, shared, kind="exclusion")
    scanned(world, tmp_path, [], scan("u2", "forward", 1))
    assert past(world) == [("u2", "l1", 10.0, "exclusion")]


def test_history_grows_by_what_ends_and_no_more(world: CatalogConfig, tmp_path: Path) -> None:
    for day in range(1, 5):
        found_at = {"found_at": DAY + timedelta(days=day)}
        found = [match("u1", "l1", **found_at)] if day % 2 else []
        scans = scan("u1", "forward", 1, scanned_at=DAY + timedelta(days=day))
        scanned(world, tmp_path, found, scans)
    assert past(world) == [
        ("u1", "l1", 10.0, "rematch"),
        ("u1", "l1", 10.0, "rematch"),
        ("u1", "l2", 10.0, "rematch"),
    ]
    with Catalog.open(world, read_only=True) as reader:
        assert {name: n for name, n in reader.check().items() if n} == {}


@pytest.mark.parametrize(
    ("gone", "left", "ended"),
    [
        ("l1", [("u1", "l2")], [("u1", "l1"), ("u2", "l1")]),
        ("u1", [("u2", "l1")], [("u1", "l1"), ("u1", "l2")]),
    ],
)
def test_a_removal_ends_the_matches_of_either_side(
    world: CatalogConfig, tmp_path: Path, gone: str, left: list[Any], ended: list[Any]
) -> None:
    for who in ("anna", "boris"):
        with Catalog.open(world) as catalog:
            commit(catalog, tmp_path, {"removal": [removal(gone, removed_by=who)]}, kind="removal")
            assert {name: n for name, n in catalog.check().items() if n} == {}
    assert rows(world, "match", "ugc_id, licensed_id") == left
    assert past(world) == [(*pair, 10.0, "removed") for pair in ended]
    assert rows(world, "removals", "media_id, title, removed_by, reason, artefacts") == [
        (gone, f"Фильм {gone}", "anna", "the licence ended", 0)
    ]
    states = rows(world, "media_status", "media_id, state")
    assert [name for name, state in states if state == "removed"] == [gone]


def test_a_scan_that_began_before_the_removal_brings_nothing_back(
    world: CatalogConfig, tmp_path: Path
) -> None:
    late = [match("u1", "l1", start=50.0, **NEWER), match("u1", "l2", **NEWER)]
    with Catalog.open(world) as catalog:
        commit(catalog, tmp_path, {"removal": [removal("l1")]}, kind="removal")
    scanned(world, tmp_path, late, scan("u1", "forward", 1))
    assert rows(world, "match", "ugc_id, licensed_id") == [("u1", "l2")]
    assert {row[3] for row in past(world)} == {"removed"}


def test_exclusions_end_with_either_title_and_do_not_come_back(
    world: CatalogConfig, tmp_path: Path
) -> None:
    shared = [exclusion("l1", "l2"), exclusion("l2", "l1")]
    apart = [exclusion("l3", "l4"), exclusion("l4", "l3")]
    with Catalog.open(world) as catalog:
        commit(catalog, tmp_path, {"exclusion": shared + apart}, kind="exclusion")
        commit(catalog, tmp_path, {"removal": [removal("l1")]}, kind="removal")
        again = [row | {"unit_id": "late"} for row in shared]
        commit(catalog, tmp_path, {"exclusion": again}, kind="exclusion")
    assert rows(world, "exclusion", "media_id") == [("l3",), ("l4",)]
    assert rows(world, "exclusion_past", "media_id, other_id") == [("l1", "l2"), ("l2", "l1")]
