"""The container files agree with the code: settings, files, queues and variables exist."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from avm_airflow.placement import placement

from avm_core.config import load_settings
from local.cluster_environment import RECOVERY

REPO = Path(__file__).resolve().parents[2]
DOCKER = REPO / "docker"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((DOCKER / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def airflow(compose: dict[str, Any]) -> dict[str, Any]:
    """The services that run our image."""
    return {n: s for n, s in compose["services"].items() if s["image"] == "avm:local"}


def test_airflow_runs_its_four_services_and_workers_for_every_queue(
    airflow: dict[str, Any],
) -> None:
    assert {"api-server", "scheduler", "dag-processor", "triggerer", "init"} <= set(airflow)
    workers = {n: s for n, s in airflow.items() if s["command"].startswith("celery worker")}
    queues: dict[str, set[str]] = {}
    for service in workers.values():
        (queue,) = re.findall(r"--queues (\S+)", service["command"])
        queues.setdefault(queue, set()).update(service.get("profiles", ["always"]))
    assert queues == {"default": {"always"}, "cpu": {"always"}, "gpu": {"cpu", "gpu"}}


def test_every_queue_of_the_dags_has_a_worker(airflow: dict[str, Any]) -> None:
    used = {
        q for f in (REPO / "dags").glob("*.py") for q in re.findall(r'queue="(\w+)"', f.read_text())
    }
    assert used == {"gpu"}
    placed = placement(airflow["dag-processor"]["environment"]["AVM_PLACEMENT"])
    assert {place.queue for place in placed.values()} == {"cpu", "gpu"}


def test_a_killed_worker_is_recovered_as_in_the_local_cluster(airflow: dict[str, Any]) -> None:
    """Those numbers were tried by killing workers; these are the same."""
    expected = {
        f"AIRFLOW__{name}": str(value) for name, value in RECOVERY.items() if name[:4] != "EDGE"
    }
    for name, service in airflow.items():
        found = {key: service["environment"].get(key) for key in expected}
        assert found == expected, name


def test_the_avm_variables_are_settings_and_the_connection_agrees(
    airflow: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, service in airflow.items():
        environment = service["environment"]
        for variable, value in environment.items():
            if variable.startswith("AVM_"):
                monkeypatch.setenv(variable, value)
        settings = load_settings()
        connection = json.loads(environment["AIRFLOW_CONN_AVM_S3"])
        assert settings.s3.endpoint_url == connection["extra"]["endpoint_url"], name
        assert settings.s3.access_key == connection["login"], name
        assert settings.s3.secret_key == connection["password"], name
        assert settings.catalog.dsn.startswith("postgres:dbname=catalog "), name
        assert settings.catalog.data_path.startswith(settings.lake_uri), name


def test_every_variable_that_must_be_set_is_in_the_example() -> None:
    needed = set(re.findall(r"\$\{(\w+):\?\}", (DOCKER / "compose.yaml").read_text()))
    example = re.findall(r"^(\w+)=", (DOCKER / "example.env").read_text(), re.MULTILINE)
    assert len(needed) == 5
    assert set(example) == {*needed, "COMPOSE_PROFILES"}


def test_the_image_copies_files_that_exist() -> None:
    lines = re.findall(r"^COPY --chown=\S+ (.+) \S+$", (DOCKER / "Dockerfile").read_text(), re.M)
    sources = " ".join(lines).split()
    assert {"avm_core", "sql", "dags", "plugins", "local"} <= set(sources)
    assert [source for source in sources if not (REPO / source).exists()] == []


def test_image_and_lock_file_have_the_same_airflow() -> None:
    base = re.search(r"apache/airflow:([\d.]+)-", (DOCKER / "Dockerfile").read_text())
    assert base
    assert f"apache-airflow=={base[1]}\n" in (REPO / "constraints.txt").read_text()


def test_the_init_service_imports_the_pools_of_the_dags(airflow: dict[str, Any]) -> None:
    (path,) = re.findall(r"pools import (\S+)", airflow["init"]["command"])
    assert set(json.loads((REPO / path).read_text())) == {"gpu", "cpu", "index_writer", "catalog"}
