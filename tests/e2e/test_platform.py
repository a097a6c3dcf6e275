"""The whole platform as its operator meets it: real S3, real Airflow, real media, real SQL.

One story, told once by the fixture `story` and examined by the tests: titles, uploads and
broken files arrive; an object vanishes before it is read; the fingerprint task is killed
half-way; a licensed title arrives late; then everything is triggered again.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from avm_core.catalog import TABLES
from avm_core.pipeline.results import RESULTS_KEY
from local import flow
from local.bad_media import build_bad_media
from local.corpus import Title, Upload, load_titles

if TYPE_CHECKING:
    from tests.e2e.conftest import Stack

pytestmark = pytest.mark.airflow

TITLES = {"fish_fillets_intro", "wanna_work_together", "bunny_trailer"}
UPLOADS = {"small_fish", "fast_wanna", "first_seen_bunny", "piano_evening", "new_worlds"}
DAGS = (
    "avm_discover",
    "avm_fingerprint",
    "avm_publish_index",
    "avm_match",
    "avm_backfill_rematch",
    "avm_publish_results",
)
PATIENCE = 600.0
# A look into the catalog takes a second of a processor that the stack needs.
until = partial(flow.until, patience=PATIENCE, step=5.0)


@dataclass
class Story:
    """What the tests look at once everything has happened."""

    stack: Stack
    uploads: list[Upload]
    titles: list[Title]
    killed: int = 0
    matches_before_late_title: list[dict[str, Any]] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        tables = [table for table in TABLES if table != "commit_serial"]
        return {t: self.stack.sql(f'SELECT count(*) AS n FROM "{t}"')[0]["n"] for t in tables}


@pytest.fixture(scope="module")
def story(
    stack: Stack,
    demo_uploads: tuple[Path, list[Upload]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Story:
    uploads = [upload for upload in demo_uploads[1] if upload.path.stem in UPLOADS]
    bad = build_bad_media(tmp_path_factory.mktemp("bad"))
    titles = [t for t in load_titles() if t.path.stem in TITLES or t.late]
    told = Story(stack, uploads, titles)
    api, platform = stack.api, stack.platform

    api.pause("avm_fingerprint")
    licensed, ugc = platform.media_store("licensed"), platform.media_store("ugc")
    flow.put(platform, [title for title in titles if not title.late], uploads)
    for path in bad.values():
        ugc.upload(f"night/{path.name}", path)
    ugc.put("gone.mp4", b"deleted before anybody reads it")
    media = len(titles) - 1 + len(uploads) + len(bad) + 1
    api.trigger("avm_discover")
    until("all media rows", lambda: stack.sql("SELECT count(*) AS n FROM media")[0]["n"] == media)
    ugc.delete("gone.mp4")
    api.trigger("avm_discover")
    gone = "SELECT 1 FROM media WHERE gone_at IS NOT NULL"
    until("the deletion to be noticed", lambda: stack.sql(gone))

    api.pause("avm_fingerprint", paused=False)
    # Airflow drops asset events for a paused DAG; its hourly look would find the work, too.
    api.trigger("avm_fingerprint")
    told.killed = until("a fingerprint task", lambda: kill_fingerprint_task(told))
    until("everything matched", lambda: flow.settled(platform, media))
    told.matches_before_late_title = stack.sql("SELECT * FROM matches")
    late = next(title for title in titles if title.late)
    licensed.upload(late.key, late.path, metadata=dict(late.metadata))
    api.trigger("avm_discover")
    until("the late title matched backwards", lambda: flow.settled(platform, media + 1))
    until("all runs to end", lambda: flow.quiet(api, but="avm_discover"))
    return told


def kill_fingerprint_task(story: Story) -> int:
    """Kill -9 the process of a fingerprint task that has begun to write; its pid, or 0."""
    artefacts = sum(1 for _ in story.stack.platform.lake.list("fingerprints/"))
    for run in story.stack.api.runs("avm_fingerprint"):
        for task in story.stack.api.task_instances("avm_fingerprint", run["dag_run_id"]):
            begun = task["task_id"] == "fingerprint" and task["state"] == "running"
            if begun and artefacts and task["pid"]:
                os.kill(task["pid"], signal.SIGKILL)
                return int(task["pid"])
    return 0


def own_metadata(stack: Stack, folder: Path) -> dict[str, str]:
    """A copy of Airflow's metadata for one `airflow dags test`: the scheduler runs the tasks of
    any run it sees, and would run these with the settings of its own environment."""
    copy = folder / "airflow.db"
    with (
        closing(sqlite3.connect(stack.home / "airflow" / "airflow.db")) as theirs,
        closing(sqlite3.connect(copy)) as ours,
    ):
        theirs.backup(ours)
    return {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{copy}"}


def test_planted_copies_are_found_with_their_seconds(story: Story) -> None:
    found = {
        (row["ugc_uri"].rsplit("/", 1)[-1], row["licensed_title"]): row
        for row in story.stack.sql("SELECT * FROM matches")
    }
    titles = {title.path.stem: title.metadata["title"] for title in story.titles}
    planted = {(u.key, titles[p.licensed_id]): p for u in story.uploads for p in u.planted}
    assert set(found) == set(planted)
    for pair, stretch in planted.items():
        for name in ("ugc_start", "ugc_end", "licensed_start", "licensed_end"):
            assert found[pair][name] == pytest.approx(getattr(stretch, name), abs=1.5), pair
        assert found[pair]["speed"] == pytest.approx(stretch.speed, rel=0.01)


def test_a_killed_fingerprint_task_was_run_again(story: Story) -> None:
    assert story.killed
    tries = [
        task["try_number"]
        for run in story.stack.api.runs("avm_fingerprint")
        for task in story.stack.api.task_instances("avm_fingerprint", run["dag_run_id"])
        if task["task_id"] == "fingerprint" and task["state"] == "success"
    ]
    assert max(tries) >= 2


def test_a_late_licence_matches_an_old_upload_backwards(story: Story) -> None:
    before = {row["ugc_uri"].rsplit("/", 1)[-1] for row in story.matches_before_late_title}
    assert "new_worlds.mp4" not in before
    late = story.stack.sql("SELECT * FROM matches WHERE ugc_uri LIKE '%new_worlds.mp4'")
    assert [row["direction"] for row in late] == ["reverse"]


def test_an_upload_older_than_the_licence_is_kept_and_marked(story: Story) -> None:
    marked = story.stack.sql("SELECT ugc_uri FROM matches WHERE precedes_licence")
    assert [row["ugc_uri"].rsplit("/", 1)[-1] for row in marked] == ["first_seen_bunny.mp4"]


def test_bad_input_is_recorded_and_takes_nothing_down(story: Story) -> None:
    errors = {
        row["uri"].rsplit("/", 1)[-1]: (row["error_class"], row["message"])
        for row in story.stack.sql("SELECT uri, error_class, message FROM errors")
    }
    assert {name: kind for name, (kind, _) in errors.items()} == {
        "notes.mp4": "BadMedia",
        "empty.mp4": "BadMedia",
        "no_index.mp4": "BadMedia",
        "cut_in_half.mp4": "TruncatedMedia",
    }
    assert all(len(message) > 20 for _, message in errors.values())
    states = {
        row["uri"].rsplit("/", 1)[-1]: row["state"]
        for row in story.stack.sql("SELECT uri, state FROM media_status")
    }
    readable = ("audio_only.m4a", "video_only.mp4", "one_second.mp4", "фильм с пробелами.mp4")
    assert {states[name] for name in readable} <= {"unmatched", "empty"}


def test_every_run_is_green(story: Story) -> None:
    runs = [run for run in story.stack.api.runs() if run["state"] not in ("queued", "running")]
    assert {run["dag_id"] for run in runs} == set(DAGS)
    assert [run["dag_run_id"] for run in runs if run["state"] != "success"] == []


def test_published_results_open_with_plain_duckdb(story: Story, tmp_path: Path) -> None:
    path = tmp_path / "avm.duckdb"
    want = story.stack.sql("SELECT count(*) AS n FROM matches")[0]["n"]

    def published() -> bool:
        story.stack.platform.lake.download(RESULTS_KEY, path)
        with duckdb.connect(str(path), read_only=True) as connection:
            row = connection.execute("SELECT count(*) FROM matches").fetchone()
        return row == (want,)

    until("the last publication", published, patience=60)


def test_catalog_checks_find_nothing(story: Story) -> None:
    with story.stack.platform.catalog() as catalog:
        assert {name: n for name, n in catalog.check().items() if n} == {}


def test_running_every_dag_again_changes_no_row(story: Story) -> None:
    before = story.counts()
    api = story.stack.api
    runs = [(dag, api.trigger(dag)) for dag in DAGS]
    states = {dag: api.wait_for_run(dag, run, timeout=PATIENCE)["state"] for dag, run in runs}
    assert states == dict.fromkeys(DAGS, "success")
    assert story.counts() == before


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"AVM_UGC_URI": "s3://no-such-bucket"}, "BucketMissing"),
        ({"secret": "wrong"}, "AccessDenied"),
    ],
)
def test_a_wrong_bucket_or_secret_names_the_connection(
    story: Story, change: dict[str, str], expected: str, tmp_path: Path
) -> None:
    env = {**os.environ, **story.stack.env, **change, **own_metadata(story.stack, tmp_path)}
    if "secret" in change:
        password = story.stack.settings.s3.secret_key or ""
        env["AIRFLOW_CONN_AVM_S3"] = env["AIRFLOW_CONN_AVM_S3"].replace(password, "wrong")
    command = [sys.executable, "-m", "airflow", "dags", "test", "avm_discover"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    text = done.stdout + done.stderr
    assert done.returncode != 0
    assert expected in text
    assert "Airflow connection 'avm_s3'" in text
