"""A damaged index costs a delay: what is whole is searched, and nothing is forgotten."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from avm_core.fingerprint import codec
from avm_core.index.snapshot import current
from avm_core.pipeline import stages
from avm_core.pipeline.media_rows import MediaResult
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.round import run_round
from avm_core.pipeline.staging import stage
from avm_core.storage import object_uri
from avm_core.types import AudioStream, Fingerprint, MediaInfo
from tests.builders import Tape, cut, make_fingerprint, make_tape, splice

TAPES = {name: make_tape(seed, 80.0) for seed, name in enumerate(("t0", "t1"))}


def upload(seed: int, title: str) -> Tape:
    """Ten seconds of its own, 40 s of a title, ten of its own."""
    own = [make_tape(100 + 2 * seed + part, 10.0) for part in (0, 1)]
    return splice(own[0], cut(TAPES[title], 20.0, 60.0), own[1])


def put(platform: Platform, role: str, tapes: dict[str, Tape], day: int = 1) -> None:
    """Media with fingerprints, as discovery and fingerprinting leave them."""
    now = datetime(2030, 1, day, 12, tzinfo=UTC)
    identity = platform.fingerprinters["audio"]
    media, contents, prints = [], [], []
    for name, tape in tapes.items():
        made = replace(make_fingerprint(tape, content_id=name), fingerprinter=identity)
        media.append(
            {
                "media_id": name, "role": role, "uri": f"file:///{role}/{name}.mp4",
                "version_id": "", "etag": "0", "size_bytes": 1, "title": name,
                "licensed_from": None, "uploaded_at": now, "discovered_at": now,
            }
        )  # fmt: skip
        result = MediaResult(name)
        result.probed(name, MediaInfo(made.duration, AudioStream("aac", 16_000, 1), None))
        result.add(identity, "ok", fingerprint=made, uri=_store(platform, made))
        contents += result.content
        prints += result.fingerprints
    name = "-".join(tapes)
    units = [
        stage(platform, kind=kind, unit_id=f"{kind}-{name}", input_digest="0", tables=tables)
        for kind, tables in (
            ("media", {"media": media}),
            ("fingerprint", {"media_content": contents, "media_fingerprint": prints}),
        )
    ]
    assert stages.record(platform, units, message="test") == 2


def _store(platform: Platform, made: Fingerprint) -> str:
    key = codec.artefact_key(made.content_id, made.fingerprinter)
    platform.lake.put(key, codec.encode(made))
    return object_uri(platform.lake, key)


def found(platform: Platform) -> set[tuple[str, str]]:
    with platform.catalog() as catalog:
        rows = catalog.select("SELECT ugc_id, licensed_id FROM match").to_pylist()
    return {(row["ugc_id"], row["licensed_id"]) for row in rows}


@pytest.mark.parametrize("night", [False, True])
def test_an_older_snapshot_serves_and_the_rest_is_found_once_it_is_mended(
    make_platform: Any, night: bool
) -> None:
    """Or before that by the night, which searches forwards what backwards was not searched."""
    platform = make_platform()
    put(platform, "licensed", {"t0": TAPES["t0"]})
    put(platform, "ugc", {"u0": upload(0, "t0"), "u1": upload(1, "t1")})
    run_round(platform)
    put(platform, "ugc", {"u2": upload(2, "t1"), "u3": upload(3, "t0")}, day=2)
    run_round(platform)
    assert found(platform) == {("u0", "t0"), ("u3", "t0")}
    manifest = current(platform.lake, "ugc_audio")
    assert manifest is not None
    assert manifest.partitions == ("2030-01-01", "2030-01-02")

    [key] = [ref.key for ref in manifest.segments if ref.partition == "2030-01-02"]
    whole = platform.lake.get(key)
    platform.lake.put(key, whole[: len(whole) // 2])
    shutil.rmtree(Path(platform.settings.cache_dir))
    put(platform, "licensed", {"t1": TAPES["t1"]})
    run_round(platform, night=night)  # ends, though the plan cannot be fulfilled
    served = {("u0", "t0"), ("u3", "t0"), ("u1", "t1")}
    assert found(platform) == served | ({("u2", "t1")} if night else set())

    platform.lake.put(key, whole)
    assert run_round(platform)["rematch"] == (0 if night else 1)
    assert found(platform) == {("u0", "t0"), ("u3", "t0"), ("u1", "t1"), ("u2", "t1")}
    assert stages.plan_rematch(platform) == []


def test_a_library_larger_than_a_segment_is_published_in_pieces(make_platform: Any) -> None:
    platform = make_platform()
    small = platform.settings.index.model_copy(update={"segment_windows": 700})
    platform = Platform(platform.settings.model_copy(update={"index": small}))
    tapes = {f"t{n}": make_tape(10 + n, 80.0) for n in range(5)}
    put(platform, "licensed", tapes)
    units = stages.publish_index(platform, role="licensed", modality="audio")
    assert stages.record(platform, units, message="test") == 1
    manifest = current(platform.lake, "licensed_audio")
    assert manifest is not None
    assert [ref.media_count for ref in manifest.segments] == [2, 2, 1]
    with platform.catalog() as catalog:
        entries = catalog.select("SELECT media_id, first_version FROM index_entry").to_pylist()
    # Two segments are built at once, then the rest.
    assert {row["media_id"]: row["first_version"] for row in entries} == {
        "t0": 1, "t1": 1, "t2": 1, "t3": 1, "t4": 2
    }  # fmt: skip
    assert stages.publish_index(platform, role="licensed", modality="audio") == []
