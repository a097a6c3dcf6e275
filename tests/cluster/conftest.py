"""One cluster for all tests of this folder, which run only where they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from avm_core.pipeline.platform import Platform
from local import cluster as local_cluster
from local.airflow_api import AirflowApi
from local.cluster_environment import CELERY, service_environment
from local.environment import settings_of
from local.home import State, api

SETTINGS = {
    "AVM_DISCOVER_SECONDS": "315360000",  # the tests say when
    "AVM_PIPELINE__BATCH_MEDIA_COUNT": "2",
}


@dataclass
class Cluster:
    """A running cluster; `state` changes when another layout is entered."""

    home: Path
    state: State
    api: AirflowApi
    platform: Platform


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    home = tmp_path_factory.mktemp("cluster") / "home"
    try:
        state = local_cluster.up(home, CELERY, settings=SETTINGS)
        settings = settings_of(service_environment(state))
        with api(state) as client:
            yield Cluster(home, state, client, Platform(settings))
    finally:
        local_cluster.down(home)
