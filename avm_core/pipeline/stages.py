"""Every stage by name: what Airflow's operators and the command line call."""

from avm_core.pipeline.decide import decide, open_reviews, undo
from avm_core.pipeline.discover import discover
from avm_core.pipeline.exclusions import find_exclusions
from avm_core.pipeline.fingerprint import fingerprint_batch, plan_fingerprints
from avm_core.pipeline.index import publish_index
from avm_core.pipeline.match import match_batch, plan_matches, plan_rematch, rematch_batch
from avm_core.pipeline.results import export_views, publish_results
from avm_core.pipeline.staging import record

__all__ = [
    "decide",
    "discover",
    "export_views",
    "find_exclusions",
    "fingerprint_batch",
    "match_batch",
    "open_reviews",
    "plan_fingerprints",
    "plan_matches",
    "plan_rematch",
    "publish_index",
    "publish_results",
    "record",
    "rematch_batch",
    "undo",
]
