"""A freshly migrated catalog with a small world in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from avm_core.catalog import Catalog
from avm_core.config import CatalogConfig
from tests.avm_core.catalog.fresh import empty, migrated


@pytest.fixture
def config(tmp_path: Path, template: CatalogConfig) -> CatalogConfig:
    return migrated(empty(tmp_path), template)


@pytest.fixture
def catalog(config: CatalogConfig) -> Iterator[Catalog]:
    with Catalog.open(config) as opened:
        yield opened
