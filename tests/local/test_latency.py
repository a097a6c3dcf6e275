"""Where the seconds of a flow went, from the times that Airflow gives to tasks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from local import latency, parse_time

START = datetime(2026, 3, 1, tzinfo=UTC)


def task(dag_id: str, name: str, *, ready: float, start: float, end: float, **more: Any) -> Any:
    def at(seconds: float) -> str:
        return (START + timedelta(seconds=seconds)).isoformat()

    times = {"scheduled_when": at(ready), "queued_when": at(ready + 0.5)}
    times |= {"start_date": at(start), "end_date": at(end)}
    return {"dag_id": dag_id, "task_id": name, "state": "success", **times, **more}


def test_waits_and_runs_are_medians_of_the_tasks_that_succeeded() -> None:
    tasks = [
        task("avm_match", "match", ready=0, start=2, end=5),
        task("avm_match", "match", ready=10, start=14, end=15),
        task("avm_match", "match", ready=20, start=23, end=25),
        task("avm_match", "plan", ready=0, start=9, end=99, state="skipped"),
    ]
    assert latency._stages(tasks) == {
        "avm_match.match": {"wait_s": 3.0, "run_s": 2.0, "tasks": 3},
    }


def test_throughput_is_media_over_the_time_from_the_first_start_to_the_last_end() -> None:
    tasks = [
        task("avm_match", "match", ready=0, start=2, end=5),
        task("avm_match", "match", ready=0, start=3, end=12),
        task("avm_match", "record", ready=0, start=0, end=50),
    ]
    assert latency._throughput(tasks, 200.0) == {
        "avm_match.match": {"batches": 2, "media_x": 20.0, "queued_to_start_s": 2.0},
    }


def test_every_dag_file_has_a_parse_time_and_imports_nothing_heavy() -> None:
    found = parse_time.measure(runs=1)
    dags = {path.name for path in (parse_time.REPO / "dags").glob("*.py")}
    assert set(found["files"]) == dags
    assert all(seconds > 0 for seconds in found["files"].values())
    assert found["heavy"] == []
