"""What was copied, how much of it and by whom: a planted world against arithmetic in numpy."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

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
from tests.avm_core.catalog.claims import decision, read, save_rules
from tests.avm_core.catalog.fresh import empty, migrated

AWKWARD = "<script>alert(1)</script> عنوان \u202eטקסט 🎬𝔘 [red]O'Hara"
VIEWS = {"u1": 1000, "u2": None, "u3": 10, "u4": None}
UPLOADERS = {"u1": "ann", "u2": "ann", "u3": "боб", "u4": None}
SECONDS = {"u": 200, "l": 1000}


def planted() -> list[dict[str, Any]]:
    """Segments on whole seconds, several per pair, that overlap each other on both sides."""
    rng = np.random.default_rng(11)
    rows = []
    for upload in VIEWS:
        for title in ("l1", "l2", "l3"):
            for number in range(int(rng.integers(4, 9))):
                start, at = float(rng.integers(0, 150)), float(rng.integers(0, 900))
                length = float(rng.integers(1, 50))
                row = match(upload, title, start=start) | {
                    "match_id": f"{upload}-{title}-{number}",
                    "ugc_end": start + length,
                    "licensed_start": at,
                    "licensed_end": at + length,
                    "speed": 1.0 + 0.05 * (number % 3),
                    "score": 0.5 + 0.05 * number,
                }
                rows.append(row)
    return rows


ROWS = planted()
# A person rejects what u1 shows of the first half of l1, and so what lies in it by half.
REJECTED = {
    r["match_id"]
    for r in ROWS
    if (r["ugc_id"], r["licensed_id"]) == ("u1", "l1")
    and 2 * (500 - r["licensed_start"]) >= r["licensed_end"] - r["licensed_start"]
}


def union(rows: list[dict[str, Any]], side: str) -> int:
    """Seconds that the segments cover, counted one by one."""
    covered = np.zeros(2000, bool)
    for row in rows:
        covered[int(row[f"{side}_start"]) : int(row[f"{side}_end"])] = True
    return int(covered.sum())


def kept(**fields: str) -> list[dict[str, Any]]:
    rows = [r for r in ROWS if r["match_id"] not in REJECTED]
    return [r for r in rows if all(r[k] == v for k, v in fields.items())]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, template: CatalogConfig) -> CatalogConfig:
    folder = tmp_path_factory.mktemp("world")
    config = migrated(empty(folder), template)
    wide = {"ugc_id": "u1", "licensed_id": "l1", "ugc_start": 0.0, "ugc_end": 200.0}
    verdict = decision(wide | {"licensed_start": 0.0, "licensed_end": 500.0}, "reject")
    with Catalog.open(config) as catalog:
        commit(
            catalog,
            folder,
            {
                "media": [
                    *[
                        media(u, title=AWKWARD, uploader=UPLOADERS[u], views=VIEWS[u])
                        | {"uploaded_at": DAY}
                        for u in VIEWS
                    ],
                    media("u5", uploader="ann"),
                    media("l1", "licensed", rights_holder="A", licensed_from=DAY),
                    media("l2", "licensed", licensed_from=DAY + timedelta(days=2), title=AWKWARD),
                    media("l3", "licensed"),
                ],
                "media_content": [
                    content(m, duration=float(SECONDS[m[0]])) for m in (*VIEWS, "l1", "l2", "l3")
                ],
                "media_fingerprint": [
                    fingerprint(m, who) for m in ("u1", "l1") for who in (AUDIO, VIDEO)
                ]
                + [fingerprint("u2", AUDIO)],
                "media_error": [media_error("u4", "decode"), media_error("u5", "decode")],
                "index_snapshot": [
                    snapshot("licensed_audio", 1),
                    snapshot("licensed_audio", 2, parent_id="licensed_audio-1"),
                ],
                "index_entry": [
                    entry("licensed_audio", "l1", 1, removed_version=2),
                    *[entry("licensed_audio", m, 2) for m in ("l2", "l3")],
                ],
                "match_scan": [scan(u, "forward", 1) for u in VIEWS],
                "match": ROWS,
                "decision": [verdict],
            },
        )
        rules = [
            {"name": "early", "action": "track", "precedes_licence": True},
            {"name": "sure", "action": "block", "min_score": 0.6},
            {"name": "rest", "action": "review"},
        ]
        save_rules(catalog, folder, 2, rules)
    return config


def test_the_planted_world_has_enough_of_everything(world: CatalogConfig) -> None:
    assert len(ROWS) > 30
    found = read(world, "SELECT match_id FROM claims WHERE decision = 'reject'")
    assert {row["match_id"] for row in found} == REJECTED
    assert 0 < len(REJECTED) < len([r for r in ROWS if r["licensed_id"] == "l1"])


def test_coverage_counts_each_second_of_a_pair_once(world: CatalogConfig) -> None:
    rows = {(r["ugc_id"], r["licensed_id"]): r for r in read(world, "FROM coverage")}
    assert set(rows) == {(r["ugc_id"], r["licensed_id"]) for r in kept()}
    for (upload, title), row in rows.items():
        segments = kept(ugc_id=upload, licensed_id=title)
        assert row["segments"] == len(segments)
        assert row["ugc_seconds"] == union(segments, "ugc")
        assert row["licensed_seconds"] == union(segments, "licensed")
        assert row["share_of_upload"] == pytest.approx(union(segments, "ugc") / 200)
        assert row["share_of_title"] == pytest.approx(union(segments, "licensed") / 1000)
        lengths = {r["match_id"]: r["ugc_end"] - r["ugc_start"] for r in segments}
        assert row["longest_length"] == max(lengths.values()) == lengths[row["longest_match_id"]]


def test_upload_coverage_counts_what_two_titles_claim_once(world: CatalogConfig) -> None:
    for row in read(world, "FROM upload_coverage"):
        segments = kept(ugc_id=row["ugc_id"])
        assert row["copied_seconds"] == union(segments, "ugc")
        assert row["share_of_upload"] == pytest.approx(union(segments, "ugc") / 200)
        assert row["titles"] == len({r["licensed_id"] for r in segments})
        assert row["ugc_title"] == AWKWARD


def test_exposure_adds_up_uploads_minutes_and_views(world: CatalogConfig) -> None:
    rows = {row["licensed_id"]: row for row in read(world, "FROM exposure")}
    assert set(rows) == {"l1", "l2", "l3"}
    for title, row in rows.items():
        segments = kept(licensed_id=title)
        uploads = {r["ugc_id"] for r in segments}
        seconds = {u: union(kept(licensed_id=title, ugc_id=u), "ugc") for u in uploads}
        watched = {u: VIEWS[u] for u in uploads if VIEWS[u] is not None}
        assert (row["uploads"], row["claims"]) == (len(uploads), len(segments))
        assert row["minutes"] == pytest.approx(sum(seconds.values()) / 60)
        assert row["views"] == (sum(v for v in watched.values() if v) if watched else None)
        viewed = sum(seconds[u] * (v or 0) for u, v in watched.items()) / 3600
        assert row["viewed_hours"] == pytest.approx(viewed)
        assert row["share_of_title"] == pytest.approx(union(segments, "licensed") / 1000)
        assert row["blocked"] + row["in_review"] + row["tracked"] == row["claims"]
    assert rows["l2"]["tracked"] == rows["l2"]["claims"]


def test_repeat_infringers_are_counted_by_blocked_uploads(world: CatalogConfig) -> None:
    blocked = {r["ugc_id"] for r in kept() if r["licensed_id"] != "l2" and r["score"] >= 0.6}
    rows = {row["uploader"]: row for row in read(world, "FROM repeat_infringers")}
    assert set(rows) == {UPLOADERS[u] for u in blocked if UPLOADERS[u]}
    ann = [u for u in blocked if UPLOADERS[u] == "ann"]
    assert rows["ann"]["blocked_uploads"] == len(ann)
    assert (rows["ann"]["uploads"], rows["ann"]["repeats"]) == (3, len(ann) > 1)
    assert rows["ann"]["share_blocked"] == pytest.approx(len(ann) / 3)


def test_speed_early_uploads_and_agreement_pick_the_right_matches(world: CatalogConfig) -> None:
    fast = {r["match_id"] for r in ROWS if r["speed"] > 1.01}
    assert {r["match_id"] for r in read(world, "FROM speed_changed")} == fast
    early = read(world, "FROM early_uploads")
    assert {r["match_id"] for r in early} == {
        r["match_id"] for r in ROWS if r["licensed_id"] == "l2"
    }
    assert {r["days_before"] for r in early} == {2.0}
    agreement = {r["match_id"]: r["agreement"] for r in read(world, "FROM modality_agreement")}
    assert set(agreement) == {r["match_id"] for r in ROWS}
    # All were found by sound; the rows of matches name no video fingerprinter to compare.
    assert set(agreement.values()) == {"audio only"}


def test_errors_and_lineage_are_counted(world: CatalogConfig) -> None:
    (errors,) = read(world, "FROM error_classes")
    assert (errors["error_class"], errors["media"]) == ("BadMedia", 2)
    assert errors["share_of_media"] == pytest.approx(2 / 8)
    first, second = read(world, "FROM index_lineage ORDER BY version")
    assert (first["media_added"], first["parent_version"], first["matches"]) == (1, None, len(ROWS))
    assert (second["media_added"], second["media_removed"], second["parent_version"]) == (2, 1, 1)
    assert second["windows_more"] == 100
