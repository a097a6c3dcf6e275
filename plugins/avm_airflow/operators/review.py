"""Matches that policy sends to review wait for a person."""

from __future__ import annotations

import html
import inspect
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Context, Param
from airflow.sdk.definitions.param import ParamsDict
from airflow.sdk.exceptions import AirflowSkipException

from avm_airflow.operators.base import StageOperator, or_skip

if TYPE_CHECKING:
    from avm_core.pipeline.platform import Platform

Question = dict[str, Any]
Answer = dict[str, Any]

OPTIONS = {"Confirm": "confirm", "Reject": "reject", "Exclude": "exclude", "Later": ""}
_LONGEST_TITLE = 160


class OpenReviewsOperator(StageOperator):
    """The matches that wait longest for a person, at most the run's parameter `limit` of them."""

    def call(self, platform: Platform, context: Context) -> list[Question]:
        from avm_core.pipeline.stages import open_reviews

        params = context["params"]
        found = open_reviews(platform, limit=int(params["limit"]))
        questions = [row | {"hours": float(params["hours"])} for row in found]
        return or_skip(questions, "no match waits for a person")


class ReviewOperator(HITLOperator):
    """Ask a person about one match; the answer goes to `StoreDecisionOperator`.

    The task waits without a slot. Nothing is said within the question's `hours`: the answer is
    Later, and the match is asked about again in a later run.
    """

    template_fields: Sequence[str] = ("question",)

    def __init__(self, *, question: Question, **kwargs: Any) -> None:
        # The parameters of the run arrive here too; only the note is part of the answer.
        note = Param("", type="string", maxLength=2000, description="kept with the decision")
        kwargs["params"] = {"note": note}
        kwargs.setdefault("doc_md", inspect.getdoc(type(self)))
        super().__init__(
            subject="A match to review",
            options=list(OPTIONS),
            defaults="Later",
            response_timeout=timedelta(days=1),
            **kwargs,
        )
        self.question = question

    def execute(self, context: Context) -> Any:
        """Put the question; titles are text of strangers and stay text."""
        asked = self.question
        self.response_timeout = timedelta(hours=asked["hours"])
        self.subject = f"{_title(asked['ugc_title'])} ← {_title(asked['licensed_title'])}"
        self.body = _body(asked)
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Answer:
        """The answer as plain values; it cannot fail, so what a person said is not asked twice."""
        answer = super().execute_complete(context, event)
        user = answer["responded_by_user"] or {}
        return {
            "match_id": self.question["match_id"],
            "option": answer["chosen_options"][0],
            "note": str(answer["params_input"].get("note") or ""),
            "by": user.get("name") or user.get("id") or "",
            "at": answer["responded_at"].isoformat(),
        }


class StoreDecisionOperator(StageOperator):
    """Store the answer to one question; run again it stores the same row."""

    template_fields: Sequence[str] = ("answer",)

    def __init__(self, *, answer: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.answer = answer

    def call(self, platform: Platform, context: Context) -> str:
        verdict = OPTIONS[self.answer["option"]]
        if not verdict:
            raise AirflowSkipException("put off: the match stays in the queue")
        from avm_core.pipeline.stages import decide

        row = decide(
            platform,
            match_id=self.answer["match_id"],
            verdict=verdict,
            note=self.answer["note"],
            decided_by=self.answer["by"],
            source="review",
            decided_at=datetime.fromisoformat(self.answer["at"]),
        )
        return str(row["decision_id"])


def review_params() -> ParamsDict:
    """What a run may be told in the form."""
    return ParamsDict(
        {
            "limit": Param(
                20, type="integer", minimum=1, maximum=500, description="matches to ask about"
            ),
            "hours": Param(
                24, type="number", exclusiveMinimum=0, maximum=720, description="to wait for each"
            ),
        }
    )


def _body(asked: Question) -> str:
    rows = {
        "Upload": _title(asked["ugc_title"]),
        "Title": _title(asked["licensed_title"]),
        "Upload, seconds": f"{asked['ugc_start']:.1f} to {asked['ugc_end']:.1f}",
        "Title, seconds": f"{asked['licensed_start']:.1f} to {asked['licensed_end']:.1f}",
        "Score": f"{asked['score']:.2f}, {asked['modality']}",
        "Speed": f"{asked['speed']:.3f}",
        "Why": _title(f"{asked['rule']}: {asked['reason']}"),
        "Match": _title(asked["match_id"]),
    }
    lines = [f"- **{name}**: {value}" for name, value in rows.items()]
    lines += [
        "",
        "Confirm: it is a copy. Reject: it is not. Exclude: this part of the title is evidence for "
        "nothing, in any upload. Later: ask again.",
    ]
    return "\n".join(lines)


def _title(text: str | None) -> str:
    """One line in which nothing is markup, neither HTML nor Markdown."""
    line = " ".join((text or "?").split())
    if len(line) > _LONGEST_TITLE:
        line = line[: _LONGEST_TITLE - 1] + "…"
    return re.sub(r"([\\`*_{}\[\]()#+!|~>-])", r"\\\1", html.escape(line, quote=False))
