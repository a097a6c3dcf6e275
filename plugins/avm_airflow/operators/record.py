"""Staged units become rows; the verdict on a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import Asset, AssetAlias, Context, TriggerRule

from avm_airflow.operators.base import StageOperator, Unit, or_skip
from avm_airflow.operators.links import MatchesLink

if TYPE_CHECKING:
    from avm_core.pipeline.platform import Platform


class RecordOperator(StageOperator):
    """Commit staged units, all in one transaction.

    `units` is what the upstream tasks returned: units, lists of units, or a sequence of either.
    With `again` and `planned`, an update of the asset `again` is emitted when the plan was as
    long as a plan may be, so that the DAG comes back for the rest at once. It is not emitted
    when nothing was committed: a plan that makes no progress waits for the hour.
    """

    template_fields: Sequence[str] = ("units", "planned")
    operator_extra_links = (MatchesLink(),)

    def __init__(
        self, *, units: Any, planned: Any = None, again: Asset | None = None, **kwargs: Any
    ) -> None:
        # A failed batch must not cost the others' results; `VerdictOperator` shows the failure.
        kwargs.setdefault("trigger_rule", TriggerRule.ALL_DONE)
        outlets = list(kwargs.pop("outlets", []))
        self.again = again
        self.again_alias = AssetAlias(f"again_{again.name}") if again else None
        super().__init__(outlets=[*outlets, self.again_alias] if again else outlets, **kwargs)
        self.units = units
        self.planned = planned
        self.committed = 0

    def call(self, platform: Platform, context: Context) -> int:
        from avm_core.pipeline.stages import record

        units = or_skip(list(_flat(self.units)), "no units to record")
        run = context["dag_run"]
        self.committed = record(platform, units, message=f"dag={run.dag_id} run={run.run_id}")
        self._announce(platform, context, units=len(units), committed=self.committed)
        return self.committed

    def _announce(
        self, platform: Platform, context: Context, *, units: int, committed: int
    ) -> None:
        events = context["outlet_events"]
        for outlet in self.outlets:
            if isinstance(outlet, Asset):
                events[outlet].extra = {"units": units, "committed": committed}
        if self.again is None or self.again_alias is None:
            return
        if committed and len(self.planned or ()) >= platform.settings.pipeline.max_batches:
            events[self.again_alias].add(self.again, extra={"reason": "the plan was full"})


class VerdictOperator(EmptyOperator):
    """The last task of a run: fails with the run when any task upstream failed.

    Airflow judges a run by its last tasks, so a record task that saved what succeeded would hide
    a failed batch. This one costs no process: the scheduler settles it by the trigger rule.
    """

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("trigger_rule", TriggerRule.NONE_FAILED)
        super().__init__(**kwargs)


def _flat(units: Any) -> Iterator[Unit]:
    if isinstance(units, dict):
        yield units
    elif isinstance(units, Iterable):
        for part in units:
            yield from _flat(part)
