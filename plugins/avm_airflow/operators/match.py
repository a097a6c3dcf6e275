"""Searches forward and backwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from avm_airflow.operators.base import Batch, BatchOperator, StageOperator, Unit, or_skip
from avm_airflow.operators.links import MatchesLink

if TYPE_CHECKING:
    from avm_core.pipeline.platform import Platform


class PlanMatchesOperator(StageOperator):
    """Bundle uploads not yet searched in the current licensed snapshot."""

    def call(self, platform: Platform, context: Context) -> list[Batch]:
        from avm_core.pipeline.stages import plan_matches

        return or_skip(plan_matches(platform), "every upload is matched")


class ScanOperator(BatchOperator):
    """A batch that is not begun once its run has used up its time.

    `budget` names the setting of `pipeline` that says how many seconds a run has; 0 or no name: no
    limit. What is skipped is asked for again by the next plan.
    """

    def __init__(self, *, budget: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.budget = budget

    def skip_if_late(self, platform: Platform, context: Context) -> None:
        """Raises `AirflowSkipException` if the run has no time left."""
        seconds = getattr(platform.settings.pipeline, self.budget) if self.budget else 0.0
        begun = context["dag_run"].start_date
        if seconds and begun and datetime.now(UTC) - begun > timedelta(seconds=seconds):
            raise AirflowSkipException(
                f"the run's {seconds:.0f} s ({self.budget}) are over: the next run carries on"
            )


class MatchOperator(ScanOperator):
    """Match one batch of uploads with the licensed snapshot."""

    operator_extra_links = (MatchesLink(),)

    def call(self, platform: Platform, context: Context) -> Unit:
        from avm_core.pipeline.stages import match_batch

        self.skip_if_late(platform, context)
        return match_batch(platform, self.batch)


class PlanRematchOperator(StageOperator):
    """Bundle licensed media not yet searched in the current UGC snapshot."""

    def call(self, platform: Platform, context: Context) -> list[Batch]:
        from avm_core.pipeline.stages import plan_rematch

        return or_skip(plan_rematch(platform), "all licensed media is matched backwards")


class RematchOperator(ScanOperator):
    """Match one batch of licensed media with some days of the UGC snapshot."""

    operator_extra_links = (MatchesLink(),)

    def call(self, platform: Platform, context: Context) -> Unit:
        from avm_core.pipeline.stages import rematch_batch

        self.skip_if_late(platform, context)
        return rematch_batch(platform, self.batch)
