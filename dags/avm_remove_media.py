"""Take media down, for good: a licence that ended, or an upload.

When the run is green, the media's matches are history (view `past_matches`), no index returns it,
and it is not fingerprinted, indexed or matched again. Its artefacts are deleted by `avm_maintain`
after `AVM_LIFECYCLE__REMOVED_GRACE_SECONDS` (default a week); the objects in your buckets are
yours. Removing twice is the same as once. What other titles shared with a removed one is evidence
for them again.
"""

from airflow.sdk import Param, dag
from avm_airflow.assets import LICENSED_INDEX, MATCHES, UGC_INDEX
from avm_airflow.forms import REASON, SOME_MEDIA
from avm_airflow.operators.index import PublishIndexOperator
from avm_airflow.operators.lifecycle import RemoveMediaOperator
from avm_airflow.operators.record import RecordOperator, VerdictOperator
from avm_airflow.schedule import BY_MODALITY, DAG_DEFAULTS


@dag(
    schedule=None,
    tags=["avm", "lifecycle"],
    doc_md=__doc__,
    params={"media": Param(**SOME_MEDIA), "reason": Param(**REASON)},
    **DAG_DEFAULTS,
)
def avm_remove_media() -> None:
    remove = RemoveMediaOperator(task_id="remove")
    record = RecordOperator(
        task_id="record", units=remove.output, pool="catalog", outlets=[MATCHES]
    )
    published = [
        PublishIndexOperator.partial(
            task_id=f"publish_{role}", role=role, pool="index_writer", **BY_MODALITY
        ).expand(modality=["audio", "video"])
        for role in ("licensed", "ugc")
    ]
    snapshots = [
        RecordOperator(task_id=f"record_{role}", units=made.output, pool="catalog", outlets=[asset])
        for role, made, asset in zip(
            ("licensed", "ugc"), published, (LICENSED_INDEX, UGC_INDEX), strict=True
        )
    ]
    record >> published
    [remove, record, *published, *snapshots] >> VerdictOperator(task_id="verdict")


avm_remove_media()
