"""Processes that outlive the command that starts them, and a way to end exactly those."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # psutil ships no types

# Without a reference Popen warns when it is collected before its process ends.
_LAUNCHED: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True, slots=True)
class Service:
    """One process that leads its own session: `started` in seconds since the epoch, `cwd` its
    working directory. Pid and start time together are unique, a pid alone is reused."""

    pid: int
    started: float
    cwd: str

    @classmethod
    def of(cls, pid: int) -> Service:
        """Describe a running process. Raises `psutil.NoSuchProcess`."""
        process = psutil.Process(pid)
        return cls(pid, process.create_time(), process.cwd())


def launch(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    log: Path,
    user: str | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, output appended to `log`; as `user` if one is
    given, which only root may do."""
    with log.open("ab") as output:
        popen = subprocess.Popen(
            command,
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **identity(user),
        )
    _LAUNCHED.append(popen)
    return popen


def identity(user: str | None) -> dict[str, Any]:
    """What `subprocess` needs to start a process as `user`, with that user's groups only."""
    return {} if user is None else {"user": user, "group": user, "extra_groups": []}


def leader(service: Service) -> psutil.Process | None:
    """The recorded process, or None if it ended or its pid now belongs to another."""
    try:
        process = psutil.Process(service.pid)
        # The start time is derived from the boot time, which a clock adjustment may move a bit.
        same = abs(process.create_time() - service.started) < 2.0
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def family(service: Service) -> list[psutil.Process]:
    """The recorded process, its descendants and what is left of its session.

    The session matters when the leader was killed: its children live on with another parent.
    """
    head = leader(service)
    found = {}
    if head is not None:
        found = {p.pid: p for p in [head, *_children(head)]}
    elif psutil.pid_exists(service.pid) and not _is_zombie(service.pid):
        return []
    for process in psutil.process_iter():
        if process.pid not in found and _in_session(process, service):
            found[process.pid] = process
    return list(found.values())


def stop(services: Iterable[Service], *, patience: float = 10.0) -> None:
    """End the services and their families: SIGTERM to the leaders, so that they end their own
    children, after `patience` seconds SIGTERM to all, at last SIGKILL. Silent if none is left."""
    services = list(services)
    known = {p for service in services for p in family(service)}
    heads = [head for service in services if (head := leader(service)) is not None]
    for head in heads:
        _signal(head, signal.SIGTERM)
    _wait(heads, patience)
    # A service may have started a child while it was asked to stop: look again until none is left.
    for number in (signal.SIGTERM, *[signal.SIGKILL] * 10):
        known |= {p for service in services for p in family(service)}
        left = [p for p in known if _alive(p)]
        if not left:
            return
        for process in left:
            _signal(process, number)
        _wait(left, 2.0)


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def _is_zombie(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _in_session(process: psutil.Process, service: Service) -> bool:
    try:
        return (
            os.getsid(process.pid) == service.pid
            and process.create_time() > service.started - 2.0
            and process.cwd() == service.cwd
        )
    except (psutil.Error, OSError):
        return False


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def _wait(processes: Iterable[psutil.Process], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    for popen in _LAUNCHED:
        popen.poll()
    while any(_alive(p) for p in processes) and time.monotonic() < deadline:
        time.sleep(0.1)
    for popen in _LAUNCHED:
        popen.poll()
