"""A real stack for each story: SeaweedFS and Airflow on free ports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from avm_core.config import Settings
from avm_core.pipeline.platform import Platform
from local import stack as local_stack
from local.airflow_api import AirflowApi
from local.environment import settings_of

# Seconds that a run may take on a machine with other work.
PATIENCE = 1200.0


@dataclass(frozen=True)
class Stack:
    """`env` are the variables that make the command line and the tasks agree."""

    api: AirflowApi
    settings: Settings
    home: Path
    env: dict[str, str]

    @cached_property
    def platform(self) -> Platform:
        return Platform(self.settings)

    def sql(self, text: str) -> list[dict[str, Any]]:
        """Rows of a SELECT in the platform's catalog."""
        with self.platform.catalog() as catalog:
            return catalog.select(text).to_pylist()

    def run(self, dag_id: str, **conf: Any) -> str:
        """Trigger a DAG and wait until its run is green; its id."""
        run_id = self.api.trigger(dag_id, conf=conf)
        state = self.api.wait_for_run(dag_id, run_id, timeout=PATIENCE)["state"]
        assert state == "success", f"{dag_id}: {state}"
        return run_id


@contextmanager
def running(home: Path, **settings: str) -> Iterator[Stack]:
    """A stack of its own on free ports; `settings` are `AVM_*` variables of its tasks."""
    try:
        state = local_stack.up(
            home, settings=settings, ports=dict.fromkeys(local_stack.PREFERRED_PORTS, 0)
        )
        env = local_stack.env(state)
        with local_stack.api(state) as api:
            yield Stack(api=api, settings=settings_of(env), home=home, env=env)
    finally:
        local_stack.down(home)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("e2e") / "stack", AVM_DISCOVER_SECONDS="60") as started:
        yield started
