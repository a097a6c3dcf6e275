"""How matches, media and indexes end or are made anew: planted copies, and the rows after it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from avm_core.errors import BadSettings, CheckFailed, ChecksumMismatch
from avm_core.fingerprint import codec
from avm_core.index.snapshot import current, media_ids, verify
from avm_core.pipeline import stages
from avm_core.pipeline.media_rows import MediaResult
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.round import run_round
from avm_core.pipeline.staging import stage
from avm_core.storage import object_uri
from avm_core.types import AudioStream, MediaInfo
from tests.builders import Tape, cut, make_fingerprint, make_tape, splice

TAPES = {name: make_tape(seed, 80.0) for seed, name in enumerate(("t0", "t1", "t2"))}
SEGMENT = ("ugc_start", "ugc_end", "licensed_start", "licensed_end", "speed", "score", "modality")


def upload(seed: int, *titles: str) -> Tape:
    """Ten seconds of its own, then 40 s of each title and ten of its own after it."""
    parts = [make_tape(1000 + 10 * seed, 10.0)]
    for number, title in enumerate(titles, start=1):
        own = make_tape(1000 + 10 * seed + number, 10.0)
        parts += [cut(TAPES[title], 20.0, 60.0), own]
    return splice(*parts)


UPLOADS = {"u0": upload(0, "t0"), "u1": upload(1, "t1"), "u2": upload(2, "t0", "t1")}


def put(
    platform: Platform,
    role: str,
    tapes: dict[str, Tape],
    *,
    day: int = 1,
    contents: dict[str, str] | None = None,
    licensed_from: datetime | None = None,
) -> None:
    """Media with fingerprints, as discovery and fingerprinting leave them."""
    now = datetime(2026, 1, day, 12, tzinfo=UTC)
    identity = platform.fingerprinters["audio"]
    media, probed, prints = [], [], []
    for name, tape in tapes.items():
        content_id = (contents or {}).get(name, name)
        made = replace(make_fingerprint(tape, content_id=content_id), fingerprinter=identity)
        media.append(
            {
                "media_id": name, "role": role, "uri": f"file:///{role}/{name}.mp4",
                "version_id": "", "etag": "0", "size_bytes": 1, "title": f"Film {name}",
                "licensed_from": licensed_from, "uploaded_at": now, "discovered_at": now,
            }
        )  # fmt: skip
        result = MediaResult(name)
        result.probed(content_id, MediaInfo(made.duration, AudioStream("aac", 16_000, 1), None))
        key = codec.artefact_key(content_id, identity)
        platform.lake.put(key, codec.encode(made))
        result.add(identity, "ok", fingerprint=made, uri=object_uri(platform.lake, key))
        probed += result.content
        prints += result.fingerprints
    name = "-".join(tapes)
    units = [
        stage(platform, kind=kind, unit_id=f"{kind}-{name}", input_digest="0", tables=tables)
        for kind, tables in (
            ("media", {"media": media}),
            ("fingerprint", {"media_content": probed, "media_fingerprint": prints}),
        )
    ]
    assert stages.record(platform, units, message="test") == 2


def sql(platform: Platform, text: str) -> list[dict[str, Any]]:
    with platform.catalog() as catalog:
        return catalog.select(text).to_pylist()


def pairs(platform: Platform) -> set[tuple[str, str]]:
    return {(row["ugc_id"], row["licensed_id"]) for row in sql(platform, "FROM match")}


def segments(platform: Platform) -> dict[tuple[str, str], list[Any]]:
    rows = sql(platform, "FROM match")
    return {(r["ugc_id"], r["licensed_id"]): [r[name] for name in SEGMENT] for r in rows}


def past(platform: Platform) -> set[tuple[str, str, str]]:
    rows = sql(platform, "FROM past_matches")
    return {(row["ugc_id"], row["licensed_id"], row["ended_by"]) for row in rows}


def remove(platform: Platform, *names: str) -> dict[str, Any]:
    """As the DAG does it: the row first, then the indexes."""
    unit = stages.remove_media(platform, media=names, reason="the licence ended", removed_by="anna")
    stages.record(platform, [unit], message="remove")
    for role in ("licensed", "ugc"):
        units = stages.publish_index(platform, role=role, modality="audio")  # type: ignore[arg-type]
        stages.record(platform, units, message="publish")
    return unit


def healthy(platform: Platform) -> bool:
    return stages.check_catalog(platform) > 10


def changed(platform: Platform, section: str, **values: Any) -> Platform:
    """The same platform with other settings."""
    settings = platform.settings
    part = getattr(settings, section).model_copy(update=values)
    return Platform(settings.model_copy(update={section: part}))


@pytest.fixture
def platform(make_platform: Any) -> Platform:
    """t0 and t1 licensed, three uploads with them, matched."""
    made: Platform = make_platform()
    put(made, "licensed", {name: TAPES[name] for name in ("t0", "t1")})
    put(made, "ugc", UPLOADS)
    run_round(made)
    assert pairs(made) == {("u0", "t0"), ("u1", "t1"), ("u2", "t0"), ("u2", "t1")}
    return made


# --- removal ----------------------------------------------------------------------------------


def test_a_removed_title_is_history_and_never_matches_again(platform: Platform) -> None:
    assert remove(platform, "Film t0")["media"] == ["t0"]
    assert pairs(platform) == {("u1", "t1"), ("u2", "t1")}
    assert past(platform) == {("u0", "t0", "removed"), ("u2", "t0", "removed")}
    manifest = current(platform.lake, "licensed_audio")
    assert manifest is not None
    assert set(media_ids(platform.lake, manifest)) == {"t1"}
    entries = sql(platform, "FROM index_entry WHERE media_id = 't0'")
    assert [(row["first_version"], row["removed_version"]) for row in entries] == [(1, 2)]
    put(platform, "ugc", {"u3": upload(3, "t0", "t1")}, day=2)
    run_round(platform)
    assert pairs(platform) == {("u1", "t1"), ("u2", "t1"), ("u3", "t1")}
    assert set(run_round(platform).values()) == {0}
    assert healthy(platform)


def test_a_removed_upload_is_history_and_not_found_backwards(platform: Platform) -> None:
    remove(platform, "file:///ugc/u2.mp4")
    assert pairs(platform) == {("u0", "t0"), ("u1", "t1")}
    put(platform, "licensed", {"t2": TAPES["t2"]}, day=2)
    run_round(platform)
    assert pairs(platform) == {("u0", "t0"), ("u1", "t1")}
    assert set(run_round(platform).values()) == {0}
    assert healthy(platform)


def test_a_match_task_that_began_before_the_removal_brings_nothing_back(
    platform: Platform,
) -> None:
    put(platform, "ugc", {"u3": upload(3, "t0"), "u4": upload(4, "t1")}, day=2)
    for role in ("licensed", "ugc"):
        units = stages.publish_index(platform, role=role, modality="audio")  # type: ignore[arg-type]
        stages.record(platform, units, message="publish")
    [batch] = stages.plan_matches(platform)
    early = stages.match_batch(platform, batch)
    remove(platform, "t0")
    # Planned before, run after: the plan names the old snapshot.
    late = stages.match_batch(platform, batch)
    for unit in (early, late):
        stages.record(platform, [unit], message="late")
        assert pairs(platform) == {("u1", "t1"), ("u2", "t1"), ("u4", "t1")}
    assert healthy(platform)


def test_a_publication_that_brought_a_removed_title_back_is_mended_by_the_next(
    platform: Platform,
) -> None:
    unit = stages.remove_media(platform, media=["t0"], reason="ended", removed_by="anna")
    stages.record(platform, [unit], message="remove")
    before = current(platform.lake, "licensed_audio")
    assert before is not None
    assert "t0" in media_ids(platform.lake, before)
    units = stages.publish_index(platform, role="licensed", modality="audio")
    assert units == stages.publish_index(platform, role="licensed", modality="audio"), "killed"
    assert stages.record(platform, units, message="publish") == 1
    assert stages.publish_index(platform, role="licensed", modality="audio") == []


def test_removing_twice_is_the_same_as_once(platform: Platform) -> None:
    remove(platform, "t0", "u1")
    before = {table: sql(platform, f"FROM {table}") for table in ("removal", "match_past", "match")}
    snapshots = sql(platform, "FROM index_snapshot")
    assert remove(platform, "u1", "Film t0")["media"] == ["t0", "u1"]
    remove(platform, "t0")
    for table, rows in before.items():
        assert sorted(map(str, sql(platform, f"FROM {table}"))) == sorted(map(str, rows))
    assert len(sql(platform, "FROM index_snapshot")) == len(snapshots)


def test_a_name_that_fits_nothing_or_too_much_removes_nothing(platform: Platform) -> None:
    put(platform, "ugc", {"v1": make_tape(50, 30.0), "v2": make_tape(51, 30.0)}, day=3)
    with platform.catalog(read_only=False) as catalog:
        catalog._connection.execute("UPDATE media SET title = 'clip' WHERE media_id LIKE 'v%'")
    for names, message in (
        (["t0", "t9"], "'t9'"),
        (["clip"], "2 uploads have the title"),
        ([" "], "needs media"),
    ):
        with pytest.raises(BadSettings, match=message):
            stages.remove_media(platform, media=names, reason="x", removed_by="anna")
    assert sql(platform, "FROM removal") == []


def test_what_a_title_shared_with_a_removed_one_is_found_again(make_platform: Any) -> None:
    """An intro of 20 s: excluded while both are licensed, evidence for t1 once t0 is gone."""
    intro = make_tape(59, 20.0)
    films = {
        "t0": splice(intro, make_tape(60, 70.0)),
        "t1": splice(make_tape(61, 30.0), intro, make_tape(62, 40.0)),
    }
    copies = {"u0": splice(make_tape(63, 20.0), intro, make_tape(64, 20.0))}
    platform = make_platform()
    put(platform, "licensed", films)
    put(platform, "ugc", copies)
    run_round(platform)
    assert len(sql(platform, "FROM exclusion")) == 2
    assert pairs(platform) == set()
    remove(platform, "t0")
    run_round(platform)
    assert pairs(platform) == {("u0", "t1")}
    assert set(run_round(platform).values()) == {0}
    assert healthy(platform)


def test_artefacts_go_after_the_grace_period_unless_somebody_needs_them(
    platform: Platform,
) -> None:
    put(platform, "ugc", {"twin": UPLOADS["u1"]}, day=2, contents={"twin": "u1"})
    run_round(platform)
    remove(platform, "t0", "u0", "u1")
    assert stages.delete_removed(platform) == [], "the grace period"
    now = changed(platform, "lifecycle", removed_grace_seconds=0.0)
    uris = {r["media_id"]: r["artefact_uri"] for r in sql(platform, "FROM media_fingerprint")}
    units = stages.delete_removed(now)
    assert units == stages.delete_removed(now), "killed before it was recorded"
    assert stages.record(now, units, message="deleted") == 1
    assert stages.delete_removed(now) == []
    left = {
        row["media_id"] for row in sql(platform, "FROM media_fingerprint") if row["artefact_uri"]
    }
    assert left == {"t1", "u1", "u2", "twin"}, "twin has the content of u1"
    for media_id, uri in uris.items():
        store, key = platform.resolve(uri)
        assert (key in {info.key for info in store.list()}) == (media_id in left)
    assert {row["media_id"]: row["artefacts"] for row in sql(platform, "FROM removals")} == {
        "t0": 0,
        "u0": 0,
        "u1": 1,
    }
    assert set(run_round(platform).values()) == {0}
    assert ("twin", "t1") in pairs(platform)
    assert healthy(platform)


# --- nightly and backfill ---------------------------------------------------------------------


def test_the_night_matches_again_what_another_matcher_made_in_pieces(platform: Platform) -> None:
    before = segments(platform)
    newer = changed(platform, "match", max_gap=9.0)
    newer = changed(newer, "pipeline", batch_media_count=1, max_batches=2)
    assert stages.plan_matches(newer) == [], "stale is not new"
    done: list[int] = []
    while batches := stages.plan_stale(newer):
        units = [stages.match_batch(newer, batch) for batch in batches]
        done.append(stages.record(newer, units, message="night"))
    assert done == [2, 1], "two batches a night, the rest the next"
    assert segments(newer) == before
    assert past(newer) == set(), "what is found again goes on"
    versions = {row["matcher_version"] for row in sql(newer, "FROM match")}
    assert versions == {newer.matcher_version}
    assert healthy(newer)


def test_the_night_ends_what_the_new_matcher_does_not_find(platform: Platform) -> None:
    strict = changed(platform, "match", min_duration=60.0)
    [batch] = stages.plan_stale(strict)
    stages.record(strict, [stages.match_batch(strict, batch)], message="night")
    assert pairs(strict) == set()
    assert {reason for *_, reason in past(strict)} == {"matcher"}
    assert len(past(strict)) == 4
    assert stages.plan_stale(strict) == []


def test_a_backfill_by_days_finds_what_a_forward_rematch_would(make_platform: Any) -> None:
    """Uploads of three days; a late title; two batches at first, the rest after a 'kill'."""
    days = [{"u0": upload(0, "t2")}, {"u1": upload(1, "t0")}, {"u2": upload(2, "t2", "t0")}]
    late, early = make_platform("late"), make_platform("early")
    for platform, first in ((late, ("t0",)), (early, ("t0", "t2"))):
        put(platform, "licensed", {name: TAPES[name] for name in first})
        for day, tapes in enumerate(days, start=1):
            put(platform, "ugc", tapes, day=day)
        run_round(platform)
    assert pairs(late) == {("u1", "t0"), ("u2", "t0")}
    put(late, "licensed", {"t2": TAPES["t2"]}, licensed_from=datetime(2026, 1, 2, tzinfo=UTC))
    published = stages.publish_index(late, role="licensed", modality="audio")
    stages.record(late, published, message="publish")
    daily = changed(late, "pipeline", rematch_upload_seconds=1.0)
    batches = stages.plan_rematch(daily)
    assert len(batches) == 3
    stages.record(daily, [stages.rematch_batch(daily, batches[0])], message="the latest day")
    assert pairs(late) == {("u1", "t0"), ("u2", "t0"), ("u2", "t2")}
    assert len(stages.plan_rematch(daily)) == 2, "the other days are still to do"
    for batch in stages.plan_rematch(daily):
        stages.record(daily, [stages.rematch_batch(daily, batch)], message="the rest")
    assert stages.plan_rematch(daily) == []
    assert stages.plan_stale(daily) == []
    assert segments(late) == segments(early)
    marked = sql(late, "SELECT ugc_id, precedes_licence FROM matches WHERE licensed_id = 't2'")
    assert {row["ugc_id"]: row["precedes_licence"] for row in marked} == {"u0": True, "u2": False}
    assert healthy(late)


# --- rebuild ----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["compact", "full"])
def test_a_rebuilt_index_holds_the_same_and_nothing_is_matched_again(
    platform: Platform, how: Any
) -> None:
    put(platform, "licensed", {"t2": TAPES["t2"]}, day=2)
    run_round(platform)
    remove(platform, "t0")
    old = current(platform.lake, "licensed_audio")
    assert old is not None
    assert len(old.segments) == 2
    units = stages.rebuild_index(platform, role="licensed", modality="audio", how=how)
    assert stages.record(platform, units, message="rebuild") == 1
    new = current(platform.lake, "licensed_audio")
    assert new is not None
    assert (len(new.segments), new.tombstones) == (1, ())
    assert verify(platform.lake, new) == []
    assert media_ids(platform.lake, new) == media_ids(platform.lake, old)
    recorded = sql(platform, "FROM snapshots WHERE is_current AND index_name = 'licensed_audio'")
    assert recorded[0]["version"] == new.version
    assert set(run_round(platform).values()) == {0}
    assert pairs(platform) == {("u1", "t1"), ("u2", "t1")}


def test_the_old_snapshot_serves_when_the_new_one_cannot_be_read_back(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = current(platform.lake, "licensed_audio")
    real = type(platform.lake).put

    def torn(store: Any, key: str, data: bytes, **kwargs: Any) -> str:
        return real(store, key, data[:-1] if key.endswith(".safetensors") else data, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(type(platform.lake), "put", torn)
        with pytest.raises(ChecksumMismatch, match="the old one goes on"):
            stages.rebuild_index(platform, role="licensed", modality="audio", how="full")
    assert current(platform.lake, "licensed_audio") == old


def test_a_rebuild_of_what_is_not_there_does_nothing_and_of_another_model_is_refused(
    platform: Platform,
) -> None:
    assert stages.rebuild_index(platform, role="ugc", modality="video", how="full") == []
    with pytest.raises(BadSettings, match="'compact' or 'full'"):
        stages.rebuild_index(platform, role="ugc", modality="audio", how="all")  # type: ignore[arg-type]
    other = Platform(
        platform.settings.model_copy(update={"audio_fingerprinter": "audio_logmel.dct"})
    )
    with pytest.raises(BadSettings, match="the settings say"):
        stages.rebuild_index(other, role="ugc", modality="audio", how="compact")


# --- maintenance ------------------------------------------------------------------------------


def test_old_staging_and_plans_go_and_young_ones_stay(platform: Platform) -> None:
    lake = platform.lake
    keys = [info.key for prefix in ("stage/", "plans/") for info in lake.list(prefix)]
    assert keys
    assert stages.clean_lake(platform) == {"stage/": 0, "plans/": 0}
    settings = platform.settings.lifecycle.model_copy(update={"staging_seconds": -60.0})
    later = Platform(platform.settings.model_copy(update={"lifecycle": settings}))
    deleted = stages.clean_lake(later)
    assert sum(deleted.values()) == len(keys)
    assert min(deleted.values()) > 0
    assert set(run_round(platform).values()) == {0}
    assert stages.clean_index(platform)["ugc_audio"] == 0
    stages.compact_catalog(platform)
    assert len(pairs(platform)) == 4


def test_rows_that_break_a_rule_are_named(platform: Platform) -> None:
    with platform.catalog(read_only=False) as catalog:
        catalog._connection.execute("UPDATE match SET score = 1.5 WHERE ugc_id = 'u2'")
    with pytest.raises(CheckFailed, match=r"match_bad_score \(2 rows\)"):
        stages.check_catalog(platform)


def test_alerts_name_what_waits_and_what_fails(platform: Platform) -> None:
    assert stages.find_alerts(platform) == []
    waiting = {"w1": make_tape(70, 30.0)}
    put(platform, "ugc", waiting, day=5)
    with platform.catalog(read_only=False) as catalog:
        old = datetime.now(UTC) - timedelta(hours=30)
        catalog._connection.execute(
            "UPDATE media_fingerprint SET fingerprinted_at = $old WHERE media_id = 'w1'",
            {"old": old},
        )
        catalog._connection.execute(
            "UPDATE media_fingerprint SET status = 'error' WHERE media_id IN ('t0', 't1', 'u0')"
        )
    alerts = stages.find_alerts(platform)
    assert [alert.split(":")[0] for alert in alerts] == [
        "1 media wait for match, media w1 since 30.0 hours",
        "1 media wait for publish, media w1 since 30.0 hours",
        "3 of the 5 media of the last day could not be fingerprinted",
    ]
    relaxed = changed(platform, "lifecycle", max_wait_hours=31.0, max_error_share=0.6)
    assert stages.find_alerts(relaxed) == []
