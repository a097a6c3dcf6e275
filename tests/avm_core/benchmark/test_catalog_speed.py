"""The catalog's measurement measures: a commit and its repeat, of the rows asked for."""

from __future__ import annotations

from avm_core.benchmark.catalog_speed import measure_catalog


def test_catalog_measures_commit_and_repeat() -> None:
    found = measure_catalog(units=3, rows=10)
    assert found["rows_per_commit"] == 10
    assert min(found["commit_ms"], found["repeat_ms"]) > 0
