"""A real stack for each story: SeaweedFS and Airflow on free ports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from avm_core.config import Settings
from local import stack as local_stack
from local.airflow_api import AirflowApi
from local.environment import settings_of


@dataclass(frozen=True)
class Stack:
    """`env` are the variables that make the command line and the tasks agree."""

    api: AirflowApi
    settings: Settings
    home: Path
    env: dict[str, str]


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
