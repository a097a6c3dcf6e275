"""Publish index snapshots of the fingerprints that the current snapshots lack.

One chain per role, so that only the asset of the role that changed is updated.
"""

from airflow.sdk import dag
from avm_airflow.assets import FINGERPRINTS, INDEX_OF
from avm_airflow.operators import PublishIndexOperator, RecordOperator, VerdictOperator
from avm_airflow.schedule import BY_MODALITY, DAG_DEFAULTS, on_asset_or_hourly


@dag(
    schedule=on_asset_or_hourly(FINGERPRINTS, minute=15),
    tags=["avm", "index"],
    doc_md=__doc__,
    **DAG_DEFAULTS,
)
def avm_publish_index() -> None:
    verdict = VerdictOperator(task_id="verdict")
    for role, index in INDEX_OF.items():
        publish = PublishIndexOperator.partial(
            task_id=f"publish_{role}", role=role, pool="index_writer", **BY_MODALITY
        ).expand(modality=["audio", "video"])
        record = RecordOperator(
            task_id=f"record_{role}", units=publish.output, pool="catalog", outlets=[index]
        )
        [publish, record] >> verdict


avm_publish_index()
