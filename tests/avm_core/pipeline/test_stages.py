"""Stages by name, each with the modules that it needs and no others."""

from __future__ import annotations

import subprocess
import sys

import pytest

from avm_core.pipeline import stages


def test_every_stage_is_there() -> None:
    assert all(callable(getattr(stages, name)) for name in stages.__all__)
    assert sorted(stages.__all__) == sorted(stages._MODULES)


def test_what_is_no_stage_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no stage 'discovery'"):
        _ = stages.discovery


def test_a_stage_without_a_network_loads_none() -> None:
    code = (
        "import sys; from avm_core.pipeline.stages import discover, publish_index, record;"
        "print([m for m in ('torch', 'av', 'timm') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
