"""Snapshots of the indexes, and what titles share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from avm_airflow.operators.base import StageOperator, Unit, or_skip

if TYPE_CHECKING:
    from avm_core.pipeline.platform import Platform
    from avm_core.types import Modality, Role


class PublishIndexOperator(StageOperator):
    """Publish an index snapshot of one role and modality.

    Started by the clock, it leaves what was recorded a moment ago to the run of its event.
    """

    def __init__(self, *, role: Role, modality: Modality, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.role = role
        self.modality = modality

    def call(self, platform: Platform, context: Context) -> list[Unit]:
        from avm_core.pipeline.stages import publish_index, published_soon

        by_clock = getattr(context["dag_run"], "run_type", "") == "scheduled"
        if by_clock and published_soon(platform):
            raise AirflowSkipException("the run of the latest fingerprints' event publishes them")
        units = publish_index(platform, role=self.role, modality=self.modality)
        return or_skip(units, f"the {self.role} {self.modality} index is up to date")


class FindExclusionsOperator(StageOperator):
    """Compare new titles with all titles: what several have is evidence for none of them."""

    def call(self, platform: Platform, context: Context) -> list[Unit]:
        from avm_core.pipeline.stages import find_exclusions

        return or_skip(find_exclusions(platform), "every title was compared with the others")
