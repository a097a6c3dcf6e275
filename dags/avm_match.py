"""Forward: match uploads that were not yet searched in the current licensed snapshot."""

from airflow.sdk import dag
from avm_airflow.assets import LICENSED_INDEX, MATCHES, UGC_INDEX
from avm_airflow.operators.match import MatchOperator, PlanMatchesOperator
from avm_airflow.operators.record import RecordOperator, VerdictOperator
from avm_airflow.schedule import BY_BATCH, DAG_DEFAULTS, on_asset_or_hourly


@dag(
    schedule=on_asset_or_hourly(LICENSED_INDEX | UGC_INDEX, minute=25),
    tags=["avm", "match"],
    doc_md=__doc__,
    **DAG_DEFAULTS,
)
def avm_match() -> None:
    plan = PlanMatchesOperator(task_id="plan")
    match = MatchOperator.partial(task_id="match", pool="cpu", **BY_BATCH).expand(batch=plan.output)
    record = RecordOperator(
        task_id="record",
        units=match.output,
        planned=plan.output,
        again=UGC_INDEX,
        pool="catalog",
        outlets=[MATCHES],
    )
    [match, record] >> VerdictOperator(task_id="verdict")


avm_match()
