"""A deployment places the tasks of a pool; the DAG files do not change for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from avm_airflow.placement import Place, placement

from tests.dags.test_dags import load_dags

EXECUTORS = "CeleryExecutor,airflow.providers.edge3.executors.EdgeExecutor"


def places(report: dict[str, Any]) -> dict[tuple[str, str], tuple[str, str | None]]:
    return {
        (dag_id, task_id): (task["queue"], task["executor"])
        for dag_id, dag in report["dags"].items()
        for task_id, task in dag["tasks"].items()
    }


def test_words_become_places() -> None:
    assert placement(" cpu=match  gpu=gpu@EdgeExecutor ") == {
        "cpu": Place("match"),
        "gpu": Place("gpu", "EdgeExecutor"),
    }
    assert placement("") == {}


@pytest.mark.parametrize("text", ["gpu", "=gpu", "gpu=", "gpu=gpu@", "gpu=a gpu=b"])
def test_a_wrong_word_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="AVM_PLACEMENT: "):
        placement(text)


def test_tasks_of_a_pool_move_and_the_others_stay(tmp_path: Path) -> None:
    pytest.importorskip("airflow.providers.edge3")
    pytest.importorskip("airflow.providers.celery")
    before = places(load_dags(tmp_path))
    report = load_dags(
        tmp_path,
        AVM_PLACEMENT="cpu=match gpu=gpu@EdgeExecutor catalog=writer",
        AIRFLOW__CORE__EXECUTOR=EXECUTORS,
    )
    assert report["errors"] == {}
    after = places(report)
    assert after["avm_fingerprint", "fingerprint"] == ("gpu", "EdgeExecutor")
    assert after["avm_match", "match"] == ("match", None)
    assert after["avm_match", "record"] == ("writer", None)
    moved = {where for where in after if after[where] != before[where]}
    pools = {
        (dag_id, task_id): task["pool"]
        for dag_id, dag in report["dags"].items()
        for task_id, task in dag["tasks"].items()
    }
    assert moved == {where for where, pool in pools.items() if pool in {"cpu", "gpu", "catalog"}}


def test_a_wrong_placement_is_shown_as_the_import_error_of_the_dags(tmp_path: Path) -> None:
    report = load_dags(tmp_path, AVM_PLACEMENT="gpu")
    assert report["dags"] == {}
    assert all("'gpu' is not pool=queue" in error for error in report["errors"].values())
