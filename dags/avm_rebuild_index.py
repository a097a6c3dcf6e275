"""Compact the indexes every week, or build them anew on demand.

`compact` rewrites small segments and those with many removed windows; `full` makes every segment
anew from the stored fingerprints, with the graph parameters that are given. The old snapshot
serves until all objects of the new one were read back with the right checksums.
"""

from airflow.sdk import Param, dag
from avm_airflow.assets import LICENSED_INDEX, UGC_INDEX
from avm_airflow.forms import GRAPH, HOW, INDEX, INDEXES
from avm_airflow.operators.lifecycle import RebuildIndexOperator
from avm_airflow.operators.record import RecordOperator, VerdictOperator
from avm_airflow.schedule import BY_INDEX, DAG_DEFAULTS, at


@dag(
    schedule=at("30 3 * * 0"),
    tags=["avm", "index"],
    doc_md=__doc__,
    params={
        "index": Param("all", **INDEX),
        "how": Param("compact", **HOW),
        "connectivity": Param(None, **GRAPH["connectivity"]),
        "expansion_add": Param(None, **GRAPH["expansion_add"]),
    },
    **DAG_DEFAULTS,
)
def avm_rebuild_index() -> None:
    rebuild = RebuildIndexOperator.partial(
        task_id="rebuild", pool="index_writer", **BY_INDEX
    ).expand(index=list(INDEXES))
    record = RecordOperator(
        task_id="record",
        units=rebuild.output,
        pool="catalog",
        outlets=[LICENSED_INDEX, UGC_INDEX],
    )
    [rebuild, record] >> VerdictOperator(task_id="verdict")


avm_rebuild_index()
