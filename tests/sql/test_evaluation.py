"""What the catalog says about evaluations: the newest per configuration, and who wins a sweep."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from avm_core.catalog import Catalog
from avm_core.config import CatalogConfig
from tests.avm_core.catalog.builders import DAY, commit
from tests.sql.test_views import read


def evaluation(name: str, *, hour: int = 0, **more: Any) -> dict[str, Any]:
    row = {
        "evaluation_id": name,
        "configuration_id": f"configuration-{name}",
        "run_id": "run-1",
        "experiment": False,
        "set_name": "smoke",
        "set_digest": "digest",
        "split": "demo",
        "modality": "audio",
        "edits": "",
        "audio_fingerprinter": "audio_test.one-00000001",
        "matcher_version": "3-aaaaaaaa",
        "index_version": "bbbbbbbb",
        "code_version": "cccccccc",
        "settings_changed": "{}",
        "point": "{}",
        "titles": 2,
        "uploads": 5,
        "media_seconds": 100.0,
        "seconds": 3.0,
        "started_at": DAY,
        "ended_at": DAY + timedelta(hours=hour),
    }
    return row | more


def metric(name: str, metric: str, value: float | None, **more: Any) -> dict[str, Any]:
    row = {"evaluation_id": name, "edit": "", "strength": "", "metric": metric, "value": value}
    return row | more


def test_the_newest_evaluation_of_a_configuration_is_shown_with_its_interval(
    config: CatalogConfig, tmp_path: Path
) -> None:
    same = {"configuration_id": "same"}
    with Catalog.open(config) as catalog:
        commit(
            catalog,
            tmp_path,
            {
                "evaluation": [
                    evaluation("old", **same),
                    evaluation("new", hour=1, **same),
                    evaluation("other", modality="video"),
                ],
                "evaluation_metric": [
                    metric("old", "final", 0.5),
                    metric("new", "final", 0.9, low=0.8, high=0.95),
                    metric("new", "final", 0.1, edit="noise"),
                    metric("new", "boundary_median_s", None),
                    metric("other", "f1", 0.7),
                ],
            },
        )
        assert {name: n for name, n in catalog.check().items() if n} == {}
    rows = read(config, "FROM evaluations ORDER BY modality")
    assert [(r["evaluation_id"], r["final"]) for r in rows] == [("new", 0.9), ("other", None)]
    assert (rows[0]["final_low"], rows[0]["final_high"]) == (0.8, 0.95)
    assert (rows[0]["boundary_median_s"], rows[1]["f1"]) == (None, 0.7)
    latest = read(config, "FROM evaluation_metrics WHERE metric = 'final' AND edit = ''")
    assert {r["evaluation_id"]: r["is_latest"] for r in latest} == {"old": False, "new": True}


def test_an_evaluation_that_is_recorded_again_replaces_its_metrics(
    config: CatalogConfig, tmp_path: Path
) -> None:
    with Catalog.open(config) as catalog:
        for value, folder in ((0.5, "first"), (0.6, "again")):
            rows = {
                "evaluation": [evaluation("one")],
                "evaluation_metric": [metric("one", "final", value)],
            }
            if folder == "first":
                rows["evaluation_metric"].append(metric("one", "gone", 1.0))
            assert commit(catalog, tmp_path / folder, rows, kind="evaluation") == 1
    found = read(config, "SELECT metric, value FROM evaluation_metrics")
    assert found == [{"metric": "final", "value": 0.6}]


def test_a_sweep_names_the_winner_of_each_metric_and_which_differences_are_real(
    config: CatalogConfig, tmp_path: Path
) -> None:
    # a is what the others are compared with.
    finals = {"a": (0.80, None, None), "b": (0.90, 0.02, 0.15), "c": (0.70, -0.3, 0.05)}
    errors = {"a": 0.2, "b": 0.4, "c": None}
    points = {name: f'{{"match.k": {number}}}' for number, name in enumerate(finals)}
    with Catalog.open(config) as catalog:
        commit(
            catalog,
            tmp_path,
            {
                "evaluation": [
                    *[evaluation(n, experiment=True, point=points[n]) for n in finals],
                    evaluation("alone"),
                ],
                "evaluation_metric": [
                    *[
                        metric(n, "final", v, gain=v - 0.8, gain_low=low, gain_high=high)
                        for n, (v, low, high) in finals.items()
                    ],
                    *[metric(n, "boundary_median_s", e) for n, e in errors.items()],
                    metric("alone", "final", 1.0),
                ],
            },
        )
    rows = read(config, "FROM experiments")
    final = {r["evaluation_id"]: r for r in rows if r["metric"] == "final"}
    assert {n: (r["place"], r["wins"], r["real"]) for n, r in final.items()} == {
        "a": (2, False, None),
        "b": (1, True, True),
        "c": (3, False, False),
    }
    error = {r["evaluation_id"]: r for r in rows if r["metric"] == "boundary_median_s"}
    assert {n: (r["place"], r["wins"]) for n, r in error.items()} == {
        "a": (1, True),
        "b": (2, False),
        "c": (None, False),
    }
    with Catalog.open(config, read_only=True) as catalog:
        report = catalog.report("experiments").to_pylist()
    assert [r["point"] for r in report if r["metric"] == "final"] == [
        points[name] for name in ("b", "a", "c")
    ]


@pytest.mark.parametrize(
    ("rows", "check"),
    [
        ({"evaluation": [evaluation("x")]}, "evaluation_without_metrics"),
        (
            {
                "evaluation": [evaluation("x", modality="smell")],
                "evaluation_metric": [metric("x", "final", 0.5)],
            },
            "evaluation_bad_value",
        ),
        (
            {
                "evaluation": [evaluation("x")],
                "evaluation_metric": [metric("x", "final", 1.5)],
            },
            "evaluation_bad_value",
        ),
    ],
)
def test_checks_find_what_cannot_be(
    config: CatalogConfig, tmp_path: Path, rows: dict[str, Any], check: str
) -> None:
    with Catalog.open(config) as catalog:
        commit(catalog, tmp_path, rows, kind="evaluation")
        assert {name: n for name, n in catalog.check().items() if n} == {check: 1}
