"""Decide: what a person says about a match, stored so that it holds for later re-matches too."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from avm_core.errors import BadSettings
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.staging import digest, record, stage

VERDICTS = ("confirm", "reject", "exclude")
SOURCES = ("page", "review", "cli")
_LONGEST_NOTE = 2_000
_LONGEST_NAME = 200
_TAKEN = ("ugc_id", "licensed_id", "licensed_start", "licensed_end", "ugc_start", "ugc_end")


def decide(
    platform: Platform,
    *,
    match_id: str,
    verdict: str,
    note: str = "",
    decided_by: str,
    source: str,
    decided_at: datetime | None = None,
) -> dict[str, Any]:
    """Store a verdict on a match in one transaction; return the row of `decision`.

    `confirm` blocks and `reject` ignores every match of the pair that overlaps this one on the
    licensed side by half of the shorter of the two; `exclude` makes the licensed interval evidence
    for nothing, in all uploads. The latest decision that is not undone holds. The match may have
    been replaced since it was shown. With `decided_at` a repetition stores the same row. Raises
    `BadSettings` for an unknown match or word, a missing name or a note that is too long.
    """
    _require(verdict, VERDICTS, "verdict")
    _require(source, SOURCES, "source")
    name, text = _name(decided_by), _note(note)
    with platform.catalog() as catalog:
        found = catalog.query("match/known", match_id=match_id)
    if not found:
        raise BadSettings(f"there is no match {match_id!r}; look for it in the view claims")
    when = decided_at or datetime.now(UTC)
    identity = digest(match_id, verdict, text, name, source, when)
    row = {column: found[0][column] for column in _TAKEN} | {
        "decision_id": identity,
        "verdict": verdict,
        "note": text,
        "decided_by": name,
        "decided_at": when,
        "source": source,
        "undone_by": None,
        "undone_at": None,
    }
    return _store(platform, row, f"{verdict} {match_id} by {source}")


def undo(platform: Platform, *, decision_id: str, undone_by: str) -> dict[str, Any]:
    """Take a decision back; it stays on record. Returns its row; harmless to repeat.

    What the decision before it or the policy says holds again. Titles with an exclusion taken back
    are compared again with all uploads. Raises `BadSettings` for an unknown decision.
    """
    name = _name(undone_by)
    with platform.catalog() as catalog:
        found = catalog.query("decision/get", decision_id=decision_id)
    if not found:
        raise BadSettings(f"there is no decision {decision_id!r}; see the view decisions")
    if found[0]["undone_at"] is not None:
        return found[0]
    row = found[0] | {"undone_by": name, "undone_at": datetime.now(UTC)}
    return _store(platform, row, f"undo {decision_id}")


def open_reviews(platform: Platform, *, limit: int) -> list[dict[str, Any]]:
    """The first `limit` claims of `review_queue`, with what a person needs to judge them."""
    with platform.catalog() as catalog:
        return catalog.query("claim/open_reviews", limit=limit)


def _store(platform: Platform, row: dict[str, Any], message: str) -> dict[str, Any]:
    state = digest(row)
    unit = stage(
        platform,
        kind="decision",
        unit_id=f"decision-{row['decision_id']}-{state}",
        input_digest=state,
        tables={"decision": [row]},
    )
    record(platform, [unit], message=message)
    return row


def _require(value: str, allowed: tuple[str, ...], what: str) -> None:
    if value not in allowed:
        raise BadSettings(f"{what} {value!r} is none of {', '.join(allowed)}")


def _name(text: str) -> str:
    name = text.strip()
    if not name or len(name) > _LONGEST_NAME:
        raise BadSettings(f"who decided must be named, in at most {_LONGEST_NAME} characters")
    return name


def _note(text: str) -> str:
    if len(text) > _LONGEST_NOTE:
        raise BadSettings(f"a note has at most {_LONGEST_NOTE} characters, not {len(text)}")
    return text.strip()
