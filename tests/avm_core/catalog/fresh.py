"""Fresh catalogs for tests, made quickly; on Postgres where AVM_TEST_POSTGRES names a server."""

from __future__ import annotations

import os
import shutil
import sqlite3
import uuid
from pathlib import Path
from typing import Any

from avm_core.catalog import migrate
from avm_core.config import CatalogConfig

# libpq's words for a server, without a database.
SERVER = os.environ.get("AVM_TEST_POSTGRES", "")
# DuckLake keeps file paths relative to this one.
_MOVE = "UPDATE ducklake_metadata SET value = {} WHERE key = 'data_path'"

_LEAVE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'"


def empty(folder: Path) -> CatalogConfig:
    """Settings of a catalog that is not there, on the back end under test."""
    return empty_postgres(SERVER, folder) if SERVER else empty_sqlite(folder)


def empty_sqlite(folder: Path) -> CatalogConfig:
    """Settings of a catalog that is not there, with awkward characters in its paths."""
    dsn = f"sqlite:{folder / 'cat it.sqlite'}"
    return CatalogConfig(dsn=dsn, data_path=str(folder / "данные it's"))


def empty_postgres(server: str, folder: Path) -> CatalogConfig:
    """An empty database of its own on `server`."""
    name = f"avm_{uuid.uuid4().hex[:12]}"
    _on_server(server, f"CREATE DATABASE {name}")
    dsn = f"postgres:{server} dbname={name}"
    return CatalogConfig(dsn=dsn, data_path=str(folder / "данные it's"))


def migrated(config: CatalogConfig, template: CatalogConfig | None = None) -> CatalogConfig:
    """The same settings, now of a migrated catalog; a copy of `template` if that is of the same
    back end."""
    if template is None or _backend(template) != _backend(config):
        migrate(config)
        return config
    (_copy_sqlite if _backend(config) == "sqlite" else _copy_postgres)(template, config)
    shutil.copytree(template.data_path, config.data_path)
    return config


def _backend(config: CatalogConfig) -> str:
    return config.dsn.partition(":")[0]


def _copy_sqlite(template: CatalogConfig, config: CatalogConfig) -> None:
    source = sqlite3.connect(template.dsn.removeprefix("sqlite:"))
    target = sqlite3.connect(config.dsn.removeprefix("sqlite:"))
    source.backup(target)
    with target:
        target.execute(_MOVE.format("?"), (config.data_path + "/",))
    source.close()
    target.close()


def _copy_postgres(template: CatalogConfig, config: CatalogConfig) -> None:
    import psycopg

    server, _, name = config.dsn.removeprefix("postgres:").rpartition(" dbname=")
    original = template.dsn.rpartition("=")[2]
    _on_server(server, f"DROP DATABASE {name}")
    # The server's own workers look in now and then, and would be waited for in vain.
    _on_server(server, _LEAVE.format(original))
    _on_server(server, f"CREATE DATABASE {name} TEMPLATE {original}")
    with psycopg.connect(f"{server} dbname={name}") as connection:
        connection.execute(_MOVE.format("%s"), (config.data_path + "/",))


def _on_server(server: str, text: Any) -> None:
    import psycopg

    with psycopg.connect(f"{server} dbname=postgres", autocommit=True) as connection:
        connection.execute(text)
