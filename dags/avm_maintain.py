"""Every day: delete what nobody needs, check every rule of the catalog, say what waits too long.

A rule that rows break, a media that waits for a stage longer than
`AVM_LIFECYCLE__MAX_WAIT_HOURS`, or a day of which more than `AVM_LIFECYCLE__MAX_ERROR_SHARE`
failed, fails its task with the names. Whoever `AVM_NOTIFIER` names is told (docs/lifecycle.md).
"""

from airflow.sdk import TriggerRule, dag
from avm_airflow.alerts import deadline
from avm_airflow.operators.lifecycle import (
    AlertOperator,
    CheckCatalogOperator,
    CleanOperator,
    DeleteRemovedOperator,
)
from avm_airflow.operators.record import RecordOperator, VerdictOperator
from avm_airflow.schedule import DAG_DEFAULTS, at


@dag(
    schedule=at("0 10 * * *"),
    tags=["avm", "lifecycle"],
    doc_md=__doc__,
    deadline=deadline(hours=6),
    **DAG_DEFAULTS,
)
def avm_maintain() -> None:
    delete = DeleteRemovedOperator(task_id="delete_removed")
    record = RecordOperator(task_id="record", units=delete.output, pool="catalog")
    clean = CleanOperator(task_id="clean", pool="catalog", trigger_rule=TriggerRule.ALL_DONE)
    check = CheckCatalogOperator(task_id="check")
    alert = AlertOperator(task_id="alert")
    record >> clean
    [delete, record, clean, check, alert] >> VerdictOperator(task_id="verdict")


avm_maintain()
