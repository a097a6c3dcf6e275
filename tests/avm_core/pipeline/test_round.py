"""All stages in a row on real music: what is found, what a second round does, what a kill costs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from avm_core.catalog import TABLES
from avm_core.errors import StoreUnavailable
from avm_core.index.snapshot import current
from avm_core.pipeline import fingerprint as fingerprint_stage
from avm_core.pipeline import stages
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.round import run_round
from avm_core.types import ROLES
from tests.avm_core.media.makers import head, scribbled

_UPLOAD_DAYS = """SELECT strftime(uploaded_at AT TIME ZONE 'UTC', '%Y-%m-%d') AS day
FROM media WHERE role = 'ugc'"""
SEGMENT = ("ugc_start", "ugc_end", "licensed_start", "licensed_end", "speed", "score", "modality")


def put(platform: Platform, role: str, files: dict[str, Path], **metadata: str) -> None:
    store = platform.media_store(role)  # type: ignore[arg-type]
    for name, path in files.items():
        store.upload(f"{name}.mp4", path, metadata=metadata)


def sql(platform: Platform, text: str) -> list[dict[str, Any]]:
    with platform.catalog() as catalog:
        return catalog.select(text).to_pylist()


def counts(platform: Platform) -> dict[str, int]:
    tables = [table for table in TABLES if table != "commit_serial"]
    return {t: sql(platform, f'SELECT count(*) AS n FROM "{t}"')[0]["n"] for t in tables}


def found(platform: Platform) -> dict[tuple[str, str], dict[str, Any]]:
    rows = sql(platform, "SELECT * FROM matches")
    return {(Path(r["ugc_uri"]).stem, Path(r["licensed_uri"]).stem): r for r in rows}


def record_media(platform: Platform) -> None:
    for role in ROLES:
        units = stages.discover(platform, role=role)
        stages.record(platform, units, message="test")


def test_a_round_finds_what_was_planted_and_a_second_one_does_nothing(
    make_platform: Any, titles: dict[str, Path], excerpts: dict[str, Path]
) -> None:
    platform = make_platform()
    put(platform, "licensed", titles)
    put(platform, "ugc", excerpts)
    run_round(platform)
    matches = found(platform)
    assert set(matches) == {("fish", "fish"), ("wanna", "wanna")}
    assert matches["fish", "fish"]["licensed_start"] == pytest.approx(20.0, abs=1.0)
    assert matches["fish", "fish"]["licensed_end"] == pytest.approx(44.0, abs=1.0)
    assert matches["wanna", "wanna"]["licensed_start"] == pytest.approx(10.0, abs=1.0)
    before = counts(platform)
    assert set(run_round(platform).values()) == {0}
    assert counts(platform) == before
    with platform.catalog() as catalog:
        assert not any(catalog.check().values())


def test_a_late_title_is_matched_backwards_exactly_as_forwards(
    make_platform: Any, titles: dict[str, Path], excerpts: dict[str, Path]
) -> None:
    late, early = make_platform("late"), make_platform("early")
    put(late, "licensed", {"fish": titles["fish"]})
    put(late, "ugc", excerpts)
    run_round(late)
    assert set(found(late)) == {("fish", "fish")}
    put(late, "licensed", {"wanna": titles["wanna"]})
    assert run_round(late)["rematch"] == 1
    days = current(late.lake, "ugc_audio").partitions
    assert days == tuple(sorted({row["day"] for row in sql(late, _UPLOAD_DAYS)}))
    put(early, "licensed", titles)
    put(early, "ugc", excerpts)
    run_round(early)
    backwards, forwards = found(late), found(early)
    assert backwards.keys() == forwards.keys()
    for pair, row in backwards.items():
        assert [row[name] for name in SEGMENT] == [forwards[pair][name] for name in SEGMENT]
    assert backwards["wanna", "wanna"]["direction"] == "reverse"


def test_both_modalities_agree_on_one_match(
    make_platform: Any, titles: dict[str, Path], excerpts: dict[str, Path]
) -> None:
    platform = make_platform(video_fingerprinter="video_gem.v1")
    put(platform, "licensed", {"fish": titles["fish"]})
    put(platform, "ugc", {"fish": excerpts["fish"]})
    run_round(platform)
    row = found(platform)["fish", "fish"]
    assert row["modality"] == "both"
    assert row["audio_score"] > 0
    assert row["video_score"] > 0


def test_identical_uploads_are_fingerprinted_once_and_both_matched(
    make_platform: Any, titles: dict[str, Path], excerpts: dict[str, Path]
) -> None:
    platform = make_platform()
    put(platform, "licensed", {"fish": titles["fish"]})
    put(platform, "ugc", {"fish": excerpts["fish"], "fish again": excerpts["fish"]})
    run_round(platform)
    assert set(found(platform)) == {("fish", "fish"), ("fish again", "fish")}
    artefacts = sql(platform, "SELECT count(DISTINCT artefact_uri) AS n FROM media_fingerprint")
    assert artefacts[0]["n"] == 2


def test_a_changed_object_is_a_new_media(
    make_platform: Any, titles: dict[str, Path], excerpts: dict[str, Path]
) -> None:
    platform = make_platform()
    put(platform, "ugc", {"clip": excerpts["clean"]})
    record_media(platform)
    put(platform, "ugc", {"clip": excerpts["fish"]})
    record_media(platform)
    rows = sql(platform, "SELECT uri, media_id FROM media")
    assert len({row["media_id"] for row in rows}) == 2
    assert len({row["uri"] for row in rows}) == 1


def test_metadata_of_the_object_becomes_columns(
    make_platform: Any, excerpts: dict[str, Path]
) -> None:
    platform = make_platform()
    put(platform, "licensed", {"a": excerpts["fish"]}, title="Рыбки", licensed_from="2026-01-02")
    put(platform, "ugc", {"b": excerpts["fish"]}, **{"uploaded-at": "2025-06-01T10:00:00+02:00"})
    put(platform, "ugc", {"c": excerpts["wanna"]}, uploaded_at="yesterday")
    record_media(platform)
    rows = {Path(r["uri"]).stem: r for r in sql(platform, "SELECT * FROM media")}
    assert rows["a"]["title"] == "Рыбки"
    assert rows["a"]["licensed_from"].isoformat() == "2026-01-02T00:00:00+00:00"
    assert rows["a"]["uploaded_at"] is None
    assert rows["b"]["uploaded_at"].isoformat() == "2025-06-01T08:00:00+00:00"
    assert rows["c"]["uploaded_at"] is not None, "a typing error must not lose the file"


def test_vanished_and_replaced_objects_are_recorded(
    make_platform: Any, excerpts: dict[str, Path]
) -> None:
    platform = make_platform()
    put(platform, "ugc", {"gone": excerpts["fish"], "swapped": excerpts["fish"]})
    record_media(platform)
    platform.media_store("ugc").delete("gone.mp4")
    put(platform, "ugc", {"swapped": excerpts["wanna"]})
    batches = stages.plan_fingerprints(platform)
    units = [stages.fingerprint_batch(platform, batch) for batch in batches]
    assert stages.record(platform, units, message="test") == 1
    errors = {Path(r["uri"]).stem: r for r in sql(platform, "SELECT * FROM errors")}
    assert {name: row["error_class"] for name, row in errors.items()} == {
        "gone": "MediaVanished",
        "swapped": "MediaChanged",
    }
    assert stages.plan_fingerprints(platform) == []


def test_a_damaged_file_is_fingerprinted_around_the_damage_and_says_so(
    make_platform: Any, excerpts: dict[str, Path], tmp_path: Path
) -> None:
    platform = make_platform()
    hurt = scribbled(excerpts["fish"], tmp_path / "hurt.mp4", 0.4, 0.6)
    put(platform, "ugc", {"hurt": hurt, "whole": excerpts["wanna"]})
    record_media(platform)
    [batch] = stages.plan_fingerprints(platform)
    first = stages.fingerprint_batch(platform, batch)
    # The second time from the artefacts, which keep the reason.
    again = stages.fingerprint_batch(platform, batch)
    for unit in (first, again):
        assert stages.record(platform, [unit], message="test") == (unit is first)
        [error] = sql(platform, "SELECT * FROM errors")
        assert Path(error["uri"]).stem == "hurt"
        assert (error["error_class"], error["stage"]) == ("DamagedMedia", "decode")
        assert "s of sound between" in error["message"]
        assert not error["terminal"]
    rows = sql(platform, "SELECT status FROM media_fingerprint")
    assert [row["status"] for row in rows] == ["ok", "ok"]


def test_a_file_that_breaks_off_has_one_row_that_says_so(
    make_platform: Any, excerpts: dict[str, Path], tmp_path: Path
) -> None:
    platform = make_platform()
    put(platform, "ugc", {"cut": head(excerpts["fish"], tmp_path / "cut.mp4", 0.5)})
    record_media(platform)
    [batch] = stages.plan_fingerprints(platform)
    stages.record(platform, [stages.fingerprint_batch(platform, batch)], message="test")
    [error] = sql(platform, "SELECT * FROM errors")
    assert (error["error_class"], error["stage"]) == ("TruncatedMedia", "decode")


def test_a_killed_batch_goes_on_where_it_was(
    make_platform: Any, excerpts: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = make_platform()
    put(platform, "ugc", excerpts)
    record_media(platform)
    [batch] = stages.plan_fingerprints(platform)
    real, made = fingerprint_stage.create, []

    class Counting:
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self._inner = real(*args, **kwargs)
            self.id = self._inner.id

        def fingerprint(self, path: Path, **kwargs: Any) -> Any:
            if len(made) == 2 and not monkeypatch_done:
                raise KeyboardInterrupt  # what a kill looks like from inside
            made.append(kwargs["content_id"])
            return self._inner.fingerprint(path, **kwargs)

    monkeypatch_done: list[bool] = []
    monkeypatch.setattr(fingerprint_stage, "create", Counting)
    with pytest.raises(KeyboardInterrupt):
        stages.fingerprint_batch(platform, batch)
    assert sql(platform, "SELECT * FROM media_fingerprint") == []
    monkeypatch_done.append(True)
    unit = stages.fingerprint_batch(platform, batch)
    assert len(made) == len(set(made)) == 3, "finished artefacts are not made again"
    assert stages.record(platform, [unit], message="test") == 1
    assert stages.record(platform, [unit], message="test") == 0
    assert len(sql(platform, "SELECT * FROM media_fingerprint WHERE status = 'ok'")) == 3


def test_a_store_that_is_down_fails_the_batch_and_loses_nothing(
    make_platform: Any, excerpts: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = make_platform()
    put(platform, "ugc", excerpts)
    record_media(platform)
    [batch] = stages.plan_fingerprints(platform)

    def down(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("no answer")

    with monkeypatch.context() as patch:
        patch.setattr("avm_core.storage.local.LocalStore.download", down)
        patch.setattr("avm_core.storage.local.LocalStore.list", down)
        with pytest.raises(StoreUnavailable):
            stages.fingerprint_batch(platform, batch)
    assert len(stages.plan_fingerprints(platform)) == 1


def test_a_kill_between_publishing_and_recording_loses_nothing(
    make_platform: Any, titles: dict[str, Path], excerpts: dict[str, Path]
) -> None:
    platform = make_platform()
    put(platform, "licensed", titles)
    record_media(platform)
    for batch in stages.plan_fingerprints(platform):
        unit = stages.fingerprint_batch(platform, batch)
        stages.record(platform, [unit], message="test")
    first = stages.publish_index(platform, role="licensed", modality="audio")
    again = stages.publish_index(platform, role="licensed", modality="audio")
    assert first == again, "the same snapshot is staged, not a second one made"
    assert stages.record(platform, again, message="test") == 1
    assert stages.publish_index(platform, role="licensed", modality="audio") == []
    entries = sql(platform, "SELECT * FROM index_entry")
    assert len(entries) == 2
    assert {row["first_version"] for row in entries} == {1}


def test_a_damaged_artefact_is_recorded_and_the_others_are_published(
    make_platform: Any, titles: dict[str, Path]
) -> None:
    platform = make_platform()
    put(platform, "licensed", titles)
    record_media(platform)
    for batch in stages.plan_fingerprints(platform):
        unit = stages.fingerprint_batch(platform, batch)
        stages.record(platform, [unit], message="test")
    rows = sql(platform, "SELECT media_id, artefact_uri FROM media_fingerprint ORDER BY media_id")
    store, key = platform.resolve(rows[0]["artefact_uri"])
    store.put(key, store.get(key)[:-100])
    units = stages.publish_index(platform, role="licensed", modality="audio")
    stages.record(platform, units, message="test")
    assert [r["media_id"] for r in sql(platform, "SELECT * FROM index_entry")] == [
        rows[1]["media_id"]
    ]
    [error] = sql(platform, "SELECT * FROM errors")
    assert (error["media_id"], error["error_class"]) == (rows[0]["media_id"], "ChecksumMismatch")
    assert stages.publish_index(platform, role="licensed", modality="audio") == []


def test_published_results_are_written_to_the_lake_and_beside_it(
    make_platform: Any, titles: dict[str, Path], tmp_path: Path
) -> None:
    platform = make_platform(results_path=str(tmp_path / "out" / "avm.duckdb"))
    put(platform, "licensed", titles)
    record_media(platform)
    published = stages.publish_results(platform)
    assert published["rows"]["media"] == 2
    assert platform.get(published["uri"]) == (tmp_path / "out" / "avm.duckdb").read_bytes()
    shutil.rmtree(tmp_path / "out")
