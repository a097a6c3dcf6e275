"""The same DAGs on many workers: a calm run on Celery, and one on Celery and Edge workers of which
two are killed in the middle of their work, leave the same rows.

One story, told by the fixture `story` and examined by the tests.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from local import flow
from local.cluster import enter, takes_tasks
from local.cluster_environment import EDGE
from local.corpus import Title, Upload, load_titles
from tests.cluster.conftest import Cluster
from tests.cluster.crashes import (
    Crash,
    at_once,
    crash_halfway,
    index_open,
    nothing_staged,
    some_artefacts_made,
)

pytestmark = pytest.mark.cluster

TITLES = {"fish_fillets_intro", "wanna_work_together"}
UPLOADS = {"small_fish", "fast_wanna", "piano_evening"}
PATIENCE = 600.0

# What must be the same whatever happened on the way. Left out: times of day, and which of several
# snapshots and directions found a pair first, which depends on what ended first.
_PROVENANCE = "found_at, direction, audio_snapshot, video_snapshot"
ROWS = {
    "matches": f"SELECT * EXCLUDE ({_PROVENANCE}) FROM matches",
    "media_status": "SELECT * EXCLUDE (discovered_at) FROM media_status",
    "media_fingerprint": "SELECT * EXCLUDE (fingerprinted_at) FROM media_fingerprint",
    "media_content": "SELECT * EXCLUDE (probed_at) FROM media_content",
    "media_error": "SELECT * EXCLUDE (occurred_at) FROM media_error",
    "indexed": "SELECT index_name, media_id FROM index_entry WHERE removed_version IS NULL",
}


@dataclass
class Run:
    """What one run of the whole flow left behind."""

    rows: dict[str, list[dict[str, Any]]]
    artefacts: dict[str, str]
    checks: dict[str, int]
    tasks: list[dict[str, Any]]
    states: dict[str, set[str]]


@dataclass
class Story:
    cluster: Cluster
    titles: list[Title]
    uploads: list[Upload]
    calm: Run
    killed: Run
    crashes: list[Crash] = field(default_factory=list)
    recovered: dict[str, bool] = field(default_factory=dict)


def tell(
    cluster: Cluster,
    titles: list[Title],
    uploads: list[Upload],
    incidents: tuple[Callable[[], Crash | None], ...] = (),
) -> tuple[Run, list[Crash]]:
    """Media arrive and are worked off; meanwhile `incidents` happen, one after the other."""
    api, platform = cluster.api, cluster.platform
    began = len(api.runs())
    until = partial(flow.until, patience=PATIENCE)
    until("the DAGs", lambda: "avm_publish_results" in api.dags() and not api.import_errors())
    flow.put(platform, titles, uploads)
    api.trigger("avm_discover")
    crashes = [until("a task halfway", incident, step=0.1) for incident in incidents]
    media = len(titles) + len(uploads)
    until("the matches", lambda: flow.settled(platform, media), step=5.0)
    until("the end of all runs", lambda: flow.quiet(api))
    return look(cluster, api.runs()[began:]), crashes


def look(cluster: Cluster, runs: list[dict[str, Any]]) -> Run:
    with cluster.platform.catalog() as catalog:
        rows = {
            name: catalog.select(f"FROM ({text}) ORDER BY ALL").to_pylist()
            for name, text in ROWS.items()
        }
        checks = catalog.check()
    tasks = [
        task
        for run in runs
        for task in cluster.api.task_instances(run["dag_id"], run["dag_run_id"])
    ]
    states: dict[str, set[str]] = {}
    for run in runs:
        states.setdefault(run["dag_id"], set()).add(run["state"])
    artefacts = {info.key: info.etag for info in cluster.platform.lake.list("fingerprints/")}
    return Run(rows, artefacts, checks, tasks, states)


@pytest.fixture(scope="module")
def story(cluster: Cluster, demo_uploads: tuple[Path, list[Upload]]) -> Story:
    titles = [t for t in load_titles() if t.path.stem in TITLES]
    uploads = [upload for upload in demo_uploads[1] if upload.path.stem in UPLOADS]
    calm, _ = tell(cluster, titles, uploads)
    cluster.state = enter(cluster.home, EDGE)
    files = {file.key: file.path for file in [*titles, *uploads]}
    made, opened, unstaged = (
        some_artefacts_made(cluster, files),
        index_open(cluster),
        nothing_staged(cluster),
    )
    killed, crashes = tell(
        cluster,
        titles,
        uploads,
        (
            lambda: crash_halfway(cluster, "avm_fingerprint", "fingerprint", at_once, made),
            lambda: crash_halfway(cluster, "avm_match", "match", opened, unstaged),
        ),
    )
    recovered = {c.worker: takes_tasks(cluster.state, c.worker) for c in crashes}
    return Story(cluster, titles, uploads, calm, killed, crashes, recovered)


def test_both_runs_are_green(story: Story) -> None:
    assert set(story.calm.states) == set(story.killed.states)
    assert set(story.calm.states) >= {
        "avm_discover",
        "avm_fingerprint",
        "avm_publish_index",
        "avm_match",
        "avm_backfill_rematch",
        "avm_publish_results",
    }
    for run in (story.calm, story.killed):
        assert {state for states in run.states.values() for state in states} == {"success"}


def test_a_killed_worker_costs_time_and_not_a_row(story: Story) -> None:
    for name in ROWS:
        assert story.killed.rows[name] == story.calm.rows[name], name
    assert story.calm.rows["matches"]


def test_fingerprints_are_the_same_bytes_on_every_worker(story: Story) -> None:
    assert len(story.calm.artefacts) == 2 * len([*story.titles, *story.uploads])
    assert story.killed.artefacts == story.calm.artefacts


def test_checks_find_nothing(story: Story) -> None:
    for run in (story.calm, story.killed):
        assert {name: count for name, count in run.checks.items() if count} == {}


def test_planted_copies_are_found_with_their_seconds(story: Story) -> None:
    titles = {title.path.stem: title.metadata["title"] for title in story.titles}
    planted = {(u.key, titles[p.licensed_id]): p for u in story.uploads for p in u.planted}
    found = {
        (row["ugc_uri"].rsplit("/", 1)[-1], row["licensed_title"]): row
        for row in story.killed.rows["matches"]
    }
    assert set(found) == set(planted)
    assert len(found) == len(story.killed.rows["matches"])
    for pair, stretch in planted.items():
        for name in ("ugc_start", "ugc_end", "licensed_start", "licensed_end"):
            assert found[pair][name] == pytest.approx(getattr(stretch, name), abs=1.5), pair


def test_work_goes_where_the_layout_says(story: Story) -> None:
    def places(run: Run, task_id: str) -> set[tuple[str, str | None]]:
        return {(t["queue"], t["executor"]) for t in run.tasks if t["task_id"] == task_id}

    assert places(story.calm, "fingerprint") == {("gpu", None)}
    assert places(story.killed, "fingerprint") == {("gpu", "EdgeExecutor")}
    assert places(story.killed, "match") == {("cpu", None)}
    assert places(story.killed, "publish_ugc") == {("writer", None)}
    # A run that finds nothing to do skips its task, on no host.
    hosts = {
        t["hostname"]
        for t in story.killed.tasks
        if t["task_id"] == "fingerprint" and t["state"] != "skipped"
    }
    assert hosts == {"gpu0", "gpu1"}


def test_an_edge_and_a_celery_worker_were_killed_and_came_back(story: Story) -> None:
    fingerprint, match = story.crashes
    assert fingerprint.worker == f"gpu{fingerprint.device}"
    assert match.worker == "cpu"
    assert set(story.recovered.values()) == {True}
    for crash in story.crashes:
        task = crash.task(story.cluster)
        assert task["state"] == "success"
        assert task["try_number"] > crash.attempt
        told(crash, task)


def told(crash: Crash, task: dict[str, Any]) -> None:
    """For the record: what a crash costs. No test depends on it."""
    begun, ended = (datetime.fromisoformat(task[name]) for name in ("start_date", "end_date"))
    sys.stderr.write(
        f"{crash.task_id} on {crash.worker}: killed, begun again after "
        f"{(begun - crash.at).total_seconds():.0f} s, done after "
        f"{(ended - crash.at).total_seconds():.0f} s\n"
    )
