"""Every night at 02:00 UTC: match again what is stale, the longest ago first.

Stale is an upload that another fingerprinter or matcher searched last, or that a licensed title
came after without having been searched backwards. No batch begins after
`AVM_PIPELINE__NIGHT_SECONDS` (default six hours); what is left is asked for again the next night.
A match that is found again goes on, one that is not is kept in the view `past_matches` with the
reason.
"""

from airflow.sdk import dag
from avm_airflow.alerts import deadline
from avm_airflow.assets import MATCHES
from avm_airflow.operators.lifecycle import PlanStaleOperator
from avm_airflow.operators.match import MatchOperator
from avm_airflow.operators.record import RecordOperator, VerdictOperator
from avm_airflow.schedule import BY_BATCH, DAG_DEFAULTS, at


@dag(
    schedule=at("0 2 * * *"),
    tags=["avm", "match"],
    doc_md=__doc__,
    deadline=deadline(hours=12),
    **DAG_DEFAULTS,
)
def avm_nightly_rematch() -> None:
    plan = PlanStaleOperator(task_id="plan")
    match = MatchOperator.partial(
        task_id="match", pool="cpu", budget="night_seconds", **BY_BATCH
    ).expand(batch=plan.output)
    record = RecordOperator(task_id="record", units=match.output, pool="catalog", outlets=[MATCHES])
    [match, record] >> VerdictOperator(task_id="verdict")


avm_nightly_rematch()
