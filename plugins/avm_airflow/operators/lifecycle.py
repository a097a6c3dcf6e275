"""Removal, the nightly re-match, rebuilding and maintenance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from avm_airflow.operators.base import Batch, StageOperator, Unit, or_skip

if TYPE_CHECKING:
    from avm_core.pipeline.platform import Platform


class RemoveMediaOperator(StageOperator):
    """Stage the removal that the run's params ask for."""

    def call(self, platform: Platform, context: Context) -> Unit:
        from avm_core.pipeline.stages import remove_media

        params, run = context["params"], context["dag_run"]
        who = getattr(run, "triggering_user_name", None) or run.run_id
        return remove_media(
            platform, media=params["media"], reason=params["reason"], removed_by=who
        )


class PlanStaleOperator(StageOperator):
    """Bundle uploads whose last search is out of date, the longest ago first."""

    def call(self, platform: Platform, context: Context) -> list[Batch]:
        from avm_core.pipeline.stages import plan_stale

        return or_skip(plan_stale(platform), "every upload is up to date")


class RebuildIndexOperator(StageOperator):
    """Rebuild one index, if the run's params mean it."""

    def __init__(self, *, index: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.index = index

    def call(self, platform: Platform, context: Context) -> list[Unit]:
        from avm_core.pipeline.stages import rebuild_index

        params = context["params"]
        if params["index"] not in ("all", self.index):
            raise AirflowSkipException(f"this run rebuilds {params['index']} alone")
        role, modality = self.index.split("_")
        units = rebuild_index(
            platform,
            role=role,  # type: ignore[arg-type]
            modality=modality,  # type: ignore[arg-type]
            how=params["how"],
            connectivity=params["connectivity"],
            expansion_add=params["expansion_add"],
        )
        return or_skip(units, f"{self.index} does not exist or is compact")


class CleanOperator(StageOperator):
    """Delete unused index objects, old staging and plans; compact the catalog."""

    def call(self, platform: Platform, context: Context) -> dict[str, int]:
        from avm_core.pipeline.stages import clean_index, clean_lake, compact_catalog

        deleted = clean_index(platform) | clean_lake(platform)
        compact_catalog(platform)
        return deleted


class DeleteRemovedOperator(StageOperator):
    """Delete the artefacts of media that were removed long enough ago."""

    def call(self, platform: Platform, context: Context) -> list[Unit]:
        from avm_core.pipeline.stages import delete_removed

        return or_skip(delete_removed(platform), "no artefact of removed media is due")


class CheckCatalogOperator(StageOperator):
    """Fail with the names of the checks that rows offend."""

    def call(self, platform: Platform, context: Context) -> int:
        from avm_core.pipeline.stages import check_catalog

        return check_catalog(platform)


class AlertOperator(StageOperator):
    """Fail with what waits too long or fails too often, so that the notifier tells somebody."""

    def call(self, platform: Platform, context: Context) -> None:
        from avm_core.errors import CheckFailed
        from avm_core.pipeline.stages import find_alerts

        if alerts := find_alerts(platform):
            raise CheckFailed("; ".join(alerts))
