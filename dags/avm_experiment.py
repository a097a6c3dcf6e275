"""Measure a grid of settings on a benchmark set: which point wins on which metric.

Start it with the grid, as `{"match.min_score": [0.4, 0.5], "match.max_gap": [4, 8]}`: four points
and, to compare with, the settings in force. Each is an evaluation like those of `avm_evaluate`.
`avm sql --report experiments` puts them side by side with their 95 % intervals. Choose on the set
`dev`, report on `test`.
"""

from airflow.sdk import dag
from avm_airflow.evaluation import measured, set_params, sweep_params
from avm_airflow.schedule import DAG_DEFAULTS


@dag(
    schedule=None,
    params=sweep_params() | set_params(),
    tags=["avm", "evaluate"],
    doc_md=__doc__,
    **DAG_DEFAULTS,
)
def avm_experiment() -> None:
    measured()


avm_experiment()
