"""One round of all stages in one process: what a night in Airflow does, for a shell or a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from avm_core.pipeline import stages
from avm_core.pipeline.platform import Platform
from avm_core.types import ROLES

Progress = Callable[[str, int, int], None]
Batch = dict[str, Any]


def run_round(
    platform: Platform, *, progress: Progress | None = None, night: bool = True
) -> dict[str, int]:
    """Discover, fingerprint, publish, match both ways, and by `night` what is stale; until nothing
    is left.

    `progress(stage, done, total)` is told after every batch. Returns batches or units done by
    stage. Needs a migrated catalog.
    """
    tell = progress or (lambda stage, done, total: None)
    done: dict[str, int] = {}
    for role in ROLES:
        units = stages.discover(platform, role=role)
        stages.record(platform, units, message=f"discover {role}")
        done[f"discover {role}"] = len(units)
    done["fingerprint"] = _drain(
        platform, "fingerprint", stages.plan_fingerprints, stages.fingerprint_batch, tell
    )
    for role in ROLES:
        for modality in platform.fingerprinters:
            units = stages.publish_index(platform, role=role, modality=modality)
            stages.record(platform, units, message=f"publish {role} {modality}")
            done[f"publish {role} {modality}"] = len(units)
    done["exclusions"] = 0
    while units := stages.find_exclusions(platform):
        if not stages.record(platform, units, message="exclusions"):
            break  # an index that is damaged cannot give what is missing
        done["exclusions"] += len(units)
    done["match"] = _drain(platform, "match", stages.plan_matches, stages.match_batch, tell)
    done["rematch"] = _drain(platform, "rematch", stages.plan_rematch, stages.rematch_batch, tell)
    if night:
        done["nightly"] = _drain(platform, "nightly", stages.plan_stale, stages.match_batch, tell)
    return done


def _drain(
    platform: Platform,
    name: str,
    plan: Callable[[Platform], list[Batch]],
    run: Callable[[Platform, Batch], dict[str, Any]],
    tell: Progress,
) -> int:
    total = 0
    while batches := plan(platform):
        news = 0
        for number, batch in enumerate(batches):
            tell(name, number, len(batches))
            unit = run(platform, batch)
            news += stages.record(platform, [unit], message=f"{name} {batch['batch_id']}")
        tell(name, len(batches), len(batches))
        total += len(batches)
        if not news:
            break  # an index that is damaged cannot give what the plan asks for
    return total
