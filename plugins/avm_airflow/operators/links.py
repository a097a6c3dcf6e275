"""From a task in the Airflow UI to what its run found."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey


class MatchesLink(BaseOperatorLink):
    """The page of the task's run, in Airflow's own frame."""

    name = "AVM results"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """A path below Airflow's: it must hold behind every proxy."""
        from airflow.configuration import conf

        base = urlsplit(conf.get("api", "base_url", fallback="/")).path.rstrip("/")
        query = urlencode({"dag_id": ti_key.dag_id, "run_id": ti_key.run_id})
        return f"{base}/plugin/avm/avm/runs?{query}"
