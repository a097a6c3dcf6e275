"""Metrics of what tasks get done: counted through Airflow's own metrics, and never in the way."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from airflow.sdk.observability import stats
from avm_airflow import listener
from avm_airflow.operators.match import MatchOperator
from avm_airflow.operators.record import RecordOperator

from avm_core.errors import AccessDenied

BATCH = {"batch_id": "b", "media_count": 3, "seconds": 90.6}
Counts = dict[tuple[str, str, str], int]


class Backend:
    """A backend of Airflow's metrics that remembers."""

    def __init__(self) -> None:
        self.counts: Counts = {}

    def incr(self, stat: str, count: int = 1, *, tags: dict[str, Any]) -> None:
        self.counts[stat, tags["task_id"], tags.get("error", "")] = count


@pytest.fixture
def counts() -> Iterator[Counts]:
    backend = Backend()
    stats.initialize(factory=lambda: backend, export_legacy_names=False)  # type: ignore[arg-type]
    yield backend.counts
    stats.initialize(factory=stats_off, export_legacy_names=False)


def stats_off() -> Any:
    from airflow.sdk._shared.observability.metrics.base_stats_logger import NoStatsLogger

    return NoStatsLogger()


def instance(task: Any, *, dag_id: str = "avm_match") -> Any:
    return SimpleNamespace(dag_id=dag_id, task_id=getattr(task, "task_id", "t"), task=task)


def test_a_batch_counts_its_media_and_a_record_task_its_units(counts: Counts) -> None:
    recorder = RecordOperator(task_id="record", units=[])
    recorder.committed = 4
    for task in (MatchOperator(task_id="match", batch=BATCH), recorder):
        listener.on_task_instance_success(instance(task))
    assert counts == {
        ("avm.media", "match", ""): 3,
        ("avm.media_seconds", "match", ""): 91,
        ("avm.units", "record", ""): 4,
    }


def test_a_failure_is_counted_by_its_cause(counts: Counts) -> None:
    task = instance(MatchOperator(task_id="match", batch=BATCH))
    try:
        raise AirflowFailException("AccessDenied: …") from AccessDenied("wrong key")
    except AirflowFailException as error:
        listener.on_task_instance_failed(task, error)
    listener.on_task_instance_failed(task, None)
    assert set(counts) == {
        ("avm.failures", "match", "AccessDenied"),
        ("avm.failures", "match", "unknown"),
    }


def test_other_dags_are_not_counted_and_nothing_odd_is_raised(counts: Counts) -> None:
    listener.on_task_instance_success(instance(MatchOperator(task_id="m", batch=BATCH), dag_id="x"))
    listener.on_task_instance_success(instance(SimpleNamespace(batch="not a batch")))
    listener.on_task_instance_success(SimpleNamespace())  # type: ignore[arg-type]
    listener.on_task_instance_failed(SimpleNamespace(), "text")  # type: ignore[arg-type]
    assert counts == {}


def test_airflow_finds_the_hooks_and_the_plugin_is_light() -> None:
    code = (
        "import sys\n"
        "from airflow.sdk.listener import get_listener_manager\n"
        "from avm_plugin import AvmPlugin\n"
        "[module] = AvmPlugin.listeners\n"
        "manager = get_listener_manager()\n"
        "manager.add_listener(module)\n"
        "hooks = manager.hook.on_task_instance_success.get_hookimpls()\n"
        "assert module in [hook.plugin for hook in hooks]\n"
        "hooks = manager.hook.on_task_instance_failed.get_hookimpls()\n"
        "assert module in [hook.plugin for hook in hooks]\n"
        "heavy = ('numpy', 'torch', 'duckdb', 'boto3', 'avm_core')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": "plugins:.", "HOME": "/tmp", "AIRFLOW_HOME": "/tmp/avm-none"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
