"""What the capacity model says is what a simulated platform comes to."""

from __future__ import annotations

import uuid

import pytest

from avm_core.benchmark.year import Year, simulate

# Whole cycles of the library's compaction: 1,500 windows settle after 25 nights of 60.
YEARS = {
    "a segment per day, a library that settles": Year(days=75, retention_days=12),
    "days of several segments": Year(
        days=20, retention_days=6, publishes_per_day=4, upload_windows=800, segment_windows=500,
        title_windows=80, first_title_windows=40,
    ),
    "publishes that are large enough by themselves": Year(
        days=15, retention_days=5, upload_windows=800, segment_windows=500,
        title_windows=600, first_title_windows=20,
    ),
    "one publish a day, all kept": Year(
        days=50, retention_days=90, publishes_per_day=1, first_title_windows=20
    ),
}  # fmt: skip


@pytest.mark.parametrize("year", YEARS.values(), ids=YEARS)
def test_the_model_predicts_the_simulated_platform(year):
    found = simulate(year, uri=f"memory://{uuid.uuid4().hex}")
    for name in ("licensed_audio", "ugc_audio"):
        measured, predicted = found[name]["measured"], found[name]["predicted"]
        assert measured["windows"] == predicted["windows"]
        assert abs(measured["segments"] - predicted["segments"]) <= 1
        assert measured["bytes"] == pytest.approx(predicted["bytes"], rel=0.05)
        assert measured["rewritten"] == pytest.approx(predicted["rewritten"], rel=0.1, abs=25)
    for side in ("measured", "predicted"):
        assert all(value > 0 for value in found["seconds"][side].values())
