"""Licensed media against licensed media, in a catalog: three with an intro, two without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from avm_core.fingerprint import codec
from avm_core.pipeline import stages
from avm_core.pipeline.platform import Platform
from avm_core.storage import object_uri
from tests.avm_core.catalog.builders import commit, content, fingerprint, media
from tests.builders import Tape, cut, make_fingerprint, make_tape, splice

INTRO = make_tape(1, 20)
TAPES = {
    "e1": splice(INTRO, make_tape(2, 70)),
    "e2": splice(make_tape(3, 30), INTRO, make_tape(4, 40)),
    "e3": splice(INTRO, make_tape(5, 80)),
    "x1": make_tape(6, 90),
    "x2": splice(*[make_tape(7, 15)] * 2, make_tape(8, 60)),  # repeats itself
}
UPLOADS = {
    "intro": splice(make_tape(20, 20), INTRO, make_tape(21, 20)),
    "longer": splice(make_tape(22, 20), cut(TAPES["e1"], 0, 50), make_tape(23, 20)),
    "other": splice(make_tape(24, 10), cut(TAPES["x1"], 30, 60), make_tape(25, 10)),
}


def add(platform: Platform, folder: Path, role: str, tapes: dict[str, Tape]) -> None:
    """Media with their artefacts, as the stages before would have left them."""
    identity = platform.fingerprinters["audio"]
    rows: list[dict[str, Any]] = []
    for name, tape in tapes.items():
        noise = 0.2 if role == "ugc" else 0.0
        made = replace(make_fingerprint(tape, noise=noise, content_id=name), fingerprinter=identity)
        platform.lake.put(f"prints/{name}", codec.encode(made))
        uri = object_uri(platform.lake, f"prints/{name}")
        rows.append(fingerprint(id_of(name), str(identity), artefact_uri=uri))
    with platform.catalog(read_only=False) as catalog:
        commit(
            catalog,
            folder,
            {
                "media": [media(id_of(name), role) for name in tapes],
                "media_content": [content(id_of(name)) for name in tapes],
                "media_fingerprint": rows,
            },
        )
    units = stages.publish_index(platform, role=role, modality="audio")  # type: ignore[arg-type]
    assert stages.record(platform, units, message="publish")


def id_of(name: str) -> str:
    return name.encode().hex().rjust(32, "0")


def name_of(media_id: str) -> str:
    return bytes.fromhex(media_id.lstrip("0")).decode()


def exclude(platform: Platform) -> int:
    """All pending titles, recorded; how many units were new."""
    return stages.record(platform, stages.find_exclusions(platform), message="exclusions")


def match(platform: Platform) -> int:
    """All pending and stale uploads and late titles, recorded; how many were looked at."""
    seen = 0
    for plan, run in (
        (stages.plan_matches, stages.match_batch),
        (stages.plan_rematch, stages.rematch_batch),
        (stages.plan_stale, stages.match_batch),
    ):
        batches = plan(platform)
        units = [run(platform, batch) for batch in batches]
        seen += sum(batch["media_count"] for batch in batches)
        assert stages.record(platform, units, message="match") == len(batches)
    return seen


def exclusions(platform: Platform) -> dict[tuple[str, str], tuple[int, int]]:
    with platform.catalog() as catalog:
        rows = catalog.select("SELECT * FROM exclusion").to_pylist()
    return {
        (name_of(r["media_id"]), name_of(r["other_id"])): (round(r["start_s"]), round(r["end_s"]))
        for r in rows
    }


def matches(platform: Platform) -> dict[tuple[str, str], tuple[float, ...]]:
    columns = ("ugc_start", "ugc_end", "licensed_start", "licensed_end", "score")
    with platform.catalog() as catalog:
        rows = catalog.select("SELECT * FROM match").to_pylist()
        assert not any(catalog.check().values())
    return {
        (name_of(r["ugc_id"]), name_of(r["licensed_id"])): tuple(r[c] for c in columns)
        for r in rows
    }


@pytest.fixture
def platform(make_platform: Any) -> Platform:
    made: Platform = make_platform()
    return made


def test_a_common_intro_is_stored_once_on_every_side(platform: Platform, tmp_path: Path) -> None:
    add(platform, tmp_path, "licensed", TAPES)
    assert exclude(platform) == 1
    found = exclusions(platform)
    assert set(found) == {(a, b) for a in ("e1", "e2", "e3") for b in ("e1", "e2", "e3") if a != b}
    for (title, _), (start, end) in found.items():
        at = 30 if title == "e2" else 0
        assert (start, end) == pytest.approx((at, at + 20), abs=2)
    assert stages.find_exclusions(platform) == []


def test_a_batch_killed_before_it_was_recorded_gives_the_same_unit(
    platform: Platform, tmp_path: Path
) -> None:
    add(platform, tmp_path, "licensed", TAPES)
    lost = stages.find_exclusions(platform)
    again = stages.find_exclusions(platform)
    assert lost == again
    assert exclusions(platform) == {}
    assert stages.record(platform, again, message="one") == 1
    assert stages.record(platform, lost, message="two") == 0
    assert len(exclusions(platform)) == 6


def test_small_batches_find_the_same(make_platform: Any, tmp_path: Path) -> None:
    found = []
    for count, units in ((200, 1), (2, 3)):
        platform = make_platform(f"by{count}", pipeline={"batch_media_count": count})
        add(platform, tmp_path, "licensed", TAPES)
        assert exclude(platform) == units
        assert stages.find_exclusions(platform) == []
        found.append(exclusions(platform))
    assert found[0] == found[1] != {}


def test_titles_that_come_later_are_compared_with_those_before(
    platform: Platform, tmp_path: Path
) -> None:
    add(platform, tmp_path, "licensed", {name: TAPES[name] for name in ("e1", "x1")})
    assert exclude(platform) == 1
    assert exclusions(platform) == {}
    add(platform, tmp_path / "2", "licensed", {name: TAPES[name] for name in ("e2", "x2")})
    assert exclude(platform) == 1
    assert set(exclusions(platform)) == {("e1", "e2"), ("e2", "e1")}


def test_uploads_are_matched_with_exclusions_alike_in_both_directions(
    make_platform: Any, tmp_path: Path
) -> None:
    forward, reverse = make_platform("forward"), make_platform("reverse")
    add(forward, tmp_path / "f1", "licensed", TAPES)
    assert exclude(forward) == 1
    add(forward, tmp_path / "f2", "ugc", UPLOADS)
    assert match(forward) == len(UPLOADS)
    # The late episodes are found backwards.
    add(reverse, tmp_path / "r1", "licensed", {"x2": TAPES["x2"]})
    add(reverse, tmp_path / "r2", "ugc", UPLOADS)
    assert match(reverse) == len(UPLOADS)
    add(reverse, tmp_path / "r3", "licensed", {n: t for n, t in TAPES.items() if n != "x2"})
    assert exclude(reverse) == 1
    assert match(reverse) == 4
    assert set(matches(forward)) == {("longer", "e1"), ("other", "x1")}
    assert matches(forward) == matches(reverse)
    assert matches(forward)["longer", "e1"][2:4] == pytest.approx((0, 50), abs=1.5)


def test_only_uploads_with_a_match_in_the_title_are_matched_again(
    platform: Platform, tmp_path: Path
) -> None:
    add(platform, tmp_path / "1", "licensed", TAPES)
    add(platform, tmp_path / "2", "ugc", UPLOADS)
    assert match(platform) == len(UPLOADS)
    episodes = ("e1", "e2", "e3")
    before = {(u, e) for u in ("intro", "longer") for e in episodes} | {("other", "x1")}
    assert set(matches(platform)) == before
    exclude(platform)
    with platform.catalog() as catalog:
        counts = {row["measure"]: row["value"] for row in catalog.report("summary").to_pylist()}
    assert counts["waiting for match"] == 2
    assert match(platform) == 2
    assert set(matches(platform)) == {("longer", "e1"), ("other", "x1")}
    assert match(platform) == 0
