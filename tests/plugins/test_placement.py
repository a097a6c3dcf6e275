"""A deployment places the tasks of a pool; the DAG files do not change for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from avm_airflow.placement import Place, placement

from tests.dags.test_dags import load_dags

EXECUTORS = "CeleryExecutor,airflow.providers.edge3.executors.EdgeExecutor"


def tasks(report: dict[str, Any], name: str) -> dict[tuple[str, str], Any]:
    """One field of every task, by DAG and task."""
    assert report["errors"] == {}
    return {
        (dag_id, task_id): task[name]
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
    before = load_dags(tmp_path)
    after = load_dags(tmp_path, AVM_PLACEMENT="cpu=match catalog=writer")
    queues, pools = tasks(after, "queue"), tasks(after, "pool")
    assert queues["avm_match", "match"] == "match"
    assert queues["avm_match", "record"] == "writer"
    assert queues["avm_fingerprint", "fingerprint"] == "gpu"
    moved = {where for where, queue in tasks(before, "queue").items() if queue != queues[where]}
    assert moved == {where for where, pool in pools.items() if pool in {"cpu", "catalog"}}
    assert set(tasks(after, "executor").values()) == {None}


def test_tasks_of_a_pool_get_another_executor(tmp_path: Path) -> None:
    pytest.importorskip("airflow.providers.edge3", reason="comes with the extra `cluster`")
    placed = {"AVM_PLACEMENT": "gpu=gpu@EdgeExecutor catalog=writer@CeleryExecutor"}
    report = load_dags(tmp_path, AIRFLOW__CORE__EXECUTOR=EXECUTORS, **placed)
    executors, pools = tasks(report, "executor"), tasks(report, "pool")
    expected = {"gpu": "EdgeExecutor", "catalog": "CeleryExecutor"}
    assert executors == {where: expected.get(pool) for where, pool in pools.items()}


def test_tasks_of_a_queue_get_its_pod_template(tmp_path: Path) -> None:
    template = tmp_path / "pods" / "gpu.yaml"
    template.parent.mkdir()
    template.touch()
    report = load_dags(tmp_path, AVM_POD_TEMPLATES=str(template.parent))
    found, queues = tasks(report, "executor_config"), tasks(report, "queue")
    assert "gpu" in queues.values()
    for where, queue in queues.items():
        assert found[where] == ({"pod_template_file": str(template)} if queue == "gpu" else {})


def test_a_wrong_placement_is_shown_as_the_import_error_of_the_dags(tmp_path: Path) -> None:
    report = load_dags(tmp_path, AVM_PLACEMENT="gpu")
    assert report["dags"] == {}
    assert all("'gpu' is not pool=queue" in error for error in report["errors"].values())
