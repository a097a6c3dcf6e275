"""Which variables the services and tasks of a local stack see, and the secrets among them."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

from avm_core.config import Settings, load_settings

REPO = Path(__file__).resolve().parents[1]
BUCKETS = {
    "AVM_LICENSED_URI": "s3://avm-licensed",
    "AVM_UGC_URI": "s3://avm-ugc",
    "AVM_LAKE_URI": "s3://avm-lake",
}


def write_private(path: Path, value: Any) -> None:
    """Write JSON that only its owner may read, all or nothing."""
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(value, file, indent=1)
    temporary.replace(path)


def credentials(home: Path) -> dict[str, str]:
    """Passwords and keys of the stack in `home`, generated the first time."""
    path = home / "credentials.json"
    if path.is_file():
        return dict(json.loads(path.read_text()))
    made = {
        "admin_password": secrets.token_urlsafe(12),
        "s3_access_key": "avm",
        "s3_secret_key": secrets.token_urlsafe(24),
        "jwt_secret": secrets.token_urlsafe(64),
        "api_secret_key": secrets.token_urlsafe(32),
        "fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "database_password": secrets.token_urlsafe(24),
        "broker_password": secrets.token_urlsafe(24),
    }
    write_private(path, made)
    return made


def task_environment(
    home: Path, *, endpoint_url: str, settings: Mapping[str, str]
) -> dict[str, str]:
    """The variables of AVM itself: enough for the `avm` command."""
    secret = credentials(home)
    connection = {
        "conn_type": "aws",
        "login": secret["s3_access_key"],
        "password": secret["s3_secret_key"],
        "extra": {"endpoint_url": endpoint_url, "region_name": "us-east-1"},
    }
    return {
        **BUCKETS,
        "AVM_CACHE_DIR": str(home / "cache"),
        **settings,
        "AVM_S3__ENDPOINT_URL": endpoint_url,
        "AVM_S3__ACCESS_KEY": secret["s3_access_key"],
        "AVM_S3__SECRET_KEY": secret["s3_secret_key"],
        "AVM_CATALOG__DSN": f"sqlite:{home / 'catalog' / 'catalog.sqlite'}",
        "AVM_CATALOG__DATA_PATH": str(home / "catalog" / "data"),
        "AIRFLOW_CONN_AVM_S3": json.dumps(connection),
        "PYTHONPATH": os.pathsep.join([str(REPO), str(REPO / "plugins")]),
    }


def settings_of(variables: Mapping[str, str]) -> Settings:
    """The settings that the tasks of a stack with these variables have, whatever this process
    inherited."""
    foreign = {k: v for k, v in os.environ.items() if not k.startswith("AVM_")}
    own = {k: v for k, v in variables.items() if k.startswith("AVM_")}
    own.pop("AVM_DISCOVER_SECONDS", None)  # for the DAGs' schedule, not a setting of the core
    with patch.dict(os.environ, foreign | own, clear=True):
        return load_settings()


def airflow_environment(
    home: Path, ports: Mapping[str, int], changes: Mapping[str, object] | None = None
) -> dict[str, str]:
    """The variables of Airflow's four services, for LocalExecutor on SQLite; `changes` are options
    (`SECTION__NAME`) that differ."""
    secret = credentials(home)
    url = f"http://127.0.0.1:{ports['ui']}"
    passwords = home / "airflow" / "passwords.json"
    options = {
        "CORE__DAGS_FOLDER": REPO / "dags",
        "CORE__PLUGINS_FOLDER": REPO / "plugins",
        "CORE__LOAD_EXAMPLES": False,
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": 4,
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": False,
        # Tasks talk to the API server; with another port than 8080 they must be told.
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__FERNET_KEY": secret["fernet_key"],
        "CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": passwords,
        "API__HOST": "127.0.0.1",
        "API__PORT": ports["ui"],
        "API__BASE_URL": url,
        "API__SECRET_KEY": secret["api_secret_key"],
        "API_AUTH__JWT_SECRET": secret["jwt_secret"],
        "LOGGING__WORKER_LOG_SERVER_PORT": ports["worker_logs"],
        "LOGGING__TRIGGER_LOG_SERVER_PORT": ports["triggerer_logs"],
        "DAG_PROCESSOR__REFRESH_INTERVAL": 15,
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": 60,
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": 60,
        **(changes or {}),
    }
    environment = {f"AIRFLOW__{name}": str(value) for name, value in options.items()}
    return {
        **environment,
        "AIRFLOW_HOME": str(home / "airflow"),
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "PYTHONUNBUFFERED": "1",
    }
