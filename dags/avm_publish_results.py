"""Export the catalog: a plain DuckDB file for everyone who has only the duckdb program, and every
view as Parquet."""

from airflow.sdk import dag
from avm_airflow.assets import MATCHES, RESULTS
from avm_airflow.operators.results import ExportViewsOperator, PublishResultsOperator
from avm_airflow.schedule import DAG_DEFAULTS, on_asset_or_hourly


@dag(
    schedule=on_asset_or_hourly(MATCHES, minute=45),
    tags=["avm", "results"],
    doc_md=__doc__,
    **DAG_DEFAULTS,
)
def avm_publish_results() -> None:
    PublishResultsOperator(task_id="publish", outlets=[RESULTS])
    ExportViewsOperator(task_id="export")


avm_publish_results()
