"""What a commit replaces, what it leaves, and that it happens once."""

from pathlib import Path
from typing import Any

import pytest

from avm_core.catalog import Catalog, StagedUnit
from avm_core.catalog import commit as commit_module
from avm_core.config import CatalogConfig
from avm_core.errors import BadSettings, CatalogConflict, ChecksumMismatch
from tests.avm_core.catalog.builders import (
    AUDIO,
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
    stage,
)


def rows(config: CatalogConfig, table: str, columns: str) -> list[tuple[object, ...]]:
    with Catalog.open(config, read_only=True) as reader:
        found = reader.select(f"SELECT {columns} FROM {table} ORDER BY ALL").to_pylist()
    return [tuple(row.values()) for row in found]


def pairs(config: CatalogConfig) -> list[tuple[object, ...]]:
    return rows(config, "match", "ugc_id, licensed_id")


def test_a_unit_is_committed_once(config: CatalogConfig, tmp_path: Path) -> None:
    units = [
        stage(tmp_path, "media", {"media": [media("a"), media("b")]}, unit_id="unit-1"),
        stage(tmp_path, "media", {"media": [media("c")]}, unit_id="unit-2"),
    ]
    with Catalog.open(config) as catalog:
        assert catalog.commit(units[:1], message="first") == 1
        assert catalog.commit(units, message="second") == 1
        assert catalog.commit(units, message="third") == 0
        assert catalog.commit([], message="nothing") == 0
    assert rows(config, "media", "media_id") == [("a",), ("b",), ("c",)]
    ledger = rows(config, "commit_ledger", "unit_id, kind, input_digest, rows")
    assert ledger == [("unit-1", "media", "d1", 2), ("unit-2", "media", "d1", 1)]
    messages = rows(config, "lake.snapshots()", "snapshot_id, author, commit_message")
    assert [tuple(row[1:]) for row in messages][-2:] == [("avm", "first"), ("avm", "second")]


def test_another_digest_replaces_the_rows_of_a_unit(config: CatalogConfig, tmp_path: Path) -> None:
    with Catalog.open(config) as catalog:
        for digest, title in (("d1", "old"), ("d2", "new")):
            staged = {"media": [media("a", title=title), media("b", title=title)]}
            unit = stage(tmp_path, "media", staged, unit_id="unit-1", digest=digest)
            assert catalog.commit([unit], message=digest) == 1
    assert rows(config, "media", "media_id, title") == [("a", "new"), ("b", "new")]
    assert rows(config, "commit_ledger", "unit_id, input_digest") == [("unit-1", "d2")]


def test_doubled_rows_are_stored_once(config: CatalogConfig, tmp_path: Path) -> None:
    double = {
        "media": [media("a"), media("a", day=1), media("b")],
        "media_content": [content("a"), content("a")],
        "media_fingerprint": [fingerprint("a", AUDIO), fingerprint("a", AUDIO)],
        "media_error": [media_error("b", "decode"), media_error("b", "decode")],
        "index_snapshot": [snapshot("ugc_audio", 1), snapshot("ugc_audio", 1)],
        "index_entry": [entry("ugc_audio", "a", 1), entry("ugc_audio", "a", 1)],
        "match_scan": [scan("a", "forward", 1), scan("a", "forward", 2)],
        "match": [match("a", "l1"), match("a", "l1")],
    }
    with Catalog.open(config) as catalog:
        commit(catalog, tmp_path, double)
        duplicates = {k: v for k, v in catalog.check().items() if k.startswith("duplicate_")}
    assert set(duplicates.values()) == {0}
    assert rows(config, "media", "media_id, size_bytes") == [("a", 1001), ("b", 1000)]
    assert rows(config, "match_scan", "probe_id, searched_version") == [("a", 2)]


def test_a_new_attempt_forgets_old_errors_of_its_media(
    config: CatalogConfig, tmp_path: Path
) -> None:
    with Catalog.open(config) as catalog:
        failed = [fingerprint(m, AUDIO, status="error") for m in ("a", "b", "c")]
        stages = (("a", "decode"), ("a", "publish_audio"), ("b", "decode"), ("c", "decode"))
        errors = [media_error(m, stage_name) for m, stage_name in stages]
        commit(catalog, tmp_path, {"media_fingerprint": failed, "media_error": errors})
        # a was probed again and failed elsewhere; c cannot even be probed any more.
        again = {
            "media_content": [content("a")],
            "media_fingerprint": [fingerprint("a", AUDIO), fingerprint("a", VIDEO, status="error")],
            "media_error": [media_error("a", "fingerprint_video"), media_error("c", "probe")],
        }
        commit(catalog, tmp_path, again)
    assert rows(config, "media_error", "media_id, stage") == [
        ("a", "fingerprint_video"),
        ("b", "decode"),
        ("c", "probe"),
    ]
    assert rows(config, "media_fingerprint", "media_id, modality, status") == [
        ("a", "audio", "ok"),
        ("a", "video", "error"),
        ("b", "audio", "error"),
        ("c", "audio", "error"),
    ]


def test_an_error_of_a_later_stage_leaves_the_others(config: CatalogConfig, tmp_path: Path) -> None:
    with Catalog.open(config) as catalog:
        commit(catalog, tmp_path, {"media_error": [media_error("a", "decode", message="old")]})
        later = [media_error("a", "publish_audio"), media_error("b", "publish_audio")]
        commit(catalog, tmp_path, {"media_error": later})
        newer = [media_error("a", "decode", message="new")]
        commit(catalog, tmp_path, {"media_error": newer})
    assert rows(config, "media_error", "media_id, stage, message") == [
        ("a", "decode", "new"),
        ("a", "publish_audio", "not playable"),
        ("b", "publish_audio", "not playable"),
    ]


def test_a_removed_entry_replaces_the_live_one(config: CatalogConfig, tmp_path: Path) -> None:
    with Catalog.open(config) as catalog:
        live = [entry("licensed_audio", "l1", 1), entry("licensed_audio", "l2", 1)]
        commit(catalog, tmp_path, {"index_entry": live})
        commit(
            catalog,
            tmp_path,
            {"index_entry": [entry("licensed_audio", "l1", 1, removed_version=2)]},
        )
    assert rows(config, "index_entry", "media_id, first_version, removed_version") == [
        ("l1", 1, 2),
        ("l2", 1, None),
    ]


def indexed(catalog: Catalog, folder: Path) -> None:
    """Licensed l1, l2 in version 1 and l3 in version 2; uploads u1, u2 in 1 and u3 in 2."""
    entries = [
        entry(name, f"{letter}{number}", 2 if number == 3 else 1)
        for name, letter in (("licensed_audio", "l"), ("ugc_audio", "u"))
        for number in (1, 2, 3)
    ]
    commit(catalog, folder, {"index_entry": entries})


def test_a_forward_unit_replaces_what_its_snapshot_held(
    config: CatalogConfig, tmp_path: Path
) -> None:
    with Catalog.open(config) as catalog:
        indexed(catalog, tmp_path)
        first = [match("u1", "l1"), match("u1", "l2"), match("u2", "l1"), match("u1", "l3")]
        probes = [scan("u1", "forward", 2), scan("u2", "forward", 2)]
        commit(catalog, tmp_path, {"match": first, "match_scan": probes}, kind="forward")
        again = [match("u1", "l2", start=40.0)]
        older_view = [scan("u1", "forward", 1)]
        commit(catalog, tmp_path, {"match": again, "match_scan": older_view}, kind="forward")
    found = rows(config, "match", "ugc_id, licensed_id, ugc_start")
    # l1 is gone for u1, l3 was not in version 1, u2 was not probed.
    assert found == [("u1", "l2", 40.0), ("u1", "l3", 10.0), ("u2", "l1", 10.0)]
    assert rows(config, "match_scan", "probe_id, searched_version") == [("u1", 2), ("u2", 2)]


def test_a_forward_unit_without_matches_clears_old_ones(
    config: CatalogConfig, tmp_path: Path
) -> None:
    with Catalog.open(config) as catalog:
        indexed(catalog, tmp_path)
        probes = [scan("u1", "forward", 2), scan("u2", "forward", 2)]
        found = [match("u1", "l1"), match("u1", "l3"), match("u2", "l2")]
        commit(catalog, tmp_path, {"match": found, "match_scan": probes}, kind="forward")
        newer = [scan("u1", "forward", 2, matcher_version="matcher-2")]
        commit(catalog, tmp_path, {"match_scan": newer}, kind="forward")
    assert pairs(config) == [("u2", "l2")]


def test_a_reverse_unit_replaces_the_pairs_it_compared(
    config: CatalogConfig, tmp_path: Path
) -> None:
    with Catalog.open(config) as catalog:
        indexed(catalog, tmp_path)
        forward = [match(u, lic) for u in ("u1", "u2", "u3") for lic in ("l1", "l2")]
        probes = [scan(u, "forward", 2) for u in ("u1", "u2", "u3")]
        commit(catalog, tmp_path, {"match": forward, "match_scan": probes}, kind="forward")
        found = [match("u2", "l1", start=55.0, direction="reverse")]
        commit(
            catalog,
            tmp_path,
            {"match": found, "match_scan": [scan("l1", "reverse", 1)]},
            kind="reverse",
        )
    found_rows = rows(config, "match", "ugc_id, licensed_id, ugc_start, direction")
    # u3 entered the ugc index after the searched version: its match with l1 stays.
    assert found_rows == [
        ("u1", "l2", 10.0, "forward"),
        ("u2", "l1", 55.0, "reverse"),
        ("u2", "l2", 10.0, "forward"),
        ("u3", "l1", 10.0, "forward"),
        ("u3", "l2", 10.0, "forward"),
    ]


def test_a_reverse_unit_without_matches_clears_old_ones(
    config: CatalogConfig, tmp_path: Path
) -> None:
    with Catalog.open(config) as catalog:
        indexed(catalog, tmp_path)
        old = [match(u, lic, direction="reverse") for u in ("u1", "u2") for lic in ("l1", "l2")]
        probes = [scan("l1", "reverse", 1), scan("l2", "reverse", 1)]
        commit(catalog, tmp_path, {"match": old, "match_scan": probes}, kind="reverse")
        commit(catalog, tmp_path, {"match_scan": [scan("l2", "reverse", 2)]}, kind="reverse")
    assert pairs(config) == [("u1", "l1"), ("u2", "l1")]
    assert rows(config, "match_scan", "probe_id, searched_version") == [("l1", 1), ("l2", 2)]


def test_a_bad_unit_leaves_nothing_of_its_transaction(
    config: CatalogConfig, tmp_path: Path
) -> None:
    good = stage(tmp_path, "media", {"media": [media("a"), media("b")]})
    unit, paths = stage(tmp_path, "index", {"index_entry": [entry("ugc_audio", "a", 1)]})
    with Catalog.open(config) as catalog:
        with pytest.raises(BadSettings, match="no local copy"):
            catalog.commit([good, (unit, {})], message="copy missing")
        paths["index_entry"].write_bytes(b"PAR1 not really")
        with pytest.raises(ChecksumMismatch):
            catalog.commit([good, (unit, paths)], message="copy damaged")
        assert catalog.query("media/ids", role="ugc") == []
        assert catalog.commit([good], message="alone") == 1
    assert rows(config, "commit_ledger", "kind") == [("media",)]


def test_a_writer_that_is_always_overtaken_gives_up(
    config: CatalogConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = config.model_copy(update={"max_retries": 1})
    slow = stage(tmp_path, "media", {"media": [media("a"), media("b")]}, unit_id="slow")
    look = commit_module._unknown_to_ledger
    rounds = iter(range(100))
    with Catalog.open(impatient) as catalog, Catalog.open(config) as other:

        def overtaken(connection: Any, units: list[Any]) -> list[Any]:
            if units[0][0].unit_id == "slow":
                rival = StagedUnit(f"rival-{next(rounds)}", "media", "d1", {})
                other.commit([(rival, {})], message="rival")
            return look(connection, units)

        monkeypatch.setattr(commit_module, "_unknown_to_ledger", overtaken)
        with pytest.raises(CatalogConflict, match="2 times"):
            catalog.commit([slow], message="slow")
    assert rows(config, "media", "media_id") == []
    assert rows(config, "commit_ledger", "unit_id") == [("rival-0",), ("rival-1",)]
