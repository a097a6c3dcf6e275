"""Removal, backfill, the night and maintenance in a real Airflow, on real media."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from local import flow
from local.corpus import Title, Upload, load_titles

if TYPE_CHECKING:
    from tests.e2e.conftest import Stack

pytestmark = [pytest.mark.airflow, pytest.mark.story]

TITLES = ("fish_fillets_intro", "wanna_work_together")
UPLOADS = ("small_fish", "fast_wanna", "new_worlds")
PATIENCE = 900.0
# A look into the catalog takes a second of a processor that the stack needs.
until = partial(flow.until, patience=PATIENCE, step=5.0)


@dataclass
class Story:
    stack: Stack
    titles: dict[str, Title]
    matched: set[tuple[str, str]]
    late: set[tuple[str, str]]

    def pairs(self) -> set[tuple[str, str]]:
        rows = self.stack.sql("SELECT ugc_uri, licensed_uri FROM matches")
        return {(Path(r["ugc_uri"]).stem, Path(r["licensed_uri"]).stem) for r in rows}


@pytest.fixture(scope="module")
def story(stack: Stack, demo_uploads: tuple[Path, list[Upload]]) -> Story:
    """Two titles and three uploads matched, then a third title found backwards."""
    titles = {title.path.stem: title for title in load_titles()}
    platform = stack.platform
    told = Story(stack, titles, set(), set())
    licensed, ugc = platform.media_store("licensed"), platform.media_store("ugc")

    for name in TITLES:
        title = titles[name]
        licensed.upload(title.key, title.path, metadata=dict(title.metadata))
    for upload in demo_uploads[1]:
        if upload.path.stem in UPLOADS:
            ugc.upload(upload.key, upload.path, metadata=dict(upload.metadata))
    stack.api.trigger("avm_discover")
    until("the first matches", lambda: flow.settled(platform, len(TITLES) + len(UPLOADS)))
    told.matched = told.pairs()
    late = next(title for title in titles.values() if title.late)
    licensed.upload(late.key, late.path, metadata=dict(late.metadata))
    stack.api.trigger("avm_discover")
    until("the late title", lambda: flow.settled(platform, len(TITLES) + len(UPLOADS) + 1))
    told.late = told.pairs() - told.matched
    return told


def test_a_late_title_is_found_backwards(story: Story) -> None:
    assert {upload for upload, _ in story.matched} == {"small_fish", "fast_wanna"}
    assert {upload for upload, _ in story.late} == {"new_worlds"}


def test_a_night_with_nothing_stale_changes_nothing(story: Story) -> None:
    before = story.stack.sql("SELECT match_id, found_at FROM match ORDER BY ALL")
    story.stack.run("avm_nightly_rematch")
    assert story.stack.sql("SELECT match_id, found_at FROM match ORDER BY ALL") == before


def test_the_night_mends_what_an_old_matcher_left(story: Story) -> None:
    """As after an upgrade: the rows say that another matcher searched last."""
    before = story.stack.sql("SELECT match_id, ugc_start, licensed_end FROM match ORDER BY ALL")
    with story.stack.platform.catalog(read_only=False) as catalog:
        for table in ("match", "match_scan"):
            catalog._connection.execute(f"UPDATE {table} SET matcher_version = 'old'")
    story.stack.run("avm_nightly_rematch")
    after = story.stack.sql("SELECT match_id, ugc_start, licensed_end FROM match ORDER BY ALL")
    assert [row["ugc_start"] for row in after] == [row["ugc_start"] for row in before]
    versions = {row["matcher_version"] for row in story.stack.sql("FROM match")}
    assert versions == {story.stack.platform.matcher_version}
    assert story.stack.sql("FROM match_past") == []


def test_a_form_that_is_wrong_is_refused(story: Story) -> None:
    for conf in ({}, {"media": [], "reason": "ended"}, {"media": ["a"], "reason": ""}):
        with pytest.raises(httpx.HTTPStatusError) as refused:
            story.stack.api.trigger("avm_remove_media", conf=conf)
        assert refused.value.response.status_code == httpx.codes.BAD_REQUEST
    with pytest.raises(httpx.HTTPStatusError):
        story.stack.api.trigger("avm_rebuild_index", conf={"how": "fast"})


def test_a_removed_title_is_gone_once_the_run_is_green(story: Story) -> None:
    title = story.titles["fish_fillets_intro"].metadata["title"]
    story.stack.run("avm_remove_media", media=[title], reason="the licence ended")
    assert "fish_fillets_intro" not in {name for _, name in story.pairs()}
    ended = story.stack.sql("SELECT licensed_title, ended_by FROM past_matches")
    assert {(row["licensed_title"], row["ended_by"]) for row in ended} == {(title, "removed")}
    [removal] = story.stack.sql("FROM removals")
    assert (removal["reason"], removal["removed_by"]) == ("the licence ended", "admin")
    story.stack.run("avm_remove_media", media=[title], reason="once more")
    story.stack.run("avm_publish_index")
    story.stack.run("avm_match")
    story.stack.run("avm_backfill_rematch")
    assert len(story.stack.sql("FROM removal")) == 1
    assert "fish_fillets_intro" not in {name for _, name in story.pairs()}


def test_an_unknown_name_fails_the_run_and_says_so(story: Story) -> None:
    api = story.stack.api
    run_id = api.trigger("avm_remove_media", conf={"media": ["no such"], "reason": "ended"})
    assert api.wait_for_run("avm_remove_media", run_id, timeout=PATIENCE)["state"] == "failed"
    assert "no media has the id, URI or title 'no such'" in api.log(
        "avm_remove_media", run_id, "remove"
    )


def test_indexes_are_made_anew_and_maintained(story: Story) -> None:
    before = story.pairs()
    story.stack.run("avm_rebuild_index", index="all", how="full")
    story.stack.run("avm_maintain")
    versions = story.stack.sql("SELECT index_name, version FROM snapshots WHERE is_current")
    assert len(versions) == 4
    command = [sys.executable, "-m", "avm_core.cli", "index", "verify", "--json"]
    done = subprocess.run(command, env=story.stack.env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    story.stack.run("avm_match")
    assert story.pairs() == before
