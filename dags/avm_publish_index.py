"""Publish index snapshots of the fingerprints that the current snapshots lack.

One chain per role, so that only the asset of the role that changed is updated. New titles are then
compared with all titles, before anything is matched with them: what several titles have, an intro
or a jingle, is kept as an exclusion.
"""

from airflow.sdk import TriggerRule, dag
from avm_airflow.assets import FINGERPRINTS, LICENSED_INDEX, UGC_INDEX
from avm_airflow.operators.index import FindExclusionsOperator, PublishIndexOperator
from avm_airflow.operators.record import RecordOperator, VerdictOperator
from avm_airflow.schedule import BY_MODALITY, DAG_DEFAULTS, on_asset_or_hourly


@dag(
    schedule=on_asset_or_hourly(FINGERPRINTS, minute=15),
    tags=["avm", "index"],
    doc_md=__doc__,
    **DAG_DEFAULTS,
)
def avm_publish_index() -> None:
    published = {
        role: PublishIndexOperator.partial(
            task_id=f"publish_{role}", role=role, pool="index_writer", **BY_MODALITY
        ).expand(modality=["audio", "video"])
        for role in ("licensed", "ugc")
    }
    uploads = RecordOperator(
        task_id="record_ugc", units=published["ugc"].output, pool="catalog", outlets=[UGC_INDEX]
    )
    titles = RecordOperator(
        task_id="record_licensed", units=published["licensed"].output, pool="catalog"
    )
    # Also when nothing was published: what a run that was killed has left is found.
    exclusions = FindExclusionsOperator(
        task_id="exclusions", pool="cpu", trigger_rule=TriggerRule.NONE_FAILED
    )
    compared = RecordOperator(
        task_id="record_exclusions",
        units=exclusions.output,
        pool="catalog",
        outlets=[LICENSED_INDEX],
    )
    titles >> exclusions
    [*published.values(), uploads, titles, exclusions, compared] >> VerdictOperator(
        task_id="verdict"
    )


avm_publish_index()
