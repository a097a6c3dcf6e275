"""A real stack for each story: SeaweedFS and Airflow on free ports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from avm_core.config import Settings, load_settings
from local import stack as local_stack
from local.airflow_api import AirflowApi


@dataclass(frozen=True)
class Stack:
    """`env` are the variables that make the command line and the tasks agree."""

    api: AirflowApi
    settings: Settings
    home: Path
    env: dict[str, str]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    home = tmp_path_factory.mktemp("e2e") / "stack"
    try:
        state = local_stack.up(
            home,
            settings={"AVM_DISCOVER_SECONDS": "10"},
            ports=dict.fromkeys(local_stack.PREFERRED_PORTS, 0),
        )
        env = local_stack.env(state)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in env.items():
                if name.startswith("AVM_"):
                    patch.setenv(name, value)
            patch.delenv("AVM_CONFIG", raising=False)
            patch.delenv("AVM_DISCOVER_SECONDS")
            settings = load_settings()
        with local_stack.api(state) as api:
            yield Stack(api=api, settings=settings, home=home, env=env)
    finally:
        local_stack.down(home)
