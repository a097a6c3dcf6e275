"""Fixtures for every test: one SeaweedFS for the whole run, a bucket of its own per test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from avm_core.cli import main
from avm_core.config import CatalogConfig, S3Config
from avm_core.storage import ensure_bucket
from local.corpus import Upload, build_uploads
from local.seaweed import Seaweed
from tests.avm_core.catalog.fresh import empty, migrated

# Its assertions explain themselves only if pytest rewrites it like a test module.
pytest.register_assert_rewrite("tests.contracts.object_store")


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """A real S3 server; use it in tests that are marked `s3`."""
    with Seaweed.start(
        tmp_path_factory.mktemp("seaweed"), access_key="avm", secret_key="not-a-secret"
    ) as server:
        yield server


@pytest.fixture(scope="session")
def s3_config(seaweed: Seaweed) -> S3Config:
    """How to reach `seaweed`."""
    return S3Config(
        endpoint_url=seaweed.endpoint_url,
        access_key=seaweed.access_key,
        secret_key=seaweed.secret_key,
        connection_name="Airflow connection 'avm_s3'",
    )


@pytest.fixture
def bucket_uri(s3_config: S3Config) -> str:
    """`s3://…` of a new, empty bucket."""
    uri = f"s3://test-{uuid.uuid4().hex}"
    ensure_bucket(uri, s3_config)
    return uri


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> CatalogConfig:
    """A migrated catalog to copy: migrating anew for each test is most of its time."""
    return migrated(empty(tmp_path_factory.mktemp("template")))


@pytest.fixture(scope="session")
def smoke_sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of benchmark sets with `smoke` in it, built once by the command line."""
    folder = tmp_path_factory.mktemp("sets")
    assert main(["bench", "build", "--set", "smoke", "--out", str(folder / "smoke")]) == 0
    return folder


@pytest.fixture(scope="session")
def demo_uploads(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Upload]]:
    """(folder, uploads) of the whole demo corpus, made once."""
    folder = tmp_path_factory.mktemp("demo_uploads")
    return folder, build_uploads(folder)
