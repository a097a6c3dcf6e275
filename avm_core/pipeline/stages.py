"""Every stage by name: what Airflow's operators and the command line call.

A module is loaded when one of its stages is asked for: a task that records rows needs no torch,
whose import takes several times as long as the task.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from avm_core.pipeline.again import retry_media
    from avm_core.pipeline.decide import decide, open_reviews, undo
    from avm_core.pipeline.discover import discover
    from avm_core.pipeline.exclusions import find_exclusions
    from avm_core.pipeline.fingerprint import fingerprint_batch
    from avm_core.pipeline.fingerprint_plan import plan_fingerprints
    from avm_core.pipeline.index import publish_index, published_soon
    from avm_core.pipeline.lease import leased
    from avm_core.pipeline.maintain import (
        check_catalog,
        clean_index,
        clean_lake,
        compact_catalog,
        delete_removed,
        find_alerts,
    )
    from avm_core.pipeline.match import match_batch, rematch_batch
    from avm_core.pipeline.plans import plan_matches, plan_rematch, plan_stale
    from avm_core.pipeline.rebuild import rebuild_index
    from avm_core.pipeline.removal import remove_media
    from avm_core.pipeline.results import export_views, publish_results
    from avm_core.pipeline.staging import record

_MODULES = {
    "check_catalog": "maintain",
    "clean_index": "maintain",
    "clean_lake": "maintain",
    "compact_catalog": "maintain",
    "decide": "decide",
    "delete_removed": "maintain",
    "discover": "discover",
    "export_views": "results",
    "find_alerts": "maintain",
    "find_exclusions": "exclusions",
    "fingerprint_batch": "fingerprint",
    "leased": "lease",
    "match_batch": "match",
    "open_reviews": "decide",
    "plan_fingerprints": "fingerprint_plan",
    "plan_matches": "plans",
    "plan_rematch": "plans",
    "plan_stale": "plans",
    "publish_index": "index",
    "publish_results": "results",
    "published_soon": "index",
    "rebuild_index": "rebuild",
    "record": "staging",
    "rematch_batch": "match",
    "remove_media": "removal",
    "retry_media": "again",
    "undo": "decide",
}

__all__ = [
    "check_catalog",
    "clean_index",
    "clean_lake",
    "compact_catalog",
    "decide",
    "delete_removed",
    "discover",
    "export_views",
    "find_alerts",
    "find_exclusions",
    "fingerprint_batch",
    "leased",
    "match_batch",
    "open_reviews",
    "plan_fingerprints",
    "plan_matches",
    "plan_rematch",
    "plan_stale",
    "publish_index",
    "publish_results",
    "published_soon",
    "rebuild_index",
    "record",
    "rematch_batch",
    "remove_media",
    "retry_media",
    "undo",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"there is no stage {name!r}")
    return getattr(import_module(f"avm_core.pipeline.{_MODULES[name]}"), name)
