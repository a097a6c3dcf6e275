"""`python -m local.cluster up|down|status`: Airflow on several workers, as on several hosts, with
real processes and no container.

Postgres (for Airflow and for the catalog), Redis, SeaweedFS, Airflow's services, Celery workers and
Edge workers, each worker kept alive. A cluster is for measuring and for tests: every `up` begins
with empty stores, and a new `enter` empties them again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # psutil ships no types

from local import broker, postgres
from local.cluster_environment import (
    CELERY,
    EDGE,
    Layout,
    pools,
    service_environment,
    worker_command,
    worker_environment,
)
from local.environment import credentials, write_private
from local.home import (
    State,
    api,
    check_alive,
    free_ports,
    load,
    locked,
    log_path,
    run_to_end,
    save,
    services,
    start,
    stop_all,
    wait_until_healthy,
)
from local.metadata import POOLS
from local.processes import Service, family, leader, stop

LAYOUTS = {"celery": CELERY, "edge": EDGE}
_STORES = ("redis", "seaweed", "postgres")
_CORE = ("api-server", "scheduler", "triggerer")
_PORTS = ("ui", "worker_logs", "triggerer_logs", "postgres", "redis")


def up(
    home: Path, layout: Layout, *, settings: Mapping[str, str] | None = None, timeout: float = 400
) -> State:
    """Start a cluster with empty stores; one that runs in `home` is stopped first.

    `settings` are `AVM_*` variables for the tasks. Raises `RuntimeError` with the end of the log
    of the service that failed; then nothing runs.
    """
    home = home.resolve()
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    deadline = time.monotonic() + timeout
    with locked(home):
        _stop(home)
        try:
            state = _start_stores(home, settings or {})
            commands = {"metadata": [sys.executable, "-m", "local.metadata"]}
            run_to_end(state, commands, service_environment(state), deadline)
            for name in _CORE:
                _start_airflow(state, name)
            _enter(state, layout, deadline)
            wait_until_healthy(state, deadline)
        except BaseException:
            _stop(home)
            raise
    return state


def enter(home: Path, layout: Layout, *, timeout: float = 200) -> State:
    """Stop the workers, empty buckets and catalog, and start the workers of another layout."""
    home = home.resolve()
    with locked(home):
        state = load(home)
        _enter(state, layout, time.monotonic() + timeout)
    return state


def down(home: Path) -> int:
    """End the processes recorded in `home` and delete the databases; how many processes."""
    home = home.resolve()
    if not home.is_dir():
        return 0
    with locked(home):
        return _stop(home)


def crash(state: State, worker: str) -> list[int]:
    """SIGKILL a worker and all that it started, as when its host loses power; the pids. Only what
    starts it again stays alive."""
    keeper = services(state)[worker]
    victims: list[psutil.Process] = []
    for _ in range(2):  # stopped first, or one starts another meanwhile
        victims = [process for process in family(keeper) if process.pid != keeper.pid]
        for process in victims:
            _send(process, signal.SIGSTOP)
    for process in victims:
        _send(process, signal.SIGKILL)
    return [process.pid for process in victims]


def worker_of(state: State, pid: int) -> str | None:
    """The worker that the process `pid` belongs to."""
    for name in state["workers"]:
        if pid in {process.pid for process in family(services(state)[name])}:
            return str(name)
    return None


def _start_stores(home: Path, settings: Mapping[str, str]) -> State:
    from local.seaweed import Seaweed

    for folder in ("airflow", "cache", "logs", "redis", "s3"):
        shutil.rmtree(home / folder, ignore_errors=True)
        (home / folder).mkdir(parents=True)
    secret = credentials(home)
    write_private(home / "airflow" / "passwords.json", {"admin": secret["admin_password"]})
    data = postgres.initialise(home, secret["database_password"])
    weed = Seaweed.start(
        home / "s3", access_key=secret["s3_access_key"], secret_key=secret["s3_secret_key"]
    )
    state: State = {
        "home": str(home),
        "settings": dict(settings),
        "s3_endpoint_url": weed.endpoint_url,
        "s3_ports": list(weed.ports.all()),
        "ports": free_ports(dict.fromkeys(_PORTS, 0)),
        "services": {"seaweed": asdict(Service.of(weed.pid))},
        "workers": [],
        "catalog": "catalog",
        "placement": "",
    }
    save(state)
    ports, password = state["ports"], secret["database_password"]
    command = postgres.command(data, ports["postgres"])
    start(state, "postgres", command, {}, cwd=data, user=postgres.server_user())
    command = broker.command(home, ports["redis"], secret["broker_password"])
    start(state, "redis", command, {}, cwd=home / "redis")
    postgres.wait_ready(ports["postgres"], password)
    broker.wait_ready(ports["redis"], secret["broker_password"])
    postgres.create_database(ports["postgres"], password, "airflow")
    return state


def _enter(state: State, layout: Layout, deadline: float) -> None:
    home = Path(state["home"])
    leaving = [*state["workers"], "dag-processor"]
    stop([service for name, service in services(state).items() if name in leaving])
    for name in leaving:
        state["services"].pop(name, None)
    state |= {"workers": [], "placement": layout.placement}
    save(state)
    shutil.rmtree(home / "cache", ignore_errors=True)
    password = credentials(home)["database_password"]
    postgres.create_database(state["ports"]["postgres"], password, state["catalog"])
    defaults: dict[str, Any] = json.loads(POOLS.read_text())
    write_private(home / "pools.json", pools(defaults, layout))
    commands = {
        "pools": [sys.executable, "-m", "local.metadata", str(home / "pools.json")],
        "prepare": [sys.executable, "-m", "local.prepare", "--empty"],
    }
    run_to_end(state, commands, service_environment(state), deadline)
    _start_airflow(state, "dag-processor")
    for worker in layout.workers:
        variables = worker_environment(state, worker)
        start(state, worker.name, worker_command(sys.executable, worker), variables)
        state["workers"].append(worker.name)
        save(state)
    _wait_for_workers(state, layout, deadline)


def _start_airflow(state: State, name: str) -> None:
    start(state, name, [sys.executable, "-m", "airflow", name], service_environment(state))


def _wait_for_workers(state: State, layout: Layout, deadline: float) -> None:
    waiting = {worker.name for worker in layout.workers}
    while waiting:
        check_alive(state)
        waiting = {name for name in waiting if not takes_tasks(state, name)}
        if time.monotonic() > deadline:
            raise RuntimeError(f"workers are not ready: {sorted(waiting)}; see their logs")
        time.sleep(0.3)


def takes_tasks(state: State, worker: str) -> bool:
    """Whether a worker has come up since its last start."""
    # An Edge worker tells only by its name in the list of processes that it is registered.
    if any("edge worker: " in title for title in _titles(services(state)[worker])):
        return True
    said = log_path(state, worker).read_text(errors="replace").rpartition("keeper: ")[2]
    return " ready." in said


def _titles(service: Service) -> list[str]:
    titles = []
    for process in family(service):
        with suppress(psutil.NoSuchProcess):
            titles.append(" ".join(process.cmdline()))
    return titles


def _stop(home: Path) -> int:
    count = stop_all(home, last=_STORES)
    postgres.remove(home)
    return count


def _send(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def status(home: Path) -> State:
    """What runs: `{"services": {name: pid}, "health": {...}}`."""
    state = load(home.resolve())
    alive = {n: s.pid for n, s in services(state).items() if leader(s)} if state else {}
    if not alive:
        return {"services": {}}
    with api(state) as client:
        return {"services": alive, "health": client.health()}


def main() -> int:
    """The command line; 1 from `status` when the cluster is not healthy."""
    parser = argparse.ArgumentParser(prog="python -m local.cluster", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "status"])
    parser.add_argument("--home", type=Path, default=Path(".avm/cluster"))
    parser.add_argument("--layout", choices=LAYOUTS, default="edge")
    chosen = parser.parse_args()
    if chosen.command == "down":
        print(f"{down(chosen.home)} processes ended")
        return 0
    if chosen.command == "up":
        up(chosen.home, LAYOUTS[chosen.layout])
    found = status(chosen.home)
    print(json.dumps(found, indent=1))
    return 0 if set(found.get("health", {}).values()) == {"healthy"} else 1


if __name__ == "__main__":
    sys.exit(main())
