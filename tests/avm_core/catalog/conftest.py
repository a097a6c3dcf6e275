"""A freshly migrated catalog; on Postgres where AVM_TEST_POSTGRES names a server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from avm_core.catalog import Catalog
from avm_core.config import CatalogConfig
from tests.avm_core.catalog.fresh import empty_postgres, empty_sqlite, migrated


@pytest.fixture
def empty_config(tmp_path: Path) -> CatalogConfig:
    """A place for a catalog where there is none yet."""
    server = os.environ.get("AVM_TEST_POSTGRES", "")
    return empty_postgres(server, tmp_path) if server else empty_sqlite(tmp_path)


@pytest.fixture
def config(empty_config: CatalogConfig, template: CatalogConfig) -> CatalogConfig:
    return migrated(empty_config, template)


@pytest.fixture
def catalog(config: CatalogConfig) -> Iterator[Catalog]:
    with Catalog.open(config) as opened:
        yield opened
