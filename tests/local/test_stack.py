"""The stack comes up healthy, is reused, and goes down without a trace or a victim."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local import stack
from local.home import free_ports
from local.processes import Service, family

ANY_PORTS = dict.fromkeys(stack.PREFERRED_PORTS, 0)


def pids_of(state: stack.State) -> set[int]:
    services = [Service(**fields) for fields in state["services"].values()]
    return {process.pid for service in services for process in family(service)}


def alive(pids: set[int]) -> set[int]:
    def lives(pid: int) -> bool:
        try:
            return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    return {pid for pid in pids if lives(pid)}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "stack"
    stack.down(tmp_path / "stack")


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process of another's Airflow, as far as its name tells."""
    code = "import time; time.sleep(1200)"
    process = subprocess.Popen([sys.executable, "-c", code, "airflow scheduler"])
    yield process
    process.kill()
    process.wait()


@pytest.mark.airflow
@pytest.mark.s3
def test_a_stack_lives_and_dies(
    home: Path, stranger: subprocess.Popen[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    state = stack.up(home, settings={"AVM_DISCOVER_SECONDS": "3600"}, ports=ANY_PORTS)
    pids = pids_of(state)
    found = stack.status(home)
    assert set(found["health"].values()) == {"healthy"}
    assert len(found["services"]) == 5
    with stack.api(state) as api:
        assert {**api.pools(), "default_pool": 0} == {
            "default_pool": 0,
            "gpu": 1,
            "cpu": 2,
            "index_writer": 1,
            "catalog": 1,
        }
    for private in ("stack.json", "credentials.json", "airflow/passwords.json"):
        assert (home / private).stat().st_mode & 0o777 == 0o600

    assert stack.up(home, ports=ANY_PORTS) == state
    assert stack.main(["status", "--home", str(home)]) == 0
    assert json.loads(capsys.readouterr().out)["services"] == found["services"]

    # A crash leaves the workers of the scheduler behind; they are part of the stack all the same.
    os.kill(state["services"]["scheduler"]["pid"], signal.SIGKILL)
    assert stack.down(home) >= 5
    assert alive(pids) == set()
    assert stranger.poll() is None
    assert stack.down(home) == 0
    assert stack.status(home)["services"] == {}


def test_down_in_a_folder_without_a_stack_does_nothing(tmp_path: Path) -> None:
    assert stack.down(tmp_path) == 0
    assert stack.down(tmp_path / "missing") == 0
    assert stack.main(["status", "--home", str(tmp_path)]) == 1


def test_a_taken_port_is_replaced_and_no_port_is_given_twice() -> None:
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        wish = taken.getsockname()[1]
        found = free_ports({"ui": wish, "worker_logs": wish, "triggerer_logs": 0})
    assert wish not in found.values()
    assert len(set(found.values())) == 3
