"""Find a task in the middle of its batch, and take its worker away."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from avm_core.fingerprint.codec import artefact_key
from avm_core.pipeline.staging import read_plan
from local.cluster import crash, worker_of
from local.home import services

if TYPE_CHECKING:
    from tests.cluster.conftest import Cluster

Halfway = Callable[[dict[str, Any], psutil.Process], bool]
Begun = Callable[[psutil.Process], bool]


@dataclass(frozen=True)
class Crash:
    """A task whose worker was killed under it, with what of its environment matters."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    attempt: int
    worker: str
    device: str | None
    at: datetime

    def task(self, cluster: Cluster) -> dict[str, Any]:
        """The task as it is now, in its latest attempt."""
        (found,) = [
            task
            for task in cluster.api.task_instances(self.dag_id, self.run_id)
            if (task["task_id"], task["map_index"]) == (self.task_id, self.map_index)
        ]
        return found


def crash_halfway(
    cluster: Cluster, dag_id: str, task_id: str, begun: Begun, halfway: Halfway
) -> Crash | None:
    """Kill the worker of a task that is halfway through its batch; None if there is none now.

    `begun` is asked of a running task, quickly and often; then it is frozen and `halfway` looks at
    it closely, so that it cannot end between look and kill.
    """
    for run_id, task, batch in _running(cluster, dag_id, task_id):
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(task["pid"])
            worker = worker_of(cluster.state, process.pid)
            if worker is None or not _frozen_when(process, begun):
                continue
            if not halfway(batch, process):
                process.resume()
                continue
            # Workers write their titles over what the kernel shows of their own environment.
            keeper = psutil.Process(services(cluster.state)[worker].pid)
            device = keeper.environ().get("CUDA_VISIBLE_DEVICES")
            killed = crash(cluster.state, worker)
            assert process.pid in killed
            where = (dag_id, run_id, task_id, task["map_index"], task["try_number"])
            return Crash(*where, worker, device, datetime.now(UTC))
    return None


def _frozen_when(process: psutil.Process, begun: Begun) -> bool:
    """Freeze a process as soon as it has begun; False if it has not within a few seconds.

    Raises `psutil.NoSuchProcess` if it ends before.
    """
    deadline = time.monotonic() + 5.0
    while time.monotonic() < deadline:
        if begun(process):
            process.suspend()
            return True
        time.sleep(0.002)
    return False


def _running(
    cluster: Cluster, dag_id: str, task_id: str
) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for run in cluster.api.runs(dag_id):
        if run["state"] != "running":
            continue
        run_id = run["dag_run_id"]
        tasks = cluster.api.task_instances(dag_id, run_id)
        running = [t for t in tasks if (t["task_id"], t["state"]) == (task_id, "running")]
        for task in running:
            if task["pid"]:
                batches = cluster.api.xcom(dag_id, run_id, "plan")
                yield run_id, task, batches[task["map_index"]]


def at_once(process: psutil.Process) -> bool:
    """A task has begun when it runs."""
    return bool(process.is_running())


def some_artefacts_made(cluster: Cluster, files: dict[str, Path]) -> Halfway:
    """Some fingerprints of the batch are in the lake, and some are not; `files` by name."""
    platform = cluster.platform
    contents = {name: hashlib.sha256(f.read_bytes()).hexdigest() for name, f in files.items()}

    def halfway(batch: dict[str, Any], _: psutil.Process) -> bool:
        names = [row["uri"].rsplit("/", 1)[-1] for row in read_plan(platform, batch)["rows"]]
        wanted = {
            artefact_key(contents[name], identity)
            for name in names
            for identity in platform.fingerprinters.values()
        }
        made = wanted & {info.key for info in platform.lake.list("fingerprints/")}
        return 0 < len(made) < len(wanted)

    return halfway


def index_open(cluster: Cluster) -> Begun:
    """A segment of an index, from the worker's cache, is mapped by the task."""
    cache = f"{cluster.home}/cache/"

    def begun(process: psutil.Process) -> bool:
        try:
            return cache in Path(f"/proc/{process.pid}/maps").read_text()
        except OSError:
            raise psutil.NoSuchProcess(process.pid) from None

    return begun


def nothing_staged(cluster: Cluster) -> Halfway:
    """No row of a batch of matches is in the lake yet."""

    def halfway(batch: dict[str, Any], _: psutil.Process) -> bool:
        prefix = f"stage/forward/unit=forward-{batch['batch_id']}"
        return not any(cluster.platform.lake.list(prefix))

    return halfway
