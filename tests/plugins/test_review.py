"""Questions to people: their text stays text, their answers become decisions."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException, ParamValidationError
from avm_airflow.hooks import AvmHook
from avm_airflow.operators.review import (
    OpenReviewsOperator,
    ReviewOperator,
    StoreDecisionOperator,
    review_params,
)

QUESTION = {
    "match_id": "ab12",
    "ugc_title": "<script>alert(1)</script> {{ 7 * 7 }} [x](http://x) עברית 🎬",
    "licensed_title": "A" * 500,
    "ugc_start": 1.0,
    "ugc_end": 31.0,
    "licensed_start": 100.0,
    "licensed_end": 130.0,
    "score": 0.7,
    "modality": "audio",
    "speed": 1.0,
    "rule": "unsure",
    "reason": "a look",
    "hours": 2.5,
}
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Replaces the pipeline; a test puts the stage that it needs there."""
    fake = ModuleType("avm_core.pipeline.stages")
    monkeypatch.setitem(sys.modules, "avm_core.pipeline.stages", fake)
    monkeypatch.setattr(AvmHook, "get_platform", lambda self: "platform")
    return fake


def asked(monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], Any]:
    """What is put to Airflow by one question, and how the task then waits."""
    from airflow.providers.standard.operators import hitl

    put: dict[str, Any] = {}
    monkeypatch.setattr(hitl, "upsert_hitl_detail", lambda **named: put.update(named))
    operator = ReviewOperator(task_id="review", question=QUESTION)
    with pytest.raises(hitl.TaskAwaitingInput) as waiting:
        operator.execute({"task_instance": SimpleNamespace(id="ti")})
    return put, waiting.value


def test_a_question_names_both_sides_and_no_title_is_markup(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put, waiting = asked(monkeypatch)
    assert put["options"] == ["Confirm", "Reject", "Exclude", "Later"]
    assert put["defaults"] == ["Later"]
    assert list(put["params"]) == ["note"]
    assert waiting.timeout.total_seconds() == 2.5 * 3600
    for text in (put["subject"], put["body"]):
        assert "<script>" not in text
        assert "{{" not in text
        assert "](" not in text
        assert "עברית 🎬" in text
    assert "AAAA…" in put["subject"]
    assert len(put["subject"]) < 400
    assert "100.0 to 130.0" in put["body"]


def answer(option: str, user: dict[str, str] | None, note: str = "") -> dict[str, Any]:
    event = {
        "chosen_options": [option],
        "params_input": {"note": note},
        "responded_at": AT,
        "responded_by_user": user,
    }
    operator = ReviewOperator(task_id="review", question=QUESTION)
    return operator.execute_complete({}, event)


def test_an_answer_is_stored_with_who_said_it_and_when(stages: ModuleType) -> None:
    stored: list[dict[str, Any]] = []

    def decide(platform: Any, **named: Any) -> dict[str, str]:
        stored.append(named)
        return {"decision_id": "d1"}

    stages.decide = decide  # type: ignore[attr-defined]
    given = answer("Reject", {"id": "7", "name": "ann"}, "a cover")
    task = StoreDecisionOperator(task_id="store", answer=given)
    assert task.execute({}) == "d1"
    assert stored == [
        {
            "match_id": "ab12",
            "verdict": "reject",
            "note": "a cover",
            "decided_by": "ann",
            "source": "review",
            "decided_at": AT,
        }
    ]


def test_what_is_put_off_or_timed_out_stores_nothing(stages: ModuleType) -> None:
    task = StoreDecisionOperator(task_id="store", answer=answer("Later", None))
    with pytest.raises(AirflowSkipException, match="stays in the queue"):
        task.execute({})


def test_a_run_asks_about_at_most_as_many_matches_as_it_is_told(stages: ModuleType) -> None:
    limits: list[int] = []

    def open_reviews(platform: Any, *, limit: int) -> list[dict[str, Any]]:
        limits.append(limit)
        return [{"match_id": "ab12"}] if limit > 1 else []

    stages.open_reviews = open_reviews  # type: ignore[attr-defined]
    task = OpenReviewsOperator(task_id="open")
    params = {"limit": 3, "hours": 12}
    assert task.execute({"params": params}) == [{"match_id": "ab12", "hours": 12.0}]
    with pytest.raises(AirflowSkipException, match="no match waits"):
        task.execute({"params": params | {"limit": 1}})
    assert limits == [3, 1]


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": "all"}, {"hours": 0}, {"hours": 9999}])
def test_wrong_parameters_are_refused_by_the_form(wrong: dict[str, Any]) -> None:
    params = review_params()
    params.validate()
    with pytest.raises(ParamValidationError):
        params.update(wrong)
