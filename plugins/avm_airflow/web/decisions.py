"""Confirm, reject, exclude, and taking it back: stored with who and when."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from avm_airflow.web.access import User, may_decide, name_of, not_forged
from avm_airflow.web.catalogs import POOL, platform
from avm_airflow.web.pages import Identity

router = APIRouter(dependencies=[may_decide, Depends(not_forged)])

Verdict = Literal["confirm", "reject", "exclude"]


@router.post("/matches/{match_id}/decision")
def store(
    request: Request,
    user: User,
    match_id: Identity,
    verdict: Annotated[Verdict, Form()],
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Store a verdict; 404 for an unknown match."""
    from avm_core.pipeline.decide import decide

    if not POOL.query("match/known", match_id=match_id):
        raise HTTPException(404, f"there is no match {match_id}")
    row = decide(
        platform(),
        match_id=match_id,
        verdict=verdict,
        note=note,
        decided_by=name_of(user),
        source="page",
    )
    return _stored(request, f"/matches/{match_id}", row)


@router.post("/decisions/{decision_id}/undo")
def undone(
    request: Request,
    user: User,
    decision_id: Identity,
    back: Annotated[str, Form(max_length=200, pattern=r"^/(matches|titles)/[\w.:-]+$")],
) -> Response:
    """Take a decision back; it stays on record."""
    from avm_core.pipeline.decide import undo

    if not POOL.query("decision/get", decision_id=decision_id):
        raise HTTPException(404, f"there is no decision {decision_id}")
    row = undo(platform(), decision_id=decision_id, undone_by=name_of(user))
    return _stored(request, back, row)


def _stored(request: Request, page: str, row: dict[str, Any]) -> Response:
    """For the script what is now in force; without the script the page again."""
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(f"{request.scope.get('root_path', '')}{page}", 303)
    told: dict[str, Any] = {"decision_id": row["decision_id"], "verdict": row["verdict"]}
    # A match may have ended while it was looked at: then the decision waits for the next one.
    if page.startswith("/matches/"):
        for now in POOL.query("page/claim", match_id=page.rpartition("/")[2]):
            told |= {name: now[name] for name in ("action", "rule", "reason", "decision")}
    return JSONResponse(told)
