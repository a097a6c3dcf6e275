"""The catalog's measurement measures what it says, on the rows asked for."""

from __future__ import annotations

from avm_core.benchmark.catalog_speed import measure_catalog
from avm_core.benchmark.claims_speed import measure_claims
from avm_core.benchmark.planted_matches import fresh_catalog
from avm_core.catalog.statements import views


def test_one_catalog_is_measured_and_then_filled() -> None:
    with fresh_catalog() as (config, folder):
        found = measure_catalog(config, folder, units=3, rows=10)
        claims = measure_claims(40, config, folder)
    assert found["rows_per_commit"] == 10
    assert claims["matches"] == 40
    assert set(claims["questions_ms"]) >= {"first_page", "counts_by_action"}
    assert set(claims["whole_views_ms"]) == set(views())
    spent = [
        *(found[name] for name in ("commit_ms", "repeat_ms", "read_ms", "read_again_ms")),
        *(claims[name] for name in ("commit_and_judge_s", "commit_of_batch_s", "decide_ms")),
        *(claims["questions_ms"] | claims["whole_views_ms"]).values(),
    ]
    assert min(spent) > 0
