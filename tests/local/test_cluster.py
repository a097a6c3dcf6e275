"""A crash takes a worker with all that it started, and leaves what starts it again."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import pytest

from local.cluster import crash, down, status, worker_of
from local.processes import Service, launch, stop
from tests.local.test_processes import PARENT, gone, wait_for


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Two kept workers, each of which has a task in a process group of its own."""
    code = "import sys; from local import keeper; keeper.PAUSE = 0.2; keeper.main(sys.argv[1:])"
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    found: dict[str, Service] = {}
    for name in ("gpu0", "gpu1"):
        command = [sys.executable, "-c", code, sys.executable, "-c", PARENT]
        popen = launch(command, env=env, cwd=tmp_path, log=tmp_path / f"{name}.log")
        found[name] = Service.of(popen.pid)
    services = {name: asdict(service) for name, service in found.items()}
    yield {"home": str(tmp_path), "services": services, "workers": list(found)}
    stop(found.values())


def tasks(cluster: dict[str, Any], name: str) -> list[int]:
    """The task of each life of a worker, as it has told."""
    lines = (Path(cluster["home"]) / f"{name}.log").read_text().splitlines()
    return [int(line) for line in lines if line.isdecimal()]


def test_a_crashed_worker_loses_its_task_and_starts_again(cluster: dict[str, Any]) -> None:
    for name in cluster["workers"]:
        wait_for(lambda name=name: len(tasks(cluster, name)) == 1)
    (task,), (other,) = tasks(cluster, "gpu0"), tasks(cluster, "gpu1")
    assert worker_of(cluster, task) == "gpu0"
    assert worker_of(cluster, os.getpid()) is None
    worker = psutil.Process(task).ppid()

    assert set(crash(cluster, "gpu0")) == {worker, task}
    wait_for(lambda: gone(worker) and gone(task))
    wait_for(lambda: len(tasks(cluster, "gpu0")) == 2)
    assert worker_of(cluster, tasks(cluster, "gpu0")[1]) == "gpu0"
    assert not gone(other)


def test_a_folder_without_a_cluster_has_nothing_to_end(tmp_path: Path) -> None:
    assert status(tmp_path) == {"services": {}}
    assert down(tmp_path) == 0
    assert down(tmp_path / "missing") == 0
