"""Backwards: search new licensed media in the snapshot of all uploads, day by day.

Runs as soon as licensed media are published. Each batch looks at some upload days, the latest
first; no batch begins after `AVM_PIPELINE__BACKFILL_SECONDS`, and the next run (hourly at the
latest) goes on with what is missing. Uploads older than `licensed_from` are kept and marked
`precedes_licence`.
"""

from airflow.sdk import dag
from avm_airflow.assets import LICENSED_INDEX, MATCHES, UGC_INDEX
from avm_airflow.operators.match import PlanRematchOperator, RematchOperator
from avm_airflow.operators.record import RecordOperator, VerdictOperator
from avm_airflow.schedule import BY_BATCH, DAG_DEFAULTS, on_asset_or_hourly


@dag(
    schedule=on_asset_or_hourly(LICENSED_INDEX | UGC_INDEX, minute=35),
    tags=["avm", "match"],
    doc_md=__doc__,
    **DAG_DEFAULTS,
)
def avm_backfill_rematch() -> None:
    plan = PlanRematchOperator(task_id="plan")
    rematch = RematchOperator.partial(
        task_id="rematch", pool="cpu", budget="backfill_seconds", **BY_BATCH
    ).expand(batch=plan.output)
    record = RecordOperator(
        task_id="record",
        units=rematch.output,
        planned=plan.output,
        again=LICENSED_INDEX,
        pool="catalog",
        outlets=[MATCHES],
    )
    [rematch, record] >> VerdictOperator(task_id="verdict")


avm_backfill_rematch()
