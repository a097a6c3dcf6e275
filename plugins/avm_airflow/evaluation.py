"""The tasks that every measurement of quality has, and the fields of its form."""

from __future__ import annotations

from airflow.sdk import Param, TriggerRule, task_group

from avm_airflow.operators.evaluate import (
    PlanEvaluationOperator,
    PlanPrintsOperator,
    PlanQueriesOperator,
    PrintOperator,
    QueryOperator,
    ScoreOperator,
)
from avm_airflow.operators.record import RecordOperator, VerdictOperator
from avm_airflow.schedule import BY_BATCH

_SETS = {
    "smoke": "smoke: 30 uploads of the demo's media, minutes",
    "dev": "dev: public media, hours; for choosing settings",
    "test": "test: public media, hours; for reporting",
}
_FIELD = r"^((match|index|decode)\.[a-z_]+|(audio|video)_fingerprinter)$"
_VALUES = {
    "type": "array",
    "minItems": 1,
    "uniqueItems": True,
    "items": {"type": ["number", "string", "boolean", "null"]},
}


def set_params() -> dict[str, Param]:
    """Which set, which streams, which edits."""
    return {
        "set": Param(
            "smoke",
            type="string",
            enum=list(_SETS),
            values_display=_SETS,
            title="Benchmark set",
            description="It is built the first time that it is asked for.",
        ),
        "modality": Param(
            "both", type="string", enum=["audio", "video", "both"], title="Streams to look at"
        ),
        "edits": Param(
            [],
            type="array",
            items={"type": "string", "minLength": 1},
            uniqueItems=True,
            title="Only these edits",
            description="Names of edits, one a line, as `noise`; empty: all. Without clean "
            "uploads (`clean_music`, `clean_speech`, `clean_film`) there are no false positives "
            "per clean hour.",
        ),
    }


def sweep_params() -> dict[str, Param]:
    """The grid of an experiment."""
    return {
        "grid": Param(
            {"match.min_score": [0.4, 0.5, 0.6]},
            type="object",
            minProperties=1,
            propertyNames={"pattern": _FIELD},
            additionalProperties=_VALUES,
            title="Grid",
            description="Settings and their values; every combination is one point. Fields: "
            "match.…, index.…, decode.…, audio_fingerprinter, video_fingerprinter. Names and "
            "values are checked before anything is built.",
        ),
        "baseline": Param(
            True, type="boolean", title="Measure the settings in force as well, to compare with"
        ),
    }


def measured() -> None:
    """Plan, measure by batches, score, record.

    Every map may be empty, as what was measured before is not measured again.
    """
    evaluations = PlanEvaluationOperator(task_id="plan", pool="cpu")
    none_failed = {"trigger_rule": TriggerRule.NONE_FAILED}

    @task_group(tooltip="Fingerprints of the set's files, which all points share")
    def fingerprints() -> None:
        plan = PlanPrintsOperator(task_id="plan", evaluations=evaluations.output)
        PrintOperator.partial(task_id="fingerprint", pool="gpu", queue="gpu", **BY_BATCH).expand(
            batch=plan.output
        )

    @task_group(tooltip="Matches of the set's uploads, with the settings of each point")
    def matches() -> None:
        plan = PlanQueriesOperator(task_id="plan", evaluations=evaluations.output, **none_failed)
        QueryOperator.partial(task_id="match", pool="cpu", **BY_BATCH).expand(batch=plan.output)

    scored = ScoreOperator.partial(
        task_id="score",
        pool="cpu",
        map_index_template="{{ task.batch['point'] }}",
        **none_failed,
    ).expand(batch=evaluations.output)
    record = RecordOperator(task_id="record", units=scored.output, pool="catalog")
    made, matched = fingerprints(), matches()
    made >> matched >> scored
    [made, matched, scored, record] >> VerdictOperator(task_id="verdict")
