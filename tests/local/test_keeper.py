"""What a keeper starts comes back after a crash, and ends with the keeper."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.processes import Service, launch, stop
from tests.local.test_processes import gone, wait_for

CHILD = "import os, time; print('pid', os.getpid(), flush=True); time.sleep(600)"


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[tuple[Service, Path]]:
    log = tmp_path / "keeper.log"
    code = "import sys; from local import keeper; keeper.PAUSE = 0.2; keeper.main(sys.argv[1:])"
    command = [sys.executable, "-c", code, sys.executable, "-c", CHILD]
    repository = str(Path(__file__).resolve().parents[2])
    env = {**os.environ, "PYTHONPATH": repository}
    service = Service.of(launch(command, env=env, cwd=tmp_path, log=log).pid)
    yield service, log
    stop([service])


def started(log: Path) -> list[int]:
    return [int(line.split()[1]) for line in log.read_text().splitlines() if line[:4] == "pid "]


def test_a_killed_program_is_started_again(keeper: tuple[Service, Path]) -> None:
    _, log = keeper
    wait_for(lambda: len(started(log)) == 1)
    os.kill(started(log)[0], signal.SIGKILL)
    wait_for(lambda: len(started(log)) == 2)
    assert not gone(started(log)[1])
    assert f"ended with -{signal.SIGKILL.value}" in log.read_text()


def test_a_keeper_that_is_asked_to_stop_takes_its_program_along(
    keeper: tuple[Service, Path],
) -> None:
    service, log = keeper
    wait_for(lambda: len(started(log)) == 1)
    os.kill(service.pid, signal.SIGTERM)
    wait_for(lambda: gone(service.pid))
    assert gone(started(log)[0])
    assert len(started(log)) == 1
