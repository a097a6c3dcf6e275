"""Measure AVM on a benchmark set with the settings in force; every Sunday on the set `smoke`.

The numbers are those of `avm bench quality`, as rows: `avm sql --report evaluations`, or the
views `evaluations` and `evaluation_metrics` (every metric by edit and strength). A run that was
killed goes on where it was, and one that changes nothing measures nothing twice.
"""

from airflow.sdk import dag
from avm_airflow.evaluation import measured, set_params
from avm_airflow.schedule import DAG_DEFAULTS, at


@dag(
    schedule=at("0 4 * * 0"),
    params=set_params(),
    tags=["avm", "evaluate"],
    doc_md=__doc__,
    **DAG_DEFAULTS,
)
def avm_evaluate() -> None:
    measured()


avm_evaluate()
