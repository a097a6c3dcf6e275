"""What each process of a cluster may see, and that the numbers of its settings fit together."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from avm_airflow.placement import placement

from avm_core.config import load_settings
from local.cluster_environment import (
    CELERY,
    EDGE,
    RECOVERY,
    Layout,
    pools,
    same_workers,
    service_environment,
    worker_command,
    worker_environment,
)
from local.environment import credentials
from local.metadata import POOLS

LAYOUTS = {"celery": CELERY, "edge": EDGE, "two": same_workers(2)}


@pytest.fixture
def state(tmp_path: Path) -> dict[str, Any]:
    names = ("ui", "worker_logs", "triggerer_logs", "postgres", "redis")
    return {
        "home": str(tmp_path),
        "settings": {"AVM_DISCOVER_SECONDS": "60"},
        "s3_endpoint_url": "http://127.0.0.1:9",
        "ports": {name: 18_200 + number for number, name in enumerate(names)},
        "catalog": "catalog",
        "placement": EDGE.placement,
    }


def test_services_agree_on_database_broker_and_catalog(
    state: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = service_environment(state)
    assert found["AIRFLOW__CELERY__RESULT_BACKEND"].endswith(":18203/airflow")
    assert found["AIRFLOW__CELERY__BROKER_URL"].endswith(":18204/0")
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.catalog.dsn.startswith("postgres:host=127.0.0.1 port=18203 ")
    assert settings.catalog.data_path.startswith(settings.lake_uri)


def test_an_edge_worker_sees_the_api_server_and_no_secret_but_one(state: dict[str, Any]) -> None:
    (worker, _) = [worker for worker in EDGE.workers if worker.edge]
    found = worker_environment(state, worker)
    secret = credentials(Path(state["home"]))
    seen = {name for name, value in secret.items() if any(value in text for text in found.values())}
    assert seen - {"s3_access_key"} == {"jwt_secret"}  # the access key is the word `avm`
    numbers = {port for port in state["ports"].values() if f":{port}" in str(found)}
    assert numbers == {state["ports"]["ui"]}
    assert not {name for name in found if "CATALOG" in name or "CELERY" in name}
    assert found["CUDA_VISIBLE_DEVICES"] == "0"
    assert found["AVM_UGC_URI"] == "s3://avm-ugc"


def test_edge_workers_share_neither_device_nor_folder(state: dict[str, Any]) -> None:
    found = [worker_environment(state, w) for w in EDGE.workers if w.edge]
    for name in ("CUDA_VISIBLE_DEVICES", "AIRFLOW_HOME", "AVM_CACHE_DIR"):
        assert len({variables[name] for variables in found}) == 2, name


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_every_queue_has_a_worker_of_its_kind_and_every_pool_as_many_slots(layout: Layout) -> None:
    """With more slots than that, tasks would wait inside a queue, where they time out."""
    defaults = json.loads(POOLS.read_text())
    slots = {name: pool["slots"] for name, pool in pools(defaults, layout).items()}
    for pool, place in placement(layout.placement).items():
        edge = place.executor == "EdgeExecutor"
        serving = [w for w in layout.workers if place.queue in w.queues and w.edge == edge]
        assert serving, pool
        sharing = [p for p, other in placement(layout.placement).items() if other == place]
        assert max(slots[p] for p in sharing) <= sum(w.slots for w in serving), pool
    assert any("default" in worker.queues and not worker.edge for worker in layout.workers)


def test_an_edge_worker_is_back_before_its_task_is_given_out_again() -> None:
    timeout = int(str(RECOVERY["SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT"]))
    assert 5 * int(str(RECOVERY["EDGE__HEARTBEAT_INTERVAL"])) < timeout


def test_no_running_task_is_delivered_twice() -> None:
    from avm_airflow.schedule import DEFAULT_ARGS

    seconds = int(str(RECOVERY["CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT"]))
    assert timedelta(seconds=seconds) > DEFAULT_ARGS["execution_timeout"]


def test_workers_are_kept_and_named() -> None:
    commands = [worker_command("python", worker) for worker in EDGE.workers]
    assert all(command[:3] == ["python", "-m", "local.keeper"] for command in commands)
    assert [command[6] for command in commands] == ["celery"] * 3 + ["edge"] * 2
