"""What the services and workers of a local cluster see, each no more than it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local import broker, postgres
from local.environment import airflow_environment, credentials, task_environment
from local.home import State, url

EXECUTORS = "CeleryExecutor,airflow.providers.edge3.executors.EdgeExecutor"

# Why each differs from its default; docs/cluster.md says what a recovery takes with them.
RECOVERY: dict[str, object] = {
    # A worker that was killed says nothing: its tasks are missed by their heartbeats, which come
    # every 5 s from a process that the task's work cannot hold up. So long may the API server be
    # away, say restart, before living tasks are given up.
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": 60,
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": 5,
    # The broker keeps a message until its task has ended, so that one which a killed worker had
    # only fetched is not lost.
    "CELERY__TASK_ACKS_LATE": True,
    # A worker holds no message but those that it works on: what waits, waits for all workers.
    "CELERY__WORKER_PREFETCH_MULTIPLIER": 1,
    # Redis delivers an unacknowledged message again after so many seconds. Longer than any task
    # (execution_timeout, 6 h): the message of a task that runs is not for another worker, and a
    # killed one is brought back by its heartbeat, long before.
    "CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": 7 * 3600,
    # A task that was handed to a worker which died before it started it: queued again.
    "SCHEDULER__TASK_QUEUED_TIMEOUT": 300,
    # An Edge worker is taken for dead after five of these, and its name is refused before: less
    # than the heartbeat timeout, so that it is back before its task is given out again.
    "EDGE__HEARTBEAT_INTERVAL": 8,
    "EDGE__JOB_POLL_INTERVAL": 2,
}


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker: `slots` tasks at a time of its queues. An Edge worker (`edge`) reaches only the
    API server and the object store. `variables` are its own, as the device that it is given."""

    name: str
    queues: tuple[str, ...]
    slots: int = 1
    edge: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Layout:
    """Workers, `AVM_PLACEMENT` that uses them, and the slots of the pools that differ."""

    workers: Sequence[Worker]
    placement: str
    slots: Mapping[str, int] = field(default_factory=dict)


def _device(number: int) -> Worker:
    device = {"CUDA_VISIBLE_DEVICES": str(number)}
    return Worker(f"gpu{number}", ("gpu",), edge=True, variables=device)


# Three Celery workers do everything.
CELERY = Layout(
    (Worker("default", ("default",), 2), Worker("cpu", ("cpu",), 2), Worker("gpu", ("gpu",))),
    "cpu=cpu gpu=gpu",
)
# Fingerprints on two hosts with a device each, the rest on three Celery workers.
EDGE = Layout(
    (
        *(Worker("default", ("default",), 2), Worker("cpu", ("cpu",), 2)),
        *(Worker("writer", ("writer",)), _device(0), _device(1)),
    ),
    "cpu=cpu gpu=gpu@EdgeExecutor catalog=writer index_writer=writer",
    {"gpu": 2},
)


def same_workers(count: int) -> Layout:
    """`count` Celery workers of one core each that all serve every queue."""
    one = {"OMP_NUM_THREADS": "1", "AVM_PIPELINE__FINGERPRINT_WORKERS": "1"}
    workers = [Worker(f"worker{n}", ("default", "cpu", "gpu"), variables=one) for n in range(count)]
    return Layout(workers, "cpu=cpu gpu=gpu", {"gpu": count, "cpu": count})


def service_environment(state: State) -> dict[str, str]:
    """For the services of Airflow and for Celery workers, and enough for the `avm` command."""
    home, ports, secret = _parts(state)
    database = postgres.url(ports["postgres"], secret["database_password"], "airflow")
    changes = {
        "CORE__EXECUTOR": EXECUTORS,
        "CORE__PARALLELISM": 16,
        "DATABASE__SQL_ALCHEMY_CONN": database,
        "CELERY__RESULT_BACKEND": f"db+{database}",
        "CELERY__BROKER_URL": broker.url(ports["redis"], secret["broker_password"]),
        "EDGE__API_ENABLED": True,
        "EDGE__API_URL": _edge_url(state),
        **RECOVERY,
    }
    catalog = postgres.dsn(ports["postgres"], secret["database_password"], state["catalog"])
    return {
        **airflow_environment(home, ports, changes),
        **task_environment(home, endpoint_url=state["s3_endpoint_url"], settings=state["settings"]),
        "AVM_CATALOG__DSN": f"postgres:{catalog}",
        "AVM_CATALOG__DATA_PATH": "s3://avm-lake/catalog",
        "AVM_PLACEMENT": state["placement"],
    }


def worker_environment(state: State, worker: Worker) -> dict[str, str]:
    """For one worker. An Edge worker gets no address of a database or a broker, and no secret but
    the one that its requests are signed with: connections come from the API server."""
    every = service_environment(state)
    cache = {"AVM_CACHE_DIR": str(Path(state["home"]) / "cache" / worker.name)}
    if not worker.edge:
        return {**every, **cache, **worker.variables}
    secrets = ("AVM_CATALOG", "AVM_S3__", "AIRFLOW_CONN", "AIRFLOW__DATABASE", "AIRFLOW__CELERY")
    kept = {
        "AIRFLOW__API_AUTH__JWT_SECRET",
        "AIRFLOW__CORE__DAGS_FOLDER",
        "AIRFLOW__CORE__PLUGINS_FOLDER",
        "AIRFLOW__CORE__LOAD_EXAMPLES",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
        "AIRFLOW__EDGE__API_URL",
        "AIRFLOW__EDGE__HEARTBEAT_INTERVAL",
        "AIRFLOW__EDGE__JOB_POLL_INTERVAL",
    }
    return {
        **{
            name: value
            for name, value in every.items()
            if name in kept or not name.startswith(("AIRFLOW", *secrets))
        },
        # A folder of its own, as on a host of its own; no database is there to be opened.
        "AIRFLOW_HOME": str(Path(state["home"]) / worker.name),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg2://nobody@127.0.0.1:1/nothing",
        **cache,
        **worker.variables,
    }


def worker_command(python: str, worker: Worker) -> list[str]:
    """What starts one worker, and starts it again when it dies."""
    queues = ",".join(worker.queues)
    common = ["--queues", queues, "--concurrency", str(worker.slots)]
    if worker.edge:
        arguments = ["edge", "worker", *common, "--edge-hostname", worker.name]
    else:
        # Several workers share this host's port of the log server, and its folder of logs.
        own = ["--skip-serve-logs", "--celery-hostname", f"{worker.name}@%h"]
        arguments = ["celery", "worker", *common, *own]
    return [python, "-m", "local.keeper", python, "-m", "airflow", *arguments]


def pools(defaults: Mapping[str, Mapping[str, object]], layout: Layout) -> dict[str, object]:
    """The pools of the DAGs with the slots of a layout."""
    return {
        name: {**pool, "slots": layout.slots.get(name, pool["slots"])}
        for name, pool in defaults.items()
    }


def _edge_url(state: State) -> str:
    return f"{url(state)}/edge_worker/v1/rpcapi"


def _parts(state: State) -> tuple[Path, dict[str, int], dict[str, str]]:
    home = Path(state["home"])
    return home, state["ports"], credentials(home)
