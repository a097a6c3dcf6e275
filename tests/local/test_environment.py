"""The variables of a local stack: secrets stay private and stay the same, addresses agree."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from avm_core.config import load_settings
from local.environment import (
    airflow_environment,
    credentials,
    task_environment,
    write_private,
)

PORTS = {"ui": 18_123, "worker_logs": 18_124, "triggerer_logs": 18_125}


def test_credentials_are_made_once_and_are_private(tmp_path: Path) -> None:
    first = credentials(tmp_path)
    assert credentials(tmp_path) == first
    assert (tmp_path / "credentials.json").stat().st_mode & 0o777 == 0o600
    assert len(first["jwt_secret"].encode()) >= 64


def test_two_homes_have_different_secrets(tmp_path: Path) -> None:
    homes = [tmp_path / "a", tmp_path / "b"]
    for home in homes:
        home.mkdir()
    one, two = map(credentials, homes)
    same = {name for name in one if one[name] == two[name]}
    assert same == {"s3_access_key"}


def test_a_private_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_private(path, {"long": "x" * 1000})
    write_private(path, {"n": 2})
    assert json.loads(path.read_text()) == {"n": 2}
    assert os.listdir(tmp_path) == ["state.json"]


def test_tasks_and_command_line_read_the_same_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = {"AVM_MATCH__MIN_DURATION": "7", "AVM_UGC_URI": "s3://avm-uploads"}
    found = task_environment(tmp_path, endpoint_url="http://127.0.0.1:9", settings=chosen)
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    connection = json.loads(found["AIRFLOW_CONN_AVM_S3"])
    assert settings.match.min_duration == 7
    assert settings.ugc_uri == "s3://avm-uploads"
    assert settings.licensed_uri == "s3://avm-licensed"
    assert settings.s3.endpoint_url == connection["extra"]["endpoint_url"] == "http://127.0.0.1:9"
    assert settings.s3.access_key == connection["login"]
    assert settings.s3.secret_key == connection["password"]
    assert settings.catalog.dsn.endswith(str(tmp_path / "catalog" / "catalog.sqlite"))


def test_the_services_of_airflow_find_each_other(tmp_path: Path) -> None:
    found = airflow_environment(tmp_path, PORTS)
    assert found["AIRFLOW__API__PORT"] == "18123"
    assert found["AIRFLOW__API__BASE_URL"] == "http://127.0.0.1:18123"
    assert found["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:18123/execution/"
    assert found["AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT"] == "18124"
    assert found["AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT"] == "18125"
    assert all(isinstance(value, str) for value in found.values())
