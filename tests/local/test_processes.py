"""Stopping a service ends it and all that it started, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from local.processes import Service, family, launch, leader, stop

# Starts a child in a process group of its own, as Airflow's workers do, and says its pid.
PARENT = """
import os, signal, subprocess, sys, time
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], process_group=0)
print(child.pid, flush=True)
time.sleep(600)
"""


def wait_for(condition: Callable[[], object]) -> None:
    for _ in range(400):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("the condition did not come true")


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


Start = Callable[..., tuple[Service, int]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[int] = []

    def run(*arguments: str) -> tuple[Service, int]:
        log = tmp_path / f"{len(started)}.log"
        command = [sys.executable, "-c", PARENT, *arguments]
        popen = launch(command, env=os.environ, cwd=tmp_path, log=log)
        wait_for(lambda: log.read_text().endswith("\n"))
        child = int(log.read_text())
        started.extend([popen.pid, child])
        return Service.of(popen.pid), child

    yield run
    for pid in started:
        if not gone(pid):
            os.kill(pid, signal.SIGKILL)


def test_stop_ends_the_services_and_their_children(start: Start) -> None:
    services, children = zip(start(), start(), strict=True)
    stop(services)
    assert all(gone(s.pid) for s in services)
    assert all(gone(child) for child in children)


def test_stop_kills_a_service_that_ignores_the_signal(start: Start) -> None:
    service, child = start("stubborn")
    stop([service], patience=0.5)
    assert gone(service.pid)
    assert gone(child)


def test_stop_finds_the_children_of_a_service_that_was_killed(start: Start) -> None:
    service, child = start()
    os.kill(service.pid, signal.SIGKILL)
    wait_for(lambda: gone(service.pid))
    assert not gone(child)
    assert leader(service) is None
    assert [p.pid for p in family(service)] == [child]
    stop([service])
    assert gone(child)


def test_stop_leaves_other_services_and_strangers_alone(start: Start) -> None:
    service, _ = start()
    other, other_child = start()
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        stop([service])
        assert not gone(other.pid)
        assert not gone(other_child)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_stop_does_not_touch_a_process_that_got_the_pid_of_a_dead_service(start: Start) -> None:
    running, child = start()
    recorded = replace(running, started=running.started - 3_600)
    assert leader(recorded) is None
    assert family(recorded) == []
    stop([recorded])
    assert not gone(running.pid)
    assert not gone(child)


def test_stop_twice_is_silent(start: Start) -> None:
    service, _ = start()
    stop([service])
    stop([service])
    assert family(service) == []
