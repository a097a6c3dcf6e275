"""Find new, changed and deleted media in the buckets of licensed media and of uploads.

What is said about media is read too: object metadata, `<key>.json` beside a file, and manifests
(`_manifest.csv`, `*.manifest.csv`). Runs on an interval, and when the queue rings if there is one.
"""

from airflow.sdk import dag
from avm_airflow.assets import MEDIA
from avm_airflow.forms import DISCOVER
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
    params=DISCOVER,
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
