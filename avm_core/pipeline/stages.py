"""Every stage by name: what Airflow's operators and the command line call."""

from avm_core.pipeline.again import retry_media
from avm_core.pipeline.discover import discover
from avm_core.pipeline.exclusions import find_exclusions
from avm_core.pipeline.fingerprint import fingerprint_batch
from avm_core.pipeline.fingerprint_plan import plan_fingerprints
from avm_core.pipeline.index import publish_index, published_soon
from avm_core.pipeline.lease import leased
from avm_core.pipeline.match import match_batch, plan_matches, plan_rematch, rematch_batch
from avm_core.pipeline.results import publish_results
from avm_core.pipeline.staging import record

__all__ = [
    "discover",
    "find_exclusions",
    "fingerprint_batch",
    "leased",
    "match_batch",
    "plan_fingerprints",
    "plan_matches",
    "plan_rematch",
    "publish_index",
    "publish_results",
    "published_soon",
    "record",
    "rematch_batch",
    "retry_media",
]
