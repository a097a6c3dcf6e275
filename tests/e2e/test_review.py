"""People answer in Airflow: each answer is stored at once, and nothing else is lost with a run."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from local import flow
from tests.avm_core.catalog.builders import DAY, commit, content, match, media, scan

if TYPE_CHECKING:
    from tests.e2e.conftest import Stack

pytestmark = [pytest.mark.airflow, pytest.mark.story]

PATIENCE = 600.0
until = partial(flow.until, patience=PATIENCE)
TITLE = "<img src=x onerror=alert(1)> {{ 7 * 7 }} **عنوان** 🎬"
UPLOADS = ("u1", "u2", "u3", "u4", "u5")


class Reviews:
    """Runs of `avm_review` and what the catalog says about them."""

    def __init__(self, stack: Stack) -> None:
        self.stack, self.api = stack, stack.api

    def questions(self, run: str) -> dict[str, dict[str, Any]]:
        """Open questions of a run by the upload that they are about."""
        path = f"/dags/avm_review/dagRuns/{run}/hitlDetails"
        found = self.api.request("GET", path, params={"response_received": "false"})
        matches = {r["match_id"]: r["ugc_id"] for r in self.stack.sql("FROM claims")}
        return {
            matches[name]: question
            for question in found["hitl_details"]
            for name in matches
            if name in question["body"]
        }

    def ask(self, count: int, **conf: Any) -> tuple[str, dict[str, dict[str, Any]]]:
        run = self.api.trigger("avm_review", conf=conf)
        return run, until(
            f"{count} questions",
            lambda: found if len(found := self.questions(run)) == count else None,
        )

    def answer(self, run: str, question: dict[str, Any], option: str, note: str = "") -> None:
        task = question["task_instance"]
        self.api.request(
            "PATCH",
            f"/dags/avm_review/dagRuns/{run}/taskInstances/{task['task_id']}/"
            f"{task['map_index']}/hitlDetails",
            json={"chosen_options": [option], "params_input": {"note": note}},
        )

    def decided(self) -> dict[str, dict[str, Any]]:
        return {row["ugc_id"]: row for row in self.stack.sql("FROM decisions")}


@pytest.fixture(scope="module")
def reviews(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Reviews:
    made = Reviews(stack)
    folder = tmp_path_factory.mktemp("planted")
    with made.stack.platform.catalog(read_only=False) as catalog:
        commit(
            catalog,
            folder,
            {
                "media": [
                    *[media(u, title=TITLE, uploaded_at=DAY) for u in UPLOADS],
                    media("l1", "licensed", title=TITLE),
                ],
                "media_content": [content(m, duration=900.0) for m in (*UPLOADS, "l1")],
                "match_scan": [scan(u, "forward", 1) for u in UPLOADS],
                # Each shows another part of the title.
                "match": [
                    match(u, "l1", score=0.7)
                    | {"licensed_start": 100.0 * n, "licensed_end": 100.0 * n + 20.0}
                    for n, u in enumerate(UPLOADS)
                ],
            },
        )
    stack.api.pause("avm_review", paused=False)
    return made


def test_answers_are_decisions_at_once_and_the_rest_is_asked_again(reviews: Reviews) -> None:
    run, asked = reviews.ask(4, limit=4, hours=1)
    first = next(iter(asked.values()))
    assert "<img" not in first["subject"] + first["body"]
    assert "7 \\* 7" in first["subject"]
    uploads = sorted(asked)
    reviews.answer(run, asked[uploads[0]], "Reject", "a cover <b>version</b>")
    until("the first answer", lambda: set(reviews.decided()) == {uploads[0]})
    assert reviews.api.run("avm_review", run)["state"] == "running"
    reviews.answer(run, asked[uploads[1]], "Confirm")
    reviews.answer(run, asked[uploads[2]], "Exclude")
    until("three answers", lambda: set(reviews.decided()) == set(uploads[:3]))

    row = reviews.decided()[uploads[0]]
    assert (row["verdict"], row["note"]) == ("reject", "a cover <b>version</b>")
    assert (row["source"], bool(row["decided_by"])) == ("review", True)
    actions = {r["ugc_id"]: r["action"] for r in reviews.stack.sql("FROM claims")}
    left = [u for u in UPLOADS if u not in uploads[:3]]
    expected = dict(zip(uploads, ("ignore", "block", "ignore"), strict=False))
    assert actions == expected | dict.fromkeys(left, "review")

    # The run is killed: what was answered stays, what was not is asked again.
    path = f"/dags/avm_review/dagRuns/{run}"
    reviews.api.request("PATCH", path, json={"state": "failed"})
    again, open_ = reviews.ask(2, limit=10, hours=0.01)
    assert set(open_) == set(left)
    reviews.answer(again, open_[left[0]], "Later")
    # Nobody answers the other one in time: it is put off as well.
    done = reviews.api.wait_for_run("avm_review", again, timeout=PATIENCE)
    assert done["state"] == "success"
    assert set(reviews.decided()) == set(uploads[:3])
    assert {r["ugc_id"] for r in reviews.stack.sql("FROM review_queue")} == set(left)
    with reviews.stack.platform.catalog() as catalog:
        assert not any(catalog.check().values())
