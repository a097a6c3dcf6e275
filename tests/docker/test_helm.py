"""The values for Airflow's chart and the pod templates, as far as they can be checked without a
cluster and without the chart: keys, names and variables, and Airflow's own loader of pods."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from avm_airflow.placement import placement

from avm_core.config import load_settings

REPO = Path(__file__).resolve().parents[2]
HELM = REPO / "docker" / "helm"
PODS = sorted((HELM / "pods").glob("*.yaml"))

# Top-level keys of the chart's values.yaml (1.19) that AVM sets, and below them those that exist
# there; None: anything may follow. The chart itself refuses unknown keys by its schema.
CHART: dict[str, set[str] | None] = {
    "executor": None,
    "airflowVersion": None,
    "images": {"airflow"},
    "airflowLocalSettings": None,
    "fernetKeySecretName": None,
    "apiSecretKeySecretName": None,
    "jwtSecretName": None,
    "data": {"metadataSecretName", "resultBackendSecretName", "brokerUrlSecretName"},
    "postgresql": {"enabled"},
    "redis": {"enabled"},
    "statsd": {"enabled"},
    "extraConfigMaps": None,
    "extraEnvFrom": None,
    "config": None,
    "apiServer": {"replicas", "resources"},
    "scheduler": {"replicas", "resources"},
    "dagProcessor": {"enabled", "replicas", "resources"},
    "triggerer": {"enabled", "replicas", "resources", "persistence"},
    "workers": {"resources"},
}


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    return yaml.safe_load((HELM / "values.yaml").read_text())


@pytest.fixture(scope="module")
def settings(values: dict[str, Any]) -> dict[str, str]:
    return yaml.safe_load(values["extraConfigMaps"]["avm-settings"]["data"])


def pod(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text())


def test_the_values_have_no_key_that_the_chart_has_not(values: dict[str, Any]) -> None:
    assert set(values) == set(CHART)
    for key, known in CHART.items():
        assert known is None or set(values[key]) <= known, key


def test_services_and_pods_get_the_same_settings_and_secrets(values: dict[str, Any]) -> None:
    sources = yaml.safe_load(values["extraEnvFrom"])
    assert sources == [
        {"configMapRef": {"name": "avm-settings"}},
        {"secretRef": {"name": "avm-tasks"}},
    ]
    for path in PODS:
        (container,) = pod(path)["spec"]["containers"]
        assert container["envFrom"] == sources, path.name


def test_the_settings_are_settings_of_avm(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert all(isinstance(value, str) for value in settings.values())  # as a ConfigMap demands
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    found = load_settings()
    assert found.catalog.data_path.startswith(found.lake_uri)


def test_no_secret_is_written_down(values: dict[str, Any]) -> None:
    text = "".join(path.read_text() for path in [HELM / "values.yaml", *PODS])
    assert not re.findall(r"(?i)(?:password|secret_key|secretkey|token)\s*[:=]\s*\S", text)
    named = {values[name] for name in CHART if name.endswith("SecretName")}
    named |= set(values["data"].values()) | {"avm-tasks"}
    documented = (REPO / "docs" / "cluster.md").read_text()
    assert {name for name in named if name not in documented} == set()


def test_every_queue_but_the_default_has_a_pod_in_the_image(settings: dict[str, str]) -> None:
    queues = {place.queue for place in placement(settings["AVM_PLACEMENT"]).values()}
    assert {path.stem for path in PODS} == queues
    assert settings["AVM_POD_TEMPLATES"] == f"/opt/avm/{(HELM / 'pods').relative_to(REPO)}"
    assert "docker/helm/pods" in (REPO / "docker" / "Dockerfile").read_text()


def test_only_the_pod_of_the_gpu_queue_asks_for_a_device() -> None:
    devices = {
        path.stem: pod(path)["spec"]["containers"][0]["resources"]["limits"].get("nvidia.com/gpu")
        for path in PODS
    }
    assert devices == {"cpu": None, "gpu": "1"}


@pytest.mark.parametrize("path", PODS, ids=lambda path: path.stem)
def test_airflow_makes_a_pod_of_the_template(path: Path, tmp_path: Path) -> None:
    """What the client of Kubernetes does not know, it drops: nothing of the file may be lost."""
    pytest.importorskip(
        "airflow.providers.cncf.kubernetes", reason="comes with the extra `cluster`"
    )
    os.environ.setdefault("AIRFLOW_HOME", str(tmp_path))
    from airflow.providers.cncf.kubernetes.pod_generator import PodGenerator
    from kubernetes.client import ApiClient

    template = PodGenerator.deserialize_model_file(str(path))
    assert ApiClient().sanitize_for_serialization(template) == pod(path)
    made = PodGenerator.construct_pod(
        dag_id="avm_fingerprint",
        task_id="fingerprint",
        pod_id="avm-fingerprint-1",
        try_number=1,
        kube_image="avm:other",
        date=None,
        args=["python", "-m", "airflow.sdk.execution_time.execute_workload"],
        pod_override_object=None,
        base_worker_pod=template,
        namespace="avm",
        scheduler_job_id="1",
    )
    (container,) = made.spec.containers
    assert container.image == "avm:other"
    assert container.resources.limits == pod(path)["spec"]["containers"][0]["resources"]["limits"]
    assert [source.config_map_ref or source.secret_ref for source in container.env_from]
