"""Find new media in the buckets of licensed media and of uploads."""

from airflow.sdk import dag
from avm_airflow.assets import MEDIA
from avm_airflow.operators.media import DiscoverOperator
from avm_airflow.operators.record import RecordOperator, VerdictOperator
from avm_airflow.schedule import (
    BY_ROLE,
    DAG_DEFAULTS,
    INTERVAL_START,
    every_discover_interval,
)


@dag(
    schedule=every_discover_interval(),
    start_date=INTERVAL_START,
    tags=["avm", "media"],
    doc_md=__doc__,
    **DAG_DEFAULTS,
)
def avm_discover() -> None:
    discover = DiscoverOperator.partial(task_id="discover", **BY_ROLE).expand(
        role=["licensed", "ugc"]
    )
    record = RecordOperator(
        task_id="record", units=discover.output, pool="catalog", outlets=[MEDIA]
    )
    [discover, record] >> VerdictOperator(task_id="verdict")


avm_discover()
