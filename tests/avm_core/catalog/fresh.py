"""Fresh catalogs for tests, made quickly."""

from __future__ import annotations

import shutil
import sqlite3
import uuid
from pathlib import Path

from avm_core.catalog import migrate
from avm_core.config import CatalogConfig


def empty_sqlite(folder: Path) -> CatalogConfig:
    """Settings of a catalog that is not there, with awkward characters in its paths."""
    dsn = f"sqlite:{folder / 'cat it.sqlite'}"
    return CatalogConfig(dsn=dsn, data_path=str(folder / "данные it's"))


def empty_postgres(server: str, folder: Path) -> CatalogConfig:
    """An empty database of its own on `server`, a DSN without a database name."""
    import psycopg

    name = f"avm_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(f"{server} dbname=postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return CatalogConfig(dsn=f"postgres:{server} dbname={name}", data_path=str(folder / "data"))


def migrated(config: CatalogConfig, template: CatalogConfig | None = None) -> CatalogConfig:
    """The same settings, now of a migrated catalog; a copy of `template` where it is a file."""
    if template is None or not config.dsn.startswith("sqlite:"):
        migrate(config)
        return config
    source = sqlite3.connect(template.dsn.removeprefix("sqlite:"))
    target = sqlite3.connect(config.dsn.removeprefix("sqlite:"))
    source.backup(target)
    # DuckLake keeps file paths relative to this one.
    with target:
        target.execute(
            "UPDATE ducklake_metadata SET value = ? WHERE key = 'data_path'",
            (config.data_path + "/",),
        )
    source.close()
    target.close()
    shutil.copytree(template.data_path, config.data_path)
    return config
