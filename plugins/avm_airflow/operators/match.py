"""Searches forward and backwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import Context

from avm_airflow.operators.base import Batch, BatchOperator, StageOperator, Unit, or_skip
from avm_airflow.operators.links import MatchesLink

if TYPE_CHECKING:
    from avm_core.pipeline.platform import Platform


class PlanMatchesOperator(StageOperator):
    """Bundle uploads not yet searched in the current licensed snapshot."""

    def call(self, platform: Platform, context: Context) -> list[Batch]:
        from avm_core.pipeline.stages import plan_matches

        return or_skip(plan_matches(platform), "every upload is matched")


class MatchOperator(BatchOperator):
    """Match one batch of uploads with the licensed snapshot."""

    operator_extra_links = (MatchesLink(),)

    def call(self, platform: Platform, context: Context) -> Unit:
        from avm_core.pipeline.stages import match_batch

        return match_batch(platform, self.batch)


class PlanRematchOperator(StageOperator):
    """Bundle licensed media not yet searched in the current UGC snapshot."""

    def call(self, platform: Platform, context: Context) -> list[Batch]:
        from avm_core.pipeline.stages import plan_rematch

        return or_skip(plan_rematch(platform), "all licensed media is matched backwards")


class RematchOperator(BatchOperator):
    """Match one batch of licensed media with the UGC snapshot."""

    operator_extra_links = (MatchesLink(),)

    def call(self, platform: Platform, context: Context) -> Unit:
        from avm_core.pipeline.stages import rematch_batch

        return rematch_batch(platform, self.batch)
