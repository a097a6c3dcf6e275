"""What runs in one folder: its state file, its services, their logs and ports.

`stack.json` records every process that was started for the folder, so that these can be ended, and
no others; the same for a local stack and for a local cluster.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from local.airflow_api import AirflowApi
from local.environment import credentials, write_private
from local.processes import Service, family, launch, leader, stop

State = dict[str, Any]
Variables = Mapping[str, str]


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """One command at a time in `home`."""
    with (home / "stack.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def load(home: Path) -> State:
    """What was saved last; empty if nothing runs in `home`."""
    path = home / "stack.json"
    return dict(json.loads(path.read_text())) if path.is_file() else {}


def save(state: State) -> None:
    """Record the state in its own home."""
    write_private(Path(state["home"]) / "stack.json", state)


def services(state: State) -> dict[str, Service]:
    """Every recorded process by its name."""
    return {name: Service(**fields) for name, fields in state.get("services", {}).items()}


def url(state: State) -> str:
    """Where the API server is."""
    return f"http://127.0.0.1:{state['ports']['ui']}"


def api(state: State) -> AirflowApi:
    """A client that is logged in as the administrator."""
    password = credentials(Path(state["home"]))["admin_password"]
    return AirflowApi(url(state), username="admin", password=password)


def log_path(state: State, name: str) -> Path:
    """The log of one service."""
    return Path(state["home"]) / "logs" / f"{name}.log"


def log_end(state: State, name: str) -> str:
    """The end of the log of one service."""
    path = log_path(state, name)
    return path.read_text(errors="replace")[-3000:] if path.is_file() else f"no {path}"


def start(
    state: State,
    name: str,
    command: Sequence[str],
    variables: Variables,
    *,
    cwd: Path | None = None,
    user: str | None = None,
) -> subprocess.Popen[bytes]:
    """Start a service and record it. Of the own environment, variables of Airflow and AVM, say of
    the shell of `up`, do not leak in."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "AVM_"))}
    popen = launch(
        command,
        env={**inherited, **variables},
        cwd=cwd or Path(state["home"]),
        log=log_path(state, name),
        user=user,
    )
    state["services"][name] = asdict(Service.of(popen.pid))
    save(state)
    return popen


def run_to_end(
    state: State, commands: Mapping[str, Sequence[str]], variables: Variables, deadline: float
) -> None:
    """Run commands side by side. Raises `RuntimeError` with the log of one that fails or that has
    not ended at `deadline` (of the monotonic clock)."""
    running = {name: start(state, name, command, variables) for name, command in commands.items()}
    for name, popen in running.items():
        try:
            code = popen.wait(timeout=max(1.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            raise RuntimeError(f"{name} does not end:\n{log_end(state, name)}") from error
        if code:
            raise RuntimeError(f"{name} failed with {code}:\n{log_end(state, name)}")
        del state["services"][name]


def wait_until_healthy(state: State, deadline: float) -> None:
    """Return when Airflow says that all of it is well. Raises `RuntimeError` with the log of a
    service that ended, or at `deadline`."""
    with api(state) as client:
        while True:
            health = client.health()
            if set(health.values()) == {"healthy"}:
                return
            check_alive(state)
            if time.monotonic() > deadline:
                logs = Path(state["home"]) / "logs"
                raise RuntimeError(f"Airflow is not healthy: {health}; see {logs}")
            time.sleep(0.3)


def check_alive(state: State) -> None:
    """Raises `RuntimeError` with the log of a recorded service that has ended."""
    for name, service in services(state).items():
        if leader(service) is None:
            raise RuntimeError(f"{name} has ended:\n{log_end(state, name)}")


def stop_all(home: Path, *, last: Sequence[str] = ("seaweed",)) -> int:
    """End what is recorded in `home`, the services `last` at the end and in this order: a task
    that is asked to stop may still write. Returns how many processes there were."""
    state = load(home)
    found = services(state)
    count = sum(len(family(service)) for service in found.values())
    stop([service for name, service in found.items() if name not in last])
    for name in last:
        stop([found[name]] if name in found else [])
    # SeaweedFS leaves sockets behind, all of them when it is killed.
    for port in state.get("s3_ports", ()):
        for path in Path(tempfile.gettempdir()).glob(f"seaweedfs-*-{port}.sock"):
            path.unlink(missing_ok=True)
    (home / "stack.json").unlink(missing_ok=True)
    return count


def free_ports(wishes: Mapping[str, int]) -> dict[str, int]:
    """Each wish if it is free on all interfaces, else a port that is; all different."""
    found: dict[str, int] = {}
    sockets = []
    for name, wish in wishes.items():
        for port in (wish, 0):
            candidate = socket.socket()
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sockets.append(candidate)  # stays bound until all are found, so none is given twice
            try:
                candidate.bind(("", port))
            except OSError:
                continue
            found[name] = candidate.getsockname()[1]
            break
    for candidate in sockets:
        candidate.close()
    return found
