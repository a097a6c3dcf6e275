"""A fresh store per test."""

from __future__ import annotations

import uuid

import pytest

from tests.avm_core.index.builders import ClockStore


@pytest.fixture
def store() -> ClockStore:
    return ClockStore(f"memory://{uuid.uuid4().hex}")
