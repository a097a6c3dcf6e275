"""Where tasks run in this deployment: `AVM_PLACEMENT` gives the tasks of a pool a queue.

The DAGs say what a task needs by its pool; which hosts offer it is not theirs to know. Without the
variable every task keeps the queue of its DAG and the default executor.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

VARIABLE = "AVM_PLACEMENT"


@dataclass(frozen=True, slots=True)
class Place:
    """A queue, and the executor that serves it; None is the default one."""

    queue: str
    executor: str | None = None


def placement(text: str) -> dict[str, Place]:
    """Pool → place, of words `pool=queue` or `pool=queue@executor` with spaces between them.

    Raises `ValueError` for anything else; Airflow shows it as the import error of every DAG.
    """
    places: dict[str, Place] = {}
    for word in text.split():
        pool, _, place = word.partition("=")
        queue, at, executor = place.partition("@")
        if not pool or not queue or (at and not executor) or pool in places:
            raise ValueError(
                f"{VARIABLE}: {word!r} is not pool=queue or pool=queue@executor, each pool once; "
                "correct it in the environment of the DAG processor"
            )
        places[pool] = Place(queue, executor or None)
    return places


def task_policy(task: Any) -> None:
    """Airflow's cluster policy for every task (mapped or not) that is loaded from a DAG file."""
    place = placement(os.environ.get(VARIABLE, "")).get(task.pool)
    if place is None:
        return
    task.queue = place.queue
    if place.executor is None:
        return
    if task.is_mapped:
        task.partial_kwargs["executor"] = place.executor  # it has no setter
    else:
        task.executor = place.executor
