"""A freshly migrated catalog."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from avm_core.catalog import Catalog
from avm_core.config import CatalogConfig
from tests.avm_core.catalog.fresh import empty, migrated


@pytest.fixture
def empty_config(tmp_path: Path) -> CatalogConfig:
    """A place for a catalog where there is none yet."""
    return empty(tmp_path)


@pytest.fixture
def config(empty_config: CatalogConfig, template: CatalogConfig) -> CatalogConfig:
    return migrated(empty_config, template)


@pytest.fixture
def catalog(config: CatalogConfig) -> Iterator[Catalog]:
    with Catalog.open(config) as opened:
        yield opened
