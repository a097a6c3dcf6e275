"""Fingerprint all media that has no fingerprint by the current fingerprinters.

A file that fails is a row of the view `errors`, not a failed task. What may pass is tried again by
itself; for the rest trigger a run that names media or error classes.
"""

from airflow.sdk import dag
from avm_airflow.assets import FINGERPRINTS, MEDIA
from avm_airflow.forms import FINGERPRINT
from avm_airflow.operators.media import FingerprintOperator, PlanFingerprintsOperator
from avm_airflow.operators.record import RecordOperator, VerdictOperator
from avm_airflow.schedule import BY_BATCH, DAG_DEFAULTS, on_asset_or_hourly


@dag(
    schedule=on_asset_or_hourly(MEDIA, minute=5),
    tags=["avm", "fingerprint"],
    params=FINGERPRINT,
    doc_md=__doc__,
    **DAG_DEFAULTS,
)
def avm_fingerprint() -> None:
    plan = PlanFingerprintsOperator(task_id="plan")
    fingerprint = FingerprintOperator.partial(
        task_id="fingerprint", pool="gpu", queue="gpu", **BY_BATCH
    ).expand(batch=plan.output)
    record = RecordOperator(
        task_id="record",
        units=fingerprint.output,
        planned=plan.output,
        again=MEDIA,
        pool="catalog",
        outlets=[FINGERPRINTS],
    )
    [fingerprint, record] >> VerdictOperator(task_id="verdict")


avm_fingerprint()
