"""The pages that people read: lists, a match, a title, an upload."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from airflow.configuration import conf
from fastapi import APIRouter, HTTPException, Request
from fastapi import Path as InPath
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from avm_airflow.web import drawing, files
from avm_airflow.web.access import User, can_decide, token_for
from avm_airflow.web.catalogs import POOL
from avm_airflow.web.filters import (
    ACTIONS,
    LAST_PAGE,
    MODALITIES,
    PAGE_ROWS,
    SORTS,
    Chosen,
    Filters,
)
from avm_airflow.web.words import FILTERS

router = APIRouter()

Identity = Annotated[str, InPath(pattern=r"^[0-9A-Za-z_.:-]{1,64}$")]
Rows = list[dict[str, Any]]


@cache
def templates() -> Environment:
    """Autoescaped, and strict: a misspelt name is an error, not an empty place."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(FILTERS)
    return made


def render(
    request: Request,
    name: str,
    context: Mapping[str, Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """A page; addresses begin with `base`, wherever Airflow is mounted."""
    base = request.scope.get("root_path", "").rstrip("/")
    text = (
        templates()
        .get_template(name)
        .render(
            base=base,
            airflow=conf.get("api", "base_url", fallback="/").rstrip("/"),
            files=f"{base}/static/{files.version()}",
            **context,
        )
    )
    return HTMLResponse(text, status, headers=dict(headers or {}))


@router.get("/")
def front(request: Request) -> Response:
    """The list is the front page."""
    return RedirectResponse(f"{request.scope.get('root_path', '')}/matches", 307)


@router.get("/matches")
def matches(request: Request, user: User, chosen: Chosen) -> Response:
    """One page of claims, filtered and sorted in SQL."""
    return render(request, "matches.html", listed(chosen) | {"decides": can_decide(user)})


@router.get("/matches/count")
def count(chosen: Chosen) -> JSONResponse:
    """How many the list has in all; apart, so that nobody waits for the sum to see the rows."""
    return JSONResponse(POOL.query("page/count", **chosen.conditions())[0])


@router.get("/matches/{match_id}")
def match(request: Request, user: User, match_id: Identity) -> Response:
    """Both sides of one match, side by side."""
    found = claim(match_id)
    sides = {
        "ugc": media_row(found["ugc_id"]),
        "licensed": media_row(found["licensed_id"]),
    }
    past = POOL.query(
        "page/decisions_of_pair", ugc_id=found["ugc_id"], licensed_id=found["licensed_id"]
    )
    context = {
        "match": found,
        "sides": sides,
        "decisions": past,
        "decides": can_decide(user),
        "token": token_for(user),
        "shown": drawing.shown(found),
    }
    return render(request, "match.html", context)


@router.get("/titles/{media_id}")
def title(request: Request, user: User, media_id: Identity, chosen: Chosen) -> Response:
    """A licensed title: what was copied of it, where, by whom."""
    return _media(request, user, media_id, chosen, role="licensed")


@router.get("/uploads/{media_id}")
def upload(request: Request, user: User, media_id: Identity, chosen: Chosen) -> Response:
    """An upload: what it holds of which titles."""
    return _media(request, user, media_id, chosen, role="ugc")


def _media(request: Request, user: User, media_id: str, chosen: Filters, *, role: str) -> Response:
    found = media_row(media_id)
    if found["role"] != role:
        raise HTTPException(404, f"media {media_id} is no {_NAMES[role]}")
    side = "licensed_id" if role == "licensed" else "ugc_id"
    chosen = chosen.model_copy(update={side: media_id, "action": chosen.action or list(ACTIONS)})
    context = listed(chosen) | {
        "media": found,
        "role": role,
        "sum": POOL.query("page/title_sum", media_id=media_id)[0],
        "heat": _heat(found),
        "errors": POOL.query("page/media_errors", media_id=media_id),
        "decisions": (
            POOL.query("page/decisions_of_title", licensed_id=media_id)
            if role == "licensed"
            else []
        ),
        "decides": can_decide(user),
        "token": token_for(user),
    }
    return render(request, "media.html", context)


_NAMES = {"licensed": "title", "ugc": "upload"}


def _heat(media: dict[str, Any]) -> list[dict[str, float]]:
    if not media["duration"]:
        return []
    rows = POOL.query(
        "page/heat",
        media_id=media["media_id"],
        duration=media["duration"],
        bins=drawing.HEAT_BINS,
    )
    return drawing.heat({row["bin"]: row["claims"] for row in rows})


def listed(chosen: Filters) -> dict[str, Any]:
    """What a template needs to show one page of a list."""
    rows = POOL.query("page/claims", **chosen.conditions(), **chosen.place())
    return {
        "claims": rows[:PAGE_ROWS],
        "has_next": len(rows) > PAGE_ROWS and chosen.page < LAST_PAGE,
        "at_the_end": len(rows) > PAGE_ROWS and chosen.page == LAST_PAGE,
        "chosen": chosen,
        "sorts": SORTS,
        "actions": ACTIONS,
        "modalities": MODALITIES,
    }


def claim(match_id: str) -> dict[str, Any]:
    """The claim of a match. Raises 404."""
    rows = POOL.query("page/claim", match_id=match_id)
    if not rows:
        raise HTTPException(
            404, f"there is no match {match_id}: a later search may have replaced it"
        )
    return rows[0]


def media_row(media_id: str) -> dict[str, Any]:
    """One media. Raises 404."""
    rows = POOL.query("page/media", media_id=media_id)
    if not rows:
        raise HTTPException(404, f"there is no media {media_id}")
    return rows[0]
