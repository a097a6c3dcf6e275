"""What a run of a DAG brought: the tab beside Airflow's own of each run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from starlette.responses import Response

from avm_airflow.web.access import User, can_decide, may_see_run
from avm_airflow.web.catalogs import POOL
from avm_airflow.web.filters import ACTIONS, Filters
from avm_airflow.web.pages import listed, render
from avm_core.types import Direction

router = APIRouter()

# The rows of these runs know which way they were searched.
_DIRECTIONS: dict[str, Direction] = {"avm_match": "forward", "avm_backfill_rematch": "reverse"}
Name = Annotated[str, Query(min_length=1, max_length=250)]


@router.get("/runs", dependencies=[may_see_run])
def run(request: Request, user: User, dag_id: Name, run_id: Name) -> Response:
    """Its tasks, and what came into the catalog while it ran."""
    found = _run(dag_id, run_id)
    began = found["start"] or found["queued"]
    ended = found["end"] or datetime.now(UTC)
    direction = _DIRECTIONS.get(dag_id)
    window = {"began": began, "ended": ended}
    chosen = Filters(
        action=list(ACTIONS),
        direction=direction,
        found_from=began,
        found_to=ended,
    )
    context = {
        "run": found,
        "searches": direction is not None,
        "sum": POOL.query("page/run_sum", direction=direction, **window)[0],
        "errors": POOL.query("page/run_errors", **window),
        "decides": can_decide(user),
    }
    return render(request, "run.html", context | listed(chosen))


def _run(dag_id: str, run_id: str) -> dict[str, Any]:
    """Run and tasks from Airflow's own tables: the API server may read them. Raises 404."""
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        found = session.scalar(
            select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)
        )
        if found is None:
            raise HTTPException(404, f"DAG {dag_id} has no run {run_id}")
        tasks = session.execute(
            select(TaskInstance.task_id, TaskInstance.state)
            .where(TaskInstance.dag_id == dag_id, TaskInstance.run_id == run_id)
            .order_by(TaskInstance.start_date)
        ).all()
        counts: dict[str, dict[str, int]] = {}
        for task_id, state in tasks:
            of_task = counts.setdefault(task_id, {})
            name = str(state or "none")
            of_task[name] = of_task.get(name, 0) + 1
        return {
            "dag_id": dag_id,
            "run_id": run_id,
            "state": str(found.state),
            "queued": found.queued_at or datetime.now(UTC),
            "start": found.start_date,
            "end": found.end_date,
            "tasks": counts,
        }
