"""One operator per stage: execute() makes one pipeline call and translates its failures."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import Asset, AssetAlias, BaseOperator, Context, TriggerRule
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from avm_airflow.hooks import DEFAULT_CONN_ID, AvmHook

if TYPE_CHECKING:
    from avm_core.pipeline.platform import Platform
    from avm_core.types import Modality, Role

Unit = dict[str, Any]
Batch = dict[str, Any]


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn `Terminal` into a failure without retry; let everything else use the retries."""
    from avm_core.errors import Terminal

    try:
        yield
    except Terminal as error:
        raise AirflowFailException(f"{type(error).__name__}: {error}") from error


class StageOperator(BaseOperator):
    """A task that is one stage of the pipeline."""

    def __init__(self, *, avm_conn_id: str = DEFAULT_CONN_ID, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.avm_conn_id = avm_conn_id

    def execute(self, context: Context) -> Any:
        """Call the stage; raises `AirflowFailException` or `AirflowSkipException`."""
        with translated_errors():
            return self.call(AvmHook(self.avm_conn_id).get_platform(), context)

    @abstractmethod
    def call(self, platform: Platform, context: Context) -> Any:
        """Make the one pipeline call."""


class BatchOperator(StageOperator):
    """A stage that works on one batch of a plan."""

    template_fields: Sequence[str] = ("batch",)

    def __init__(self, *, batch: Batch, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batch = batch


class DiscoverOperator(StageOperator):
    """List one role's bucket and stage what the inventory lacks."""

    def __init__(self, *, role: Role, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.role = role

    def call(self, platform: Platform, context: Context) -> list[Unit]:
        from avm_core.pipeline.stages import discover

        units = discover(platform, role=self.role)
        return _or_skip(units, f"no new {self.role} media")


class RecordOperator(StageOperator):
    """Commit staged units, all in one transaction.

    `units` is what the upstream tasks returned: units, lists of units, or a sequence of either.
    With `again` and `planned`, an update of the asset `again` is emitted when the plan was as
    long as a plan may be, so that the DAG comes back for the rest at once. It is not emitted
    when nothing was committed: a plan that makes no progress waits for the hour.
    """

    template_fields: Sequence[str] = ("units", "planned")

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

    def call(self, platform: Platform, context: Context) -> int:
        from avm_core.pipeline.stages import record

        units = _or_skip(list(_flat(self.units)), "no units to record")
        run = context["dag_run"]
        committed = record(platform, units, message=f"dag={run.dag_id} run={run.run_id}")
        self._announce(platform, context, units=len(units), committed=committed)
        return committed

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


class PlanFingerprintsOperator(StageOperator):
    """Bundle media without a current fingerprint into batches."""

    def call(self, platform: Platform, context: Context) -> list[Batch]:
        from avm_core.pipeline.stages import plan_fingerprints

        return _or_skip(plan_fingerprints(platform), "every media has its fingerprints")


class FingerprintOperator(BatchOperator):
    """Fingerprint one batch of media."""

    def call(self, platform: Platform, context: Context) -> Unit:
        from avm_core.pipeline.stages import fingerprint_batch

        return fingerprint_batch(platform, self.batch)


class PublishIndexOperator(StageOperator):
    """Publish an index snapshot of one role and modality."""

    def __init__(self, *, role: Role, modality: Modality, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.role = role
        self.modality = modality

    def call(self, platform: Platform, context: Context) -> list[Unit]:
        from avm_core.pipeline.stages import publish_index

        units = publish_index(platform, role=self.role, modality=self.modality)
        return _or_skip(units, f"the {self.role} {self.modality} index is up to date")


class FindExclusionsOperator(StageOperator):
    """Compare new titles with all titles: what several have is evidence for none of them."""

    def call(self, platform: Platform, context: Context) -> list[Unit]:
        from avm_core.pipeline.stages import find_exclusions

        return _or_skip(find_exclusions(platform), "every title was compared with the others")


class PlanMatchesOperator(StageOperator):
    """Bundle uploads not yet searched in the current licensed snapshot."""

    def call(self, platform: Platform, context: Context) -> list[Batch]:
        from avm_core.pipeline.stages import plan_matches

        return _or_skip(plan_matches(platform), "every upload is matched")


class MatchOperator(BatchOperator):
    """Match one batch of uploads with the licensed snapshot."""

    def call(self, platform: Platform, context: Context) -> Unit:
        from avm_core.pipeline.stages import match_batch

        return match_batch(platform, self.batch)


class PlanRematchOperator(StageOperator):
    """Bundle licensed media not yet searched in the current UGC snapshot."""

    def call(self, platform: Platform, context: Context) -> list[Batch]:
        from avm_core.pipeline.stages import plan_rematch

        return _or_skip(plan_rematch(platform), "all licensed media is matched backwards")


class RematchOperator(BatchOperator):
    """Match one batch of licensed media with the UGC snapshot."""

    def call(self, platform: Platform, context: Context) -> Unit:
        from avm_core.pipeline.stages import rematch_batch

        return rematch_batch(platform, self.batch)


class PublishResultsOperator(StageOperator):
    """Export the catalog as a plain DuckDB file in the lake."""

    def call(self, platform: Platform, context: Context) -> dict[str, Any]:
        from avm_core.pipeline.stages import publish_results

        published = publish_results(platform)
        for outlet in self.outlets:
            context["outlet_events"][outlet].extra = dict(published)
        return published


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


def _or_skip(found: list[Any], reason: str) -> list[Any]:
    """The list, or a skip: then downstream is skipped and no asset is updated."""
    if not found:
        raise AirflowSkipException(reason)
    return found
