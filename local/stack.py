"""`python -m local.stack up|down|status`: SeaweedFS and Airflow on this machine, no container.

Everything lives below one folder (`--home`, default `.avm`): logs, data, the metadata database,
`credentials.json` and `stack.json`, which records every process so that `down` ends these only.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from local.environment import (
    airflow_environment,
    credentials,
    task_environment,
    write_private,
)
from local.home import (
    State,
    api,
    free_ports,
    load,
    locked,
    run_to_end,
    save,
    services,
    start,
    stop_all,
    url,
    wait_until_healthy,
)
from local.processes import Service, leader

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
    with locked(home):
        state = load(home)
        if state and is_healthy(state):
            return state
        stop_all(home)
        try:
            return _start_all(home, dict(settings or {}), ports, timeout)
        except BaseException:
            stop_all(home)
            raise


def down(home: Path) -> int:
    """End the processes recorded in `home` and their children; returns how many there were."""
    home = home.resolve()
    if not home.is_dir():
        return 0
    with locked(home):
        return stop_all(home)


def status(home: Path) -> State:
    """What runs: `{"home", "url", "password", "services": {name: pid}, "health": {...}}`."""
    home = home.resolve()
    state = load(home)
    alive = {n: s.pid for n, s in services(state).items() if leader(s)} if state else {}
    answer: State = {"home": str(home), "services": alive}
    if alive and "ports" in state:
        with api(state) as client:
            answer["health"] = client.health()
        answer["url"] = url(state)
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


def is_healthy(state: State) -> bool:
    """Whether every process lives and every component reports a recent heartbeat."""
    found = services(state)
    if set(found) != {"seaweed", *AIRFLOW_SERVICES} or "ready" not in state:
        return False
    if not all(leader(service) for service in found.values()):
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
        "ports": free_ports(ports),
        "services": {"seaweed": asdict(Service.of(weed.pid))},
    }
    save(state)
    deadline = time.monotonic() + timeout
    commands = {
        "metadata": [sys.executable, "-m", "local.metadata"],
        "prepare": [sys.executable, "-m", "local.prepare"],
    }
    run_to_end(state, commands, env(state), deadline)
    for name in AIRFLOW_SERVICES:
        start(state, name, [sys.executable, "-m", "airflow", name], env(state))
    wait_until_healthy(state, deadline)
    state["ready"] = True
    save(state)
    return state


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
