"""Discovery and fingerprints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import Context

from avm_airflow.operators.base import Batch, BatchOperator, StageOperator, Unit, or_skip

if TYPE_CHECKING:
    from avm_core.pipeline.platform import Platform
    from avm_core.types import Role


class DiscoverOperator(StageOperator):
    """List one role's bucket and stage what the inventory lacks."""

    def __init__(self, *, role: Role, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.role = role

    def call(self, platform: Platform, context: Context) -> list[Unit]:
        from avm_core.pipeline.stages import discover

        units = discover(platform, role=self.role)
        return or_skip(units, f"no new {self.role} media")


class PlanFingerprintsOperator(StageOperator):
    """Bundle media without a current fingerprint into batches."""

    def call(self, platform: Platform, context: Context) -> list[Batch]:
        from avm_core.pipeline.stages import plan_fingerprints

        return or_skip(plan_fingerprints(platform), "every media has its fingerprints")


class FingerprintOperator(BatchOperator):
    """Fingerprint one batch of media."""

    def call(self, platform: Platform, context: Context) -> Unit:
        from avm_core.pipeline.stages import fingerprint_batch

        return fingerprint_batch(platform, self.batch)
