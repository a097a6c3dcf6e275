"""Quality as its operator measures it: the real Airflow builds a set, measures it, sweeps settings.

One story on a stack of its own: an evaluation, the same one again, a sweep, forms filled in wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from avm_core.errors import BadSettings
from tests.e2e.conftest import PATIENCE, Stack, running

pytestmark = [pytest.mark.airflow, pytest.mark.story]

# Three kinds of uploads of the smoke set, so that few files are fingerprinted.
CONF = {"set": "smoke", "modality": "audio", "edits": ["mp3", "volume", "clean_film"]}
GRID = {"match.min_duration": [25.0, 1000.0]}


@dataclass
class Story:
    """Run ids by what they measured."""

    stack: Stack
    first: str
    again: str
    sweep: str

    def states(self, dag_id: str, run_id: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for task in self.stack.api.task_instances(dag_id, run_id):
            found.setdefault(task["task_id"], set()).add(task["state"])
        return found


@pytest.fixture(scope="module")
def story(smoke_sets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with running(
        tmp_path_factory.mktemp("evaluate") / "stack",
        AVM_DISCOVER_SECONDS="86400",
        AVM_VIDEO_FINGERPRINTER="",
        AVM_BENCH__FOLDER=str(smoke_sets),
    ) as stack:
        first, again = stack.run("avm_evaluate", **CONF), stack.run("avm_evaluate", **CONF)
        sweep = stack.run("avm_experiment", **CONF, grid=GRID)
        yield Story(stack, first, again, sweep)


def test_a_run_measures_the_set_and_records_every_metric(story: Story) -> None:
    [row] = story.stack.sql(
        f"FROM evaluation_metrics WHERE run_id = '{story.first}' AND edit = '' AND metric = 'f1'"
    )
    assert row["value"] == 1.0
    edits = story.stack.sql(
        f"SELECT DISTINCT edit FROM evaluation_metrics WHERE run_id = '{story.first}'"
    )
    assert {r["edit"] for r in edits} == {"", *CONF["edits"]}
    groups = {"fingerprints": ("plan", "fingerprint"), "matches": ("plan", "match")}
    tasks = [f"{group}.{task}" for group, names in groups.items() for task in names]
    states = story.states("avm_evaluate", story.first)
    assert set(states) == {"plan", *tasks, "score", "record", "verdict"}
    assert set().union(*states.values()) == {"success"}


def test_the_same_again_does_no_work_and_gives_the_same_numbers(story: Story) -> None:
    states = story.states("avm_evaluate", story.again)
    for task in ("fingerprints.plan", "fingerprints.fingerprint", "matches.plan", "matches.match"):
        assert states[task] == {"skipped"}, task
    values = story.stack.sql(
        "SELECT edit, strength, metric, value, low, high, count(*) AS copies "
        f"FROM evaluation_metrics WHERE run_id IN ('{story.first}', '{story.again}') GROUP BY ALL"
    )
    assert {row["copies"] for row in values} == {2}
    # One configuration, measured three times: by the sweep as what it compares with, too.
    [shown] = story.stack.sql(
        "SELECT run_id FROM evaluations WHERE settings_changed NOT LIKE '%min_d%'"
    )
    assert shown["run_id"] == story.sweep


def test_a_sweep_says_which_point_wins(story: Story) -> None:
    rows = story.stack.sql(f"FROM experiments WHERE run_id = '{story.sweep}' AND metric = 'final'")
    by_point = {row["point"]: row for row in rows}
    never = by_point[json.dumps({"match.min_duration": 1000.0})]
    assert (never["value"], never["place"], never["wins"]) == (0.0, 3, False)
    assert by_point["{}"]["value"] > 0.8
    # Without the fingerprints of the first run every file would have been read again.
    assert story.states("avm_experiment", story.sweep)["fingerprints.fingerprint"] == {"skipped"}


def test_catalog_checks_find_nothing(story: Story) -> None:
    with story.stack.platform.catalog() as catalog:
        assert {name: n for name, n in catalog.check().items() if n} == {}


@pytest.mark.parametrize(
    ("dag_id", "conf", "said"),
    [
        ("avm_evaluate", {"set": "exam"}, "exam"),
        ("avm_evaluate", {"edits": [""]}, "edits"),
        ("avm_experiment", {"grid": {}}, "grid"),
        ("avm_experiment", {"grid": {"catalog.dsn": ["x"]}}, "catalog.dsn"),
        ("avm_experiment", {"grid": {"match.k": 5}}, "5 is not of type"),
    ],
)
def test_a_form_that_cannot_be_right_is_refused_at_once(
    story: Story, dag_id: str, conf: dict[str, Any], said: str
) -> None:
    with pytest.raises(httpx.HTTPStatusError) as caught:
        story.stack.api.trigger(dag_id, conf=CONF | conf)
    assert caught.value.response.status_code == 400
    assert said in caught.value.response.text


def test_a_value_that_is_wrong_fails_the_plan_at_once_and_names_the_field(story: Story) -> None:
    run_id = story.stack.api.trigger("avm_experiment", conf=CONF | {"grid": {"match.k": [0]}})
    run = story.stack.api.wait_for_run("avm_experiment", run_id, timeout=PATIENCE)
    assert run["state"] == "failed"
    [plan] = [
        t
        for t in story.stack.api.task_instances("avm_experiment", run_id)
        if t["task_id"] == "plan"
    ]
    assert plan["try_number"] == 1
    log = story.stack.api.log("avm_experiment", run_id, "plan")
    assert BadSettings.__name__ in log
    assert "'match.k', value 0" in log
