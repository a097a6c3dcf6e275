"""Where tasks run in this deployment: queues, executors and pods, by two variables.

The DAGs say what a task needs by its pool; which hosts offer it is not theirs to know.
`AVM_PLACEMENT` gives the tasks of a pool a queue and an executor, `AVM_POD_TEMPLATES` names a
folder with pod templates for KubernetesExecutor, `<queue>.yaml` for the tasks of a queue. Without
them every task keeps the queue of its DAG, the default executor and the default pod.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VARIABLE = "AVM_PLACEMENT"
POD_TEMPLATES = "AVM_POD_TEMPLATES"


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
    if place is not None:
        task.queue = place.queue
        if place.executor is not None:
            _set(task, "executor", place.executor)
    folder = os.environ.get(POD_TEMPLATES)
    if folder and (template := Path(folder) / f"{task.queue}.yaml").is_file():
        _set(task, "executor_config", {"pod_template_file": str(template)})


def _set(task: Any, name: str, value: object) -> None:
    if task.is_mapped:
        task.partial_kwargs[name] = value  # Airflow has no setter for these
    else:
        setattr(task, name, value)
