"""How fast claims are judged, read and decided on, with many matches planted in a catalog."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from avm_core.benchmark.planted_matches import match_id, plant
from avm_core.catalog import Catalog
from avm_core.catalog.statements import views
from avm_core.config import CatalogConfig, Settings
from avm_core.pipeline.decide import decide, undo
from avm_core.pipeline.platform import Platform

_BATCH = 10_000
_REPEATS = 5
_QUESTIONS = {
    "first_page": "SELECT * FROM claims ORDER BY score DESC, match_id LIMIT 50",
    "page_of_reviews": (
        "SELECT * FROM claims WHERE action = 'review' ORDER BY length DESC LIMIT 50 OFFSET 500"
    ),
    "search_in_titles": (
        "SELECT * FROM claims WHERE licensed_title ILIKE '%title 17%' ORDER BY score LIMIT 50"
    ),
    "counts_by_action": "SELECT action, count(*) FROM claims GROUP BY action",
    "one_match": f"SELECT * FROM claims WHERE match_id = '{match_id(7)}'",
}


def measure_claims(matches: int, config: CatalogConfig, folder: Path) -> dict[str, Any]:
    """Seconds to commit and judge `matches` matches and then 10,000 of new uploads; milliseconds of
    each question, of all columns and rows of each view, and of each decision.

    `config` is a catalog without matches, `folder` takes what is made on the way.
    """
    (folder / "lake").mkdir()
    planted, batch = plant(config, folder, matches, min(_BATCH, matches))
    platform = Platform(Settings(lake_uri=str(folder / "lake"), catalog=config))
    with Catalog.open(config, read_only=True) as reader:
        asked = {
            name: _median(lambda text=text: reader.select(text))  # type: ignore[misc]
            for name, text in _QUESTIONS.items()
        }
        whole = {
            name: _milliseconds(lambda name=name: reader.select(_whole(name)))  # type: ignore[misc]
            for name in sorted(views())
        }
    return {
        "matches": matches,
        "commit_and_judge_s": planted,
        "commit_of_batch_s": batch,
        "questions_ms": asked,
        "whole_views_ms": whole,
        "decide_ms": _deciding(platform, "reject"),
        "exclude_ms": _deciding(platform, "exclude"),
    }


def _whole(view: str) -> str:
    """Reads every column of every row, and returns one."""
    return f'SELECT max(COLUMNS(*)) FROM "{view}"'


def _deciding(platform: Platform, verdict: str) -> float:
    start = time.perf_counter()
    row = decide(platform, match_id=match_id(0), verdict=verdict, decided_by="bench", source="cli")
    spent = time.perf_counter() - start
    undo(platform, decision_id=row["decision_id"], undone_by="bench")
    return 1000 * spent


def _median(ask: Callable[[], Any]) -> float:
    return sorted(_milliseconds(ask) for _ in range(_REPEATS))[_REPEATS // 2]


def _milliseconds(ask: Callable[[], Any]) -> float:
    start = time.perf_counter()
    ask()
    return 1000 * (time.perf_counter() - start)
