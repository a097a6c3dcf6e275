"""Removal, budgets, rebuilding and alerts as Airflow calls them."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, ParamValidationError
from avm_airflow import alerts, forms
from avm_airflow.hooks import AvmHook
from avm_airflow.operators.lifecycle import (
    AlertOperator,
    RebuildIndexOperator,
    RemoveMediaOperator,
)
from avm_airflow.operators.match import MatchOperator, RematchOperator

UNIT = {"unit_id": "u1"}
BATCH = {"batch_id": "b1"}


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Replaces the pipeline; a test puts the stage that it needs there."""
    fake = ModuleType("avm_core.pipeline.stages")
    settings = SimpleNamespace(pipeline=SimpleNamespace(night_seconds=3600.0, backfill_seconds=0.0))
    monkeypatch.setitem(sys.modules, "avm_core.pipeline.stages", fake)
    monkeypatch.setattr(AvmHook, "get_platform", lambda self: SimpleNamespace(settings=settings))
    return fake


def context(*, begun: timedelta = timedelta(0), user: str = "", **params: Any) -> dict[str, Any]:
    run = SimpleNamespace(
        dag_id="d",
        run_id="r1",
        start_date=datetime.now(UTC) - begun,
        triggering_user_name=user or None,
    )
    return {"dag_run": run, "params": params}


def told(calls: list[Any], value: Any) -> Any:
    def stage(platform: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append((*args, kwargs))
        return value

    return stage


def test_a_removal_says_who_asked_for_it(stages: ModuleType) -> None:
    calls: list[Any] = []
    stages.remove_media = told(calls, UNIT)
    for user in ("anna", ""):
        run = context(user=user, media=["t0"], reason="ended")
        assert RemoveMediaOperator(task_id="t").execute(run) == UNIT
    whos = [call[0].pop("removed_by") for call in calls]
    assert whos == ["anna", "r1"]
    assert [call[0] for call in calls] == [{"media": ["t0"], "reason": "ended"}] * 2


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        (forms.SOME_MEDIA, [["a"], ["a", "s3://b/c d.mp4"]], [[], "a", [""], [1], None]),
        (forms.REASON, ["licence ended"], ["", "x", 7, None, "x" * 501]),
        (forms.INDEX, ["all", "ugc_audio"], ["ugc", "", None]),
        (forms.HOW, ["full"], ["fast", None]),
        (forms.GRAPH["connectivity"], [None, 16], [3, 200, "16", 16.5]),
    ],
)
def test_a_form_refuses_what_no_stage_could_use(
    schema: dict[str, Any], good: list[Any], bad: list[Any]
) -> None:
    for value in good:
        assert Param(value, **schema).resolve() == value
    for value in bad:
        with pytest.raises(ParamValidationError):
            Param(value, **schema).resolve()


def test_no_batch_begins_after_the_time_of_its_run(stages: ModuleType) -> None:
    calls: list[Any] = []
    stages.match_batch = told(calls, UNIT)
    stages.rematch_batch = told(calls, UNIT)
    night = MatchOperator(task_id="t", batch=BATCH, budget="night_seconds")
    assert night.execute(context(begun=timedelta(minutes=59))) == UNIT
    with pytest.raises(AirflowSkipException, match="the next run carries on"):
        night.execute(context(begun=timedelta(minutes=61)))
    endless = RematchOperator(task_id="t", batch=BATCH, budget="backfill_seconds")
    assert endless.execute(context(begun=timedelta(days=9))) == UNIT, "0 is no limit"
    assert MatchOperator(task_id="t", batch=BATCH).execute(context(begun=timedelta(9))) == UNIT
    assert len(calls) == 3


def test_a_rebuild_takes_the_index_and_the_numbers_of_the_form(stages: ModuleType) -> None:
    calls: list[Any] = []
    stages.rebuild_index = told(calls, [UNIT])
    numbers = {"connectivity": 32, "expansion_add": None}
    task = RebuildIndexOperator(task_id="t", index="ugc_video")
    assert task.execute(context(index="ugc_video", how="full", **numbers)) == [UNIT]
    assert calls == [({"role": "ugc", "modality": "video", "how": "full", **numbers},)]
    with pytest.raises(AirflowSkipException, match="licensed_audio alone"):
        task.execute(context(index="licensed_audio", how="full", **numbers))
    stages.rebuild_index = told(calls, [])
    with pytest.raises(AirflowSkipException, match="compact"):
        task.execute(context(index="all", how="compact", **numbers))


def test_alerts_fail_the_task_without_retry(stages: ModuleType) -> None:
    stages.find_alerts = told([], [])
    AlertOperator(task_id="t").execute(context())
    stages.find_alerts = told([], ["3 media wait for match", "2 of 3 failed"])
    with pytest.raises(AirflowFailException, match=r"3 media wait for match; 2 of 3 failed"):
        AlertOperator(task_id="t").execute(context())


def test_arguments_of_the_notifier_must_be_an_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(alerts.ARGUMENTS, '{"to": "ops@example.org"}')
    assert alerts.notifier_arguments() == {"to": "ops@example.org"}
    for wrong in ("{", "[1]"):
        monkeypatch.setenv(alerts.ARGUMENTS, wrong)
        with pytest.raises(ValueError, match=alerts.ARGUMENTS):
            alerts.notifier_arguments()


def test_without_a_notifier_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(alerts.NOTIFIER, raising=False)
    assert alerts.on_failure() == []
    assert alerts.deadline(hours=1) is None
