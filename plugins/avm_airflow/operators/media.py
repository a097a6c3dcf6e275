"""Discovery and fingerprints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from avm_airflow.operators.base import Batch, BatchOperator, StageOperator, Unit, or_skip

if TYPE_CHECKING:
    from avm_core.pipeline.platform import Platform
    from avm_core.types import Role


class DiscoverOperator(StageOperator):
    """List one role's bucket and stage what the inventory lacks.

    Params of the run: `role` ("both" or one of them), `accept_gone`.
    """

    def __init__(self, *, role: Role, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.role = role

    def call(self, platform: Platform, context: Context) -> list[Unit]:
        from avm_core.pipeline.stages import discover

        params = context.get("params") or {}
        if params.get("role", "both") not in ("both", self.role):
            raise AirflowSkipException(f"this run is for {params['role']} media")
        accept_gone = bool(params.get("accept_gone", False))
        units = discover(platform, role=self.role, accept_gone=accept_gone)
        return or_skip(units, f"no new {self.role} media")


class PlanFingerprintsOperator(StageOperator):
    """Bundle media without a current fingerprint into batches.

    Params of the run: `retry_media` and `retry_errors`, failures that are due now.
    """

    def call(self, platform: Platform, context: Context) -> list[Batch]:
        from avm_core.pipeline.stages import plan_fingerprints

        params = context.get("params") or {}
        media, errors = params.get("retry_media") or [], params.get("retry_errors") or []
        if media or errors:
            from avm_core.pipeline.stages import retry_media

            count = retry_media(platform, media_ids=media, error_classes=errors)
            self.log.info("%d media with failures are tried again", count)
        batches = plan_fingerprints(platform)
        if len(batches) >= platform.settings.pipeline.max_batches:
            self.log.warning(
                "the backlog is longer than %d batches: the oldest licensed media first, the rest "
                "in the next run; see the view intake",
                len(batches),
            )
        return or_skip(batches, "every media has its fingerprints")


class FingerprintOperator(BatchOperator):
    """Fingerprint one batch of media on a device that no other task of this host has."""

    def call(self, platform: Platform, context: Context) -> Unit:
        from avm_core.pipeline.stages import fingerprint_batch, leased

        with leased(platform) as placed:
            return fingerprint_batch(placed, self.batch)
