"""What AVM's tasks get done, as metrics of Airflow: media, seconds of media, units, failures.

Airflow itself says how long runs and tasks take (`dagrun.duration.*`, `task.duration`) and keeps a
row of each. What it cannot know is how much media that was. A hook on runs is called inside the
scheduler's loop, where writing an object or a row would hold up every DAG, so nothing is written
anywhere: with no `[metrics]` configured these calls do nothing.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.listeners import hookimpl

if TYPE_CHECKING:
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

_log = logging.getLogger(__name__)


@hookimpl
def on_task_instance_success(task_instance: RuntimeTaskInstance) -> None:
    """Count what the task was given or has recorded."""
    _counted(task_instance, _work)


@hookimpl
def on_task_instance_failed(
    task_instance: RuntimeTaskInstance, error: str | BaseException | None
) -> None:
    """Count the failure under the class of its cause, also of a try that will be repeated."""
    _counted(task_instance, lambda task: {"failures": 1}, error=_class(error))


def _counted(ti: Any, count: Any, **tags: str) -> None:
    try:
        if not str(ti.dag_id).startswith("avm_"):
            return
        from airflow.sdk.observability import stats

        found: dict[str, float] = count(ti.task)
        tags |= {"dag_id": ti.dag_id, "task_id": ti.task_id}
        for name, value in found.items():
            if value:
                stats.incr(f"avm.{name}", round(value), tags=tags)
    except Exception:  # a metric that is lost must never cost a task
        _log.warning("no metrics of this task", exc_info=True)


def _work(task: Any) -> dict[str, float]:
    """Of a batch what its plan says, of a record task what it has committed."""
    batch = getattr(task, "batch", None) or {}
    committed = getattr(task, "committed", None)
    return {
        "media": batch.get("media_count") or 0,
        "media_seconds": batch.get("seconds") or 0,
        "units": committed or 0,
    }


def _class(error: str | BaseException | None) -> str:
    if isinstance(error, BaseException):
        return type(error.__cause__ or error).__name__
    return "unknown"
