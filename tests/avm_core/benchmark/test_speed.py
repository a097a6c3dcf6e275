"""The measurements measure: every number is there, positive, and of the right kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from avm_core.benchmark.index_speed import measure_index
from avm_core.benchmark.speed import measure_catalog, measure_match, measure_speed
from avm_core.errors import BadMedia

MEDIA = Path(__file__).resolve().parents[3] / "local" / "media"
CLIPS = sorted((MEDIA / "clean").glob("*.mp4"))


def test_index_measures_both_kinds_of_segment() -> None:
    found = measure_index(3_000)
    assert found["windows"] == 3_000
    assert 0.95 <= found["recall_at_10"] <= 1.0
    assert found["bytes_per_window"] > found["exact_bytes_per_window"] >= 96
    assert min(found["queries_per_s"], found["exact_queries_per_s"], found["adds_per_s"]) > 0


def test_speed_and_match_of_real_clips() -> None:
    speed = measure_speed(CLIPS)
    assert set(speed) == {"decode", "files", "audio", "video"}
    assert speed["files"] == len(CLIPS) == 2
    assert 1.2 < speed["audio"]["mb_per_hour"] < 1.7
    assert 0.3 < speed["video"]["mb_per_hour"] < 1.2
    assert speed["decode"]["audio_x"] > 0
    assert speed["decode"]["video_x"] > 0
    match = measure_match(CLIPS)
    assert match["pairs"] == 4
    assert match["audio"]["indexed_windows"] > 100


def test_speed_needs_files_with_both_streams() -> None:
    with pytest.raises(BadMedia, match="video"):
        measure_speed(sorted((MEDIA / "music").glob("*.m4a")))


def test_catalog_measures_commit_and_repeat() -> None:
    found = measure_catalog(units=3, rows=10)
    assert found["rows_per_commit"] == 10
    assert min(found["commit_ms"], found["repeat_ms"]) > 0
