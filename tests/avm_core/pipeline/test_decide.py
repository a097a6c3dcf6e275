"""People decide, and later re-matches respect it: a real matcher on planted tapes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from avm_core.errors import BadSettings, CatalogConflict
from avm_core.pipeline import stages
from avm_core.pipeline.decide import decide, undo
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.policy import changes, current_policy, dry_run, save_policy, totals
from avm_core.pipeline.policy_file import parse_policy
from tests.avm_core.pipeline.test_exclusions import add, id_of, match, matches, name_of
from tests.builders import cut, make_tape, splice

TITLE = make_tape(1, 150)
TITLES = {"film": TITLE, "other": make_tape(2, 90)}
UPLOADS = {
    # Nothing of the film but seconds 20 to 50, and those with 40 more.
    "part": splice(make_tape(20, 20), cut(TITLE, 20, 50), make_tape(21, 20)),
    "more": splice(make_tape(22, 20), cut(TITLE, 20, 90), make_tape(23, 20)),
}
BY = {"decided_by": "ann", "source": "page"}
NEXT = '[[rule]]\npriority = 1\nname = "all"\naction = "{}"\nreason = "all"\n'


@pytest.fixture
def platform(make_platform: Any, tmp_path: Path) -> Platform:
    """Both uploads matched with the film."""
    made: Platform = make_platform()
    add(made, tmp_path / "l", "licensed", TITLES)
    add(made, tmp_path / "u", "ugc", UPLOADS)
    assert match(made) == 2
    assert set(matches(made)) == {("part", "film"), ("more", "film")}
    return made


def claims(platform: Platform) -> dict[str, dict[str, Any]]:
    with platform.catalog() as catalog:
        assert not any(catalog.check().values())
        return {name_of(r["ugc_id"]): r for r in catalog.select("FROM claims").to_pylist()}


def test_an_exclusion_reaches_the_matcher_and_comes_back_when_it_is_undone(
    platform: Platform,
) -> None:
    found = claims(platform)["part"]
    row = decide(platform, match_id=found["match_id"], verdict="exclude", note="logo", **BY)
    # At once: the claim of the upload that shows nothing else is over.
    assert claims(platform)["part"]["action"] == "ignore"
    assert claims(platform)["more"]["decision"] is None
    # Later: both uploads are matched again, and one shows enough beyond it.
    assert match(platform) == 2
    assert set(matches(platform)) == {("more", "film")}
    assert matches(platform)["more", "film"][2:4] == pytest.approx((20, 90), abs=2)
    assert match(platform) == 0
    with platform.catalog() as catalog:
        past = catalog.select("SELECT ugc_id, ended_by FROM past_matches").to_pylist()
    assert [(name_of(r["ugc_id"]), r["ended_by"]) for r in past] == [("part", "exclusion")]

    undo(platform, decision_id=row["decision_id"], undone_by="bob")
    # The film is searched backwards; the upload that was left is matched again as stale.
    assert match(platform) == 2
    assert set(matches(platform)) == {("part", "film"), ("more", "film")}
    assert match(platform) == 0
    assert claims(platform)["part"]["decision"] is None


def test_verdicts_hold_after_a_rematch(platform: Platform) -> None:
    before = claims(platform)
    for upload, verdict in (("part", "reject"), ("more", "confirm")):
        decide(platform, match_id=before[upload]["match_id"], verdict=verdict, **BY)
    # Another matcher finds both anew; they keep their ids, so a page that is open stays right.
    settings = platform.settings
    tuned = settings.match.model_copy(update={"min_score": settings.match.min_score + 0.001})
    newer = Platform(settings.model_copy(update={"match": tuned}))
    assert match(newer) == 2
    after = claims(newer)
    assert {u: r["match_id"] for u, r in after.items()} == {
        u: r["match_id"] for u, r in before.items()
    }
    assert {r["matcher_version"] for r in after.values()} == {newer.matcher_version}
    assert {u: r["action"] for u, r in after.items()} == {"part": "ignore", "more": "block"}
    row = decide(newer, match_id=before["part"]["match_id"], verdict="confirm", **BY)
    assert row["ugc_id"] == id_of("part")
    assert claims(newer)["part"]["action"] == "block"


def test_the_same_answer_stored_twice_is_one_decision(platform: Platform) -> None:
    match_id = claims(platform)["part"]["match_id"]
    when = datetime(2026, 5, 1, tzinfo=UTC)
    answer: dict[str, Any] = {"decided_by": "ann", "source": "review", "decided_at": when}
    rows = [decide(platform, match_id=match_id, verdict="reject", **answer) for _ in range(2)]
    assert rows[0] == rows[1]
    first = undo(platform, decision_id=rows[0]["decision_id"], undone_by="bob")
    assert undo(platform, decision_id=rows[0]["decision_id"], undone_by="eve") == first
    # The late repetition of an answer does not bring back what was undone.
    decide(platform, match_id=match_id, verdict="reject", **answer)
    assert claims(platform)["part"]["decision"] is None


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"match_id": "nothing'; DROP TABLE match"}, "there is no match"),
        ({"verdict": "delete"}, "verdict 'delete' is none of confirm, reject, exclude"),
        ({"source": "phone"}, "source 'phone' is none of page, review, cli"),
        ({"decided_by": "  "}, "who decided must be named"),
        ({"note": "x" * 2001}, "at most 2000 characters, not 2001"),
    ],
)
def test_wrong_decisions_are_refused(
    make_platform: Any, wrong: dict[str, str], complaint: str
) -> None:
    platform = make_platform()
    given = {"match_id": "m", "verdict": "reject", **BY} | wrong
    with pytest.raises(BadSettings, match=complaint):
        decide(platform, **given)
    with pytest.raises(BadSettings, match="there is no decision 'd'"):
        undo(platform, decision_id="d", undone_by="ann")


def test_a_dry_run_tells_what_saving_then_does(platform: Platform) -> None:
    version, policy = current_policy(platform)
    assert (version, [rule.name for rule in policy.ordered][-1]) == (1, "rest")
    before = {u: r["action"] for u, r in claims(platform).items()}
    strict = parse_policy(NEXT.format("block"), where="p")
    judged = dry_run(platform, strict)
    assert {u: r["action"] for u, r in claims(platform).items()} == before
    moved = [u for u, action in before.items() if action != "block"]
    (row,) = totals(changes(judged)).to_pylist() or [None]
    assert row == {"before": before[moved[0]], "after": "block", "matches": len(moved)}
    assert save_policy(platform, strict, saved_by="ann") == 2
    assert {r["action"] for r in claims(platform).values()} == {"block"}
    assert changes(dry_run(platform, strict)).num_rows == 0
    assert current_policy(platform) == (2, strict)


def test_of_two_policies_saved_at_once_the_second_is_refused(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = (parse_policy(NEXT.format(a), where="p") for a in ("block", "track"))
    real = stages.record

    def late(*arguments: Any, **named: Any) -> int:
        monkeypatch.undo()
        save_policy(platform, theirs, saved_by="bob")
        return real(*arguments, **named)

    monkeypatch.setattr("avm_core.pipeline.policy.record", late)
    with pytest.raises(CatalogConflict, match="bob saved policy 2 a moment before"):
        save_policy(platform, ours, saved_by="ann")
    assert current_policy(platform) == (2, theirs)
    assert {r["action"] for r in claims(platform).values()} == {"track"}
