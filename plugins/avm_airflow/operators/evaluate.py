"""Quality measured on a benchmark set: plan, prints, matches, scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import Context

from avm_airflow.operators.base import Batch, BatchOperator, StageOperator, Unit, or_skip

if TYPE_CHECKING:
    from avm_core.pipeline.platform import Platform


class PlanEvaluationOperator(StageOperator):
    """Build the set that the run's params name, put it into the lake, one batch per point.

    Params `set`, `modality` and `edits`; `grid` and `baseline` where the DAG sweeps settings.
    """

    def call(self, platform: Platform, context: Context) -> list[Batch]:
        from avm_core.benchmark.evaluation.plan import plan_evaluation

        params = context["params"]
        return plan_evaluation(
            platform,
            set_name=params["set"],
            modality=params["modality"],
            edits=list(params["edits"] or ()),
            grid=params.get("grid"),
            baseline=params.get("baseline", True),
            run_id=context["dag_run"].run_id,
        )


class _OfEvaluations(StageOperator):
    """A plan of the work that evaluations need."""

    template_fields: Sequence[str] = ("evaluations",)

    def __init__(self, *, evaluations: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.evaluations = evaluations


class PlanPrintsOperator(_OfEvaluations):
    """Bundle the set's files that were not fingerprinted yet."""

    def call(self, platform: Platform, context: Context) -> list[Batch]:
        from avm_core.benchmark.evaluation.plan import plan_prints

        return or_skip(plan_prints(platform, self.evaluations), "every file has its prints")


class PrintOperator(BatchOperator):
    """Fingerprint one batch of the set's files."""

    def call(self, platform: Platform, context: Context) -> dict[str, Any]:
        from avm_core.benchmark.evaluation.stages import make_prints

        return make_prints(platform, self.batch)


class PlanQueriesOperator(_OfEvaluations):
    """Bundle the set's uploads that were not matched yet by this code with these settings."""

    def call(self, platform: Platform, context: Context) -> list[Batch]:
        from avm_core.benchmark.evaluation.plan import plan_queries

        return or_skip(plan_queries(platform, self.evaluations), "every upload is matched")


class QueryOperator(BatchOperator):
    """Match one batch of the set's uploads with all of its titles."""

    def call(self, platform: Platform, context: Context) -> dict[str, Any]:
        from avm_core.benchmark.evaluation.stages import match_queries

        return match_queries(platform, self.batch)


class ScoreOperator(BatchOperator):
    """Score one evaluation on all of its matches at once; stage its rows."""

    def call(self, platform: Platform, context: Context) -> Unit:
        from avm_core.benchmark.evaluation.stages import score_evaluation

        return score_evaluation(platform, self.batch)
