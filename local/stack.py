"""`python -m local.stack up|down|status`: SeaweedFS and Airflow on this machine, no container.

Everything lives below one folder (`--home`, default `.avm`): logs, data, the metadata database,
`credentials.json` and `stack.json`, which records every process so that `down` ends these only.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from local.airflow_api import AirflowApi
from local.environment import (
    airflow_environment,
    credentials,
    task_environment,
    write_private,
)
from local.processes import Service, family, launch, leader, stop

State = dict[str, Any]

AIRFLOW_SERVICES = ("api-server", "scheduler", "dag-processor", "triggerer")
PREFERRED_PORTS = {"ui": 8080, "worker_logs": 8793, "triggerer_logs": 8794}


def up(
    home: Path,
    *,
    settings: Mapping[str, str] | None = None,
    ports: Mapping[str, int] = PREFERRED_PORTS,
    timeout: float = 300.0,
) -> State:
    """Start the stack, or return the one that runs in `home` if it is healthy.

    `settings` are `AVM_*` variables for the tasks; a stack that already runs keeps its own.
    `ports` are wishes: a taken one is replaced by a free one, 0 asks for any. Raises
    `RuntimeError` with the end of the log of the service that failed; then nothing runs.
    """
    home = home.resolve()
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(home):
        state = _load(home)
        if state and is_healthy(state):
            return state
        _stop_all(home)
        try:
            return _start_all(home, dict(settings or {}), ports, timeout)
        except BaseException:
            _stop_all(home)
            raise


def down(home: Path) -> int:
    """End the processes recorded in `home` and their children; returns how many there were."""
    home = home.resolve()
    if not home.is_dir():
        return 0
    with _locked(home):
        return _stop_all(home)


def status(home: Path) -> State:
    """What runs: `{"home", "url", "password", "services": {name: pid}, "health": {...}}`."""
    home = home.resolve()
    state = _load(home)
    alive = {n: s.pid for n, s in _services(state).items() if leader(s)} if state else {}
    answer: State = {"home": str(home), "services": alive}
    if alive and "ports" in state:
        with api(state) as client:
            answer["health"] = client.health()
        answer["url"] = _url(state)
        answer["user"], answer["password"] = "admin", credentials(home)["admin_password"]
        answer["s3_endpoint_url"] = state["s3_endpoint_url"]
    return answer


def env(state: State) -> dict[str, str]:
    """The variables that make `airflow`, `avm` and the tasks of this stack agree."""
    home = Path(state["home"])
    endpoint_url = state["s3_endpoint_url"]
    return {
        **airflow_environment(home, state["ports"]),
        **task_environment(home, endpoint_url=endpoint_url, settings=state["settings"]),
    }


def api(state: State) -> AirflowApi:
    """A client that is logged in as the administrator."""
    password = credentials(Path(state["home"]))["admin_password"]
    return AirflowApi(_url(state), username="admin", password=password)


def is_healthy(state: State) -> bool:
    """Whether every process lives and every component reports a recent heartbeat."""
    services = _services(state)
    if set(services) != {"seaweed", *AIRFLOW_SERVICES} or "ready" not in state:
        return False
    if not all(leader(service) for service in services.values()):
        return False
    with api(state) as client:
        return set(client.health().values()) == {"healthy"}


def _start_all(
    home: Path, settings: dict[str, str], ports: Mapping[str, int], timeout: float
) -> State:
    from local.seaweed import Seaweed

    for folder in ("airflow", "cache", "catalog/data", "logs", "s3"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    secret = credentials(home)
    write_private(home / "airflow" / "passwords.json", {"admin": secret["admin_password"]})
    weed = Seaweed.start(
        home / "s3", access_key=secret["s3_access_key"], secret_key=secret["s3_secret_key"]
    )
    state: State = {
        "home": str(home),
        "settings": settings,
        "s3_endpoint_url": weed.endpoint_url,
        "s3_ports": list(weed.ports.all()),
        "ports": _free_ports(ports),
        "services": {"seaweed": asdict(Service.of(weed.pid))},
    }
    _save(home, state)
    deadline = time.monotonic() + timeout
    commands = {
        "metadata": [sys.executable, "-m", "local.metadata"],
        "prepare": [sys.executable, "-m", "local.prepare"],
    }
    _run_to_end(state, commands, deadline)
    for name in AIRFLOW_SERVICES:
        _launch(state, name, [sys.executable, "-m", "airflow", name])
    _wait_until_healthy(state, deadline)
    state["ready"] = True
    _save(home, state)
    return state


def _launch(state: State, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
    home = Path(state["home"])
    # Another Airflow's or AVM's variables, say of the shell of `up`, must not leak in.
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "AVM_"))}
    popen = launch(command, env={**inherited, **env(state)}, cwd=home, log=_log(state, name))
    state["services"][name] = asdict(Service.of(popen.pid))
    _save(home, state)
    return popen


def _run_to_end(state: State, commands: Mapping[str, Sequence[str]], deadline: float) -> None:
    running = {name: _launch(state, name, command) for name, command in commands.items()}
    for name, popen in running.items():
        try:
            code = popen.wait(timeout=max(1.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            raise RuntimeError(f"{name} does not end:\n{_tail(state, name)}") from error
        if code:
            raise RuntimeError(f"{name} failed with {code}:\n{_tail(state, name)}")
        del state["services"][name]


def _wait_until_healthy(state: State, deadline: float) -> None:
    with api(state) as client:
        while True:
            health = client.health()
            if set(health.values()) == {"healthy"}:
                return
            for name, service in _services(state).items():
                if leader(service) is None:
                    raise RuntimeError(f"{name} has ended:\n{_tail(state, name)}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"Airflow is not healthy: {health}; see {_log(state, '')}")
            time.sleep(0.3)


def _stop_all(home: Path) -> int:
    state = _load(home)
    services = _services(state)
    count = sum(len(family(service)) for service in services.values())
    # The store last: a task that is asked to stop may still write.
    stop([service for name, service in services.items() if name != "seaweed"])
    stop([service for name, service in services.items() if name == "seaweed"])
    # SeaweedFS leaves sockets behind, all of them when it is killed.
    for port in state.get("s3_ports", ()):
        for path in Path(tempfile.gettempdir()).glob(f"seaweedfs-*-{port}.sock"):
            path.unlink(missing_ok=True)
    (home / "stack.json").unlink(missing_ok=True)
    return count


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    with (home / "stack.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _load(home: Path) -> State:
    path = home / "stack.json"
    return dict(json.loads(path.read_text())) if path.is_file() else {}


def _save(home: Path, state: State) -> None:
    write_private(home / "stack.json", state)


def _services(state: State) -> dict[str, Service]:
    return {name: Service(**fields) for name, fields in state.get("services", {}).items()}


def _url(state: State) -> str:
    return f"http://127.0.0.1:{state['ports']['ui']}"


def _log(state: State, name: str) -> Path:
    return Path(state["home"]) / "logs" / (f"{name}.log" if name else "")


def _tail(state: State, name: str) -> str:
    path = _log(state, name)
    return path.read_text(errors="replace")[-3000:] if path.is_file() else f"no {path}"


def _free_ports(wishes: Mapping[str, int]) -> dict[str, int]:
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


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code, 1 from `status` when the stack is not healthy."""
    parser = argparse.ArgumentParser(prog="python -m local.stack", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "status"])
    parser.add_argument("--home", type=Path, default=Path(".avm"), help="default: .avm")
    chosen = parser.parse_args(arguments)
    if chosen.command == "down":
        print(f"{down(chosen.home)} processes ended")
        return 0
    if chosen.command == "up":
        up(chosen.home, settings={k: v for k, v in os.environ.items() if k.startswith("AVM_")})
    found = status(chosen.home)
    print(json.dumps(found, indent=1))
    return 0 if set(found.get("health", {}).values()) == {"healthy"} else 1


if __name__ == "__main__":
    sys.exit(main())
