"""The catalog's measurement measures: a commit and its repeat, of the rows asked for."""

from __future__ import annotations

from avm_core.benchmark.catalog_speed import measure_catalog
from avm_core.benchmark.claims_speed import measure_claims
from avm_core.catalog.statements import views


def test_catalog_measures_commit_and_repeat() -> None:
    found = measure_catalog(units=3, rows=10)
    assert found["rows_per_commit"] == 10
    assert min(found["commit_ms"], found["repeat_ms"]) > 0


def test_claims_are_planted_judged_asked_and_decided() -> None:
    found = measure_claims(40)
    assert found["matches"] == 40
    assert set(found["questions_ms"]) >= {"first_page", "counts_by_action"}
    assert set(found["whole_views_ms"]) == set(views())
    spent = [
        *(found[name] for name in ("commit_and_judge_s", "commit_of_batch_s", "decide_ms")),
        *(found["questions_ms"] | found["whole_views_ms"]).values(),
    ]
    assert min(spent) > 0
