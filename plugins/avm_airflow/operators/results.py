"""What analysts get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import Context

from avm_airflow.operators.base import StageOperator

if TYPE_CHECKING:
    from avm_core.pipeline.platform import Platform


class PublishResultsOperator(StageOperator):
    """Export the catalog as a plain DuckDB file in the lake."""

    def call(self, platform: Platform, context: Context) -> dict[str, Any]:
        from avm_core.pipeline.stages import publish_results

        published = publish_results(platform)
        for outlet in self.outlets:
            context["outlet_events"][outlet].extra = dict(published)
        return published


class ExportViewsOperator(StageOperator):
    """Write every view as Parquet to the lake."""

    def call(self, platform: Platform, context: Context) -> dict[str, Any]:
        from avm_core.pipeline.stages import export_views

        return export_views(platform)
