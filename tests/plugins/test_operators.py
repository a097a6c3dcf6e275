"""The operators: one pipeline call each, failures translated, nothing to do means skipped."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import Asset, AssetAlias, RetryAction
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from avm_airflow.assets import FINGERPRINTS, MEDIA, RESULTS
from avm_airflow.hooks import AvmHook
from avm_airflow.operators.base import BatchOperator, StageOperator
from avm_airflow.operators.index import FindExclusionsOperator, PublishIndexOperator
from avm_airflow.operators.lifecycle import PlanStaleOperator
from avm_airflow.operators.match import (
    MatchOperator,
    PlanMatchesOperator,
    PlanRematchOperator,
    RematchOperator,
)
from avm_airflow.operators.media import (
    DiscoverOperator,
    FingerprintOperator,
    PlanFingerprintsOperator,
)
from avm_airflow.operators.record import RecordOperator
from avm_airflow.operators.results import PublishResultsOperator
from avm_airflow.schedule import RETRY_POLICY

from avm_core import errors

BATCHES = [{"batch_id": "b1", "manifest_uri": "s3://l/b1"}, {"batch_id": "b2"}]
UNITS = [{"unit_id": "u1"}, {"unit_id": "u2"}]

Stages = ModuleType


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> Stages:
    """Replaces the pipeline; a test puts the stage that it needs there."""
    fake = ModuleType("avm_core.pipeline.stages")
    fake.leased = nullcontext
    settings = SimpleNamespace(pipeline=SimpleNamespace(max_batches=2))
    monkeypatch.setitem(sys.modules, "avm_core.pipeline.stages", fake)
    monkeypatch.setattr(AvmHook, "get_platform", lambda self: SimpleNamespace(settings=settings))
    return fake


class Events(dict[Any, Any]):
    """Stands in for `outlet_events`: remembers extras and what an alias was given."""

    def __missing__(self, key: Any) -> SimpleNamespace:
        event = SimpleNamespace(extra={}, added=[])
        event.add = lambda asset, extra=None: event.added.append(asset)
        self[key] = event
        return event


def context() -> dict[str, Any]:
    return {
        "dag_run": SimpleNamespace(dag_id="d", run_id="r1", start_date=None),
        "outlet_events": Events(),
    }


def returns(value: Any, calls: list[Any] | None = None) -> Callable[..., Any]:
    def stage(platform: Any, *args: Any, **kwargs: Any) -> Any:
        if calls is not None:
            calls.append((*args, kwargs))
        return value

    return stage


def raises(error: Exception) -> Callable[..., Any]:
    def stage(platform: Any, *args: Any, **kwargs: Any) -> Any:
        raise error

    return stage


SEARCHING = [
    ("discover", lambda: DiscoverOperator(task_id="t", role="ugc"), UNITS),
    ("plan_fingerprints", lambda: PlanFingerprintsOperator(task_id="t"), BATCHES),
    ("find_exclusions", lambda: FindExclusionsOperator(task_id="t"), UNITS),
    ("plan_matches", lambda: PlanMatchesOperator(task_id="t"), BATCHES),
    ("plan_rematch", lambda: PlanRematchOperator(task_id="t"), BATCHES),
    ("plan_stale", lambda: PlanStaleOperator(task_id="t"), BATCHES),
    (
        "publish_index",
        lambda: PublishIndexOperator(task_id="t", role="ugc", modality="audio"),
        UNITS,
    ),
]
BATCHED = [
    ("fingerprint_batch", FingerprintOperator),
    ("match_batch", MatchOperator),
    ("rematch_batch", RematchOperator),
]


@pytest.mark.parametrize(("name", "make", "found"), SEARCHING, ids=[s[0] for s in SEARCHING])
def test_a_stage_returns_what_it_found_and_is_skipped_when_there_is_nothing(
    stages: Stages, name: str, make: Callable[[], StageOperator], found: list[Any]
) -> None:
    stages.published_soon = returns(False)
    setattr(stages, name, returns(found))
    assert make().execute(context()) == found
    setattr(stages, name, returns([]))
    with pytest.raises(AirflowSkipException):
        make().execute(context())


@pytest.mark.parametrize(("name", "operator"), BATCHED, ids=[b[0] for b in BATCHED])
def test_a_batch_is_handed_to_its_stage_and_its_unit_back(
    stages: Stages, name: str, operator: type[BatchOperator]
) -> None:
    calls: list[Any] = []
    setattr(stages, name, returns(UNITS[1], calls))
    results = [operator(task_id="t", batch=batch).execute(context()) for batch in BATCHES]
    assert results == [UNITS[1], UNITS[1]]
    assert calls == [(batch, {}) for batch in BATCHES]


def test_arguments_reach_the_stage(stages: Stages) -> None:
    calls: list[Any] = []
    stages.published_soon = returns(False)
    stages.discover = returns(UNITS, calls)
    stages.publish_index = returns(UNITS, calls)
    for role in ("licensed", "ugc"):
        DiscoverOperator(task_id="t", role=role).execute(context())
        PublishIndexOperator(task_id="t", role=role, modality="video").execute(context())
    assert calls == [
        ({"role": "licensed", "accept_gone": False},),
        ({"role": "licensed", "modality": "video"},),
        ({"role": "ugc", "accept_gone": False},),
        ({"role": "ugc", "modality": "video"},),
    ]


@pytest.mark.parametrize(
    ("run_type", "soon", "published"),
    [("scheduled", True, False), ("scheduled", False, True), ("asset_triggered", True, True)],
)
def test_a_clock_leaves_to_an_event_what_is_its_own(
    stages: Stages, run_type: str, soon: bool, published: bool
) -> None:
    stages.published_soon = returns(soon)
    stages.publish_index = returns(UNITS)
    run = context()
    run["dag_run"].run_type = run_type
    task = PublishIndexOperator(task_id="t", role="ugc", modality="audio")
    if published:
        assert task.execute(run) == UNITS
    else:
        with pytest.raises(AirflowSkipException, match="event"):
            task.execute(run)


def test_a_run_may_be_for_one_role_and_accept_deletions(stages: Stages) -> None:
    calls: list[Any] = []
    stages.discover = returns(UNITS, calls)
    run = context() | {"params": {"role": "ugc", "accept_gone": True}}
    assert DiscoverOperator(task_id="t", role="ugc").execute(run) == UNITS
    with pytest.raises(AirflowSkipException, match="this run is for ugc media"):
        DiscoverOperator(task_id="t", role="licensed").execute(run)
    assert calls == [({"role": "ugc", "accept_gone": True},)]


def test_a_run_may_ask_for_failures_to_be_tried_again_before_it_plans(stages: Stages) -> None:
    calls: list[Any] = []
    stages.retry_media = returns(3, calls)
    stages.plan_fingerprints = returns(BATCHES, calls)
    plan = PlanFingerprintsOperator(task_id="t")
    assert plan.execute(context()) == BATCHES
    run = context() | {"params": {"retry_media": ["a"], "retry_errors": ["BadMedia"]}}
    assert plan.execute(run) == BATCHES
    assert calls == [({},), ({"media_ids": ["a"], "error_classes": ["BadMedia"]},), ({},)]


def test_a_batch_is_fingerprinted_on_the_leased_device(
    stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages, "leased", lambda platform: nullcontext("on cuda:1"))
    seen = []
    stages.fingerprint_batch = lambda platform, batch: seen.append(platform) or UNITS[0]
    assert FingerprintOperator(task_id="t", batch=BATCHES[0]).execute(context()) == UNITS[0]
    assert seen == ["on cuda:1"]


@pytest.mark.parametrize("error", [errors.AccessDenied, errors.BadSettings, errors.BucketMissing])
def test_a_terminal_error_fails_without_retry_and_keeps_its_words(
    stages: Stages, error: type[errors.Terminal]
) -> None:
    stages.plan_matches = raises(error("the key is wrong; fix connection avm_s3"))
    with pytest.raises(AirflowFailException, match=rf"{error.__name__}.*fix connection avm_s3"):
        PlanMatchesOperator(task_id="t").execute(context())


@pytest.mark.parametrize("error", [errors.StoreUnavailable, errors.CatalogConflict, OSError])
def test_any_other_error_passes_through_to_the_retries(
    stages: Stages, error: type[Exception]
) -> None:
    stages.plan_matches = raises(error("later"))
    with pytest.raises(error, match="later"):
        PlanMatchesOperator(task_id="t").execute(context())


def test_settings_that_cannot_be_read_fail_without_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVM_MATCH__MIN_DURATION", "short")
    with pytest.raises(AirflowFailException, match="AVM_MATCH__MIN_DURATION"):
        PlanMatchesOperator(task_id="t").execute(context())


def test_the_retry_policy_hurries_after_a_lost_race_and_gives_up_where_it_cannot_help() -> None:
    def decide(error: Exception) -> tuple[RetryAction, timedelta | None]:
        decision = RETRY_POLICY.evaluate(error, 1, 3)
        return decision.action, decision.retry_delay

    soon = (RetryAction.RETRY, timedelta(seconds=5))
    assert decide(errors.PreconditionFailed("x")) == soon
    assert decide(errors.CatalogConflict("x")) == soon
    assert decide(errors.StoreUnavailable("x")) == (RetryAction.DEFAULT, None)
    assert decide(ValueError("x")) == (RetryAction.DEFAULT, None)
    assert decide(errors.IndexMismatch("x"))[0] is RetryAction.FAIL


def record(units: Any, **kwargs: Any) -> tuple[int, Events]:
    run = context()
    task = RecordOperator(task_id="t", units=units, outlets=[FINGERPRINTS], **kwargs)
    return task.execute(run), run["outlet_events"]


@pytest.mark.parametrize(
    "units", [UNITS, [[UNITS[0]], [UNITS[1]]], [[], UNITS], iter(UNITS), [UNITS[0], [UNITS[1]]]]
)
def test_record_commits_everything_in_one_call(stages: Stages, units: Any) -> None:
    calls: list[Any] = []
    stages.record = returns(2, calls)
    committed, events = record(units)
    assert committed == 2
    assert calls == [(UNITS, {"message": "dag=d run=r1"})]
    assert events[FINGERPRINTS].extra == {"units": 2, "committed": 2}


@pytest.mark.parametrize("units", [[], [[], []], None, iter(())])
def test_record_without_units_is_skipped_so_that_no_asset_is_updated(
    stages: Stages, units: Any
) -> None:
    stages.record = raises(AssertionError("must not be called"))
    with pytest.raises(AirflowSkipException):
        record(units)


def test_record_still_announces_units_that_an_earlier_try_committed(stages: Stages) -> None:
    stages.record = returns(0)
    committed, events = record(UNITS)
    assert committed == 0
    assert events[FINGERPRINTS].extra == {"units": 2, "committed": 0}


@pytest.mark.parametrize(
    ("committed", "planned", "again"),
    [(1, BATCHES, [MEDIA]), (1, BATCHES[:1], []), (0, BATCHES, []), (1, None, [])],
)
def test_record_asks_for_another_run_only_after_a_full_plan_with_progress(
    stages: Stages, committed: int, planned: Any, again: list[Asset]
) -> None:
    stages.record = returns(committed)
    _, events = record(UNITS, planned=planned, again=MEDIA)
    asked = [asset for key in events if isinstance(key, AssetAlias) for asset in events[key].added]
    assert asked == again


def test_published_results_describe_themselves_on_the_asset(stages: Stages) -> None:
    published = {"uri": "s3://lake/avm.duckdb", "rows": {"match": 3, "media": 5}}
    stages.publish_results = returns(published)
    run = context()
    task = PublishResultsOperator(task_id="t", outlets=[RESULTS])
    assert task.execute(run) == published
    assert run["outlet_events"][RESULTS].extra == published


def test_the_hook_takes_the_credentials_of_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    for conn_id, key in (("avm_s3", "key-1"), ("other", "key-2")):
        connection = {
            "conn_type": "aws",
            "login": key,
            "password": f"secret of {key}",
            "extra": {"endpoint_url": f"http://{conn_id}:9000", "region_name": "eu-west-1"},
        }
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))
    monkeypatch.setenv("AVM_UGC_URI", "s3://uploads/2026")
    default, other = AvmHook().get_settings(), AvmHook("other").get_settings()
    assert default.s3.access_key == "key-1"
    assert default.s3.secret_key == "secret of key-1"
    assert default.s3.endpoint_url == "http://avm_s3:9000"
    assert default.s3.region == "eu-west-1"
    assert default.s3.connection_name == "Airflow connection 'avm_s3'"
    assert default.ugc_uri == "s3://uploads/2026"
    assert other.s3.access_key == "key-2"
    assert other.s3.connection_name == "Airflow connection 'other'"


def test_the_hook_leaves_out_what_the_connection_leaves_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AVM_S3", '{"conn_type": "aws"}')
    monkeypatch.setenv("AVM_S3__REGION", "eu-north-1")
    s3 = AvmHook().get_settings().s3
    assert (s3.access_key, s3.secret_key, s3.endpoint_url) == (None, None, None)
    assert s3.region == "eu-north-1"


def test_without_a_connection_the_environment_stays_in_force(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_AVM_S3", raising=False)
    monkeypatch.setenv("AVM_S3__ACCESS_KEY", "from the environment")
    s3 = AvmHook().get_settings().s3
    assert s3.access_key == "from the environment"
    assert "AVM_S3__" in s3.connection_name
    assert "airflow connections add avm_s3 --conn-type aws" in s3.connection_name


def test_a_plan_is_never_longer_than_airflow_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__MAX_MAP_LENGTH", "40")
    assert AvmHook().get_settings().pipeline.max_batches == 40
    monkeypatch.setenv("AVM_PIPELINE__MAX_BATCHES", "30")
    assert AvmHook().get_settings().pipeline.max_batches == 30


def test_the_hook_makes_a_platform_with_these_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AVM_S3", '{"conn_type": "aws", "login": "key-3"}')
    platform = AvmHook().get_platform()
    assert platform.settings.s3.access_key == "key-3"


def test_the_pipeline_has_the_stages_that_the_operators_call() -> None:
    from avm_core.pipeline import stages

    expected = {
        "discover": {"role"},
        "record": {"units", "message"},
        "plan_fingerprints": set(),
        "fingerprint_batch": {"batch"},
        "publish_index": {"role", "modality"},
        "published_soon": set(),
        "find_exclusions": set(),
        "plan_matches": set(),
        "match_batch": {"batch"},
        "plan_rematch": set(),
        "rematch_batch": {"batch"},
        "publish_results": set(),
        "retry_media": set(),
        "leased": set(),
        "plan_stale": set(),
        "remove_media": {"media", "reason", "removed_by"},
        "rebuild_index": {"role", "modality", "how"},
        "clean_index": set(),
        "clean_lake": set(),
        "compact_catalog": set(),
        "delete_removed": set(),
        "check_catalog": set(),
        "find_alerts": set(),
    }
    for name, parameters in expected.items():
        found = inspect.signature(getattr(stages, name)).parameters
        required = {n for n, p in found.items() if p.default is inspect.Parameter.empty}
        assert required == {"platform", *parameters}, name


def test_airflow_loads_the_plugin_and_nothing_else_of_the_folder() -> None:
    from airflow.plugins_manager import AirflowPlugin
    from avm_plugin import AvmPlugin

    assert issubclass(AvmPlugin, AirflowPlugin)
    assert AvmPlugin.name == "avm"
