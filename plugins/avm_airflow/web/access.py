"""Who may look and who may decide, by Airflow's own login and roles; writes that nobody forged.

Look: whoever may read the DAG `avm_match`. Decide: whoever may edit its runs. With Airflow's
SimpleAuthManager that is `viewer` and `user`.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import get_user, requires_access_dag
from airflow.configuration import conf
from airflow.models.dag import DagModel
from fastapi import Depends, Form, HTTPException, Request, status
from itsdangerous import BadSignature, URLSafeTimedSerializer

GOVERNING_DAG = "avm_match"
TOKEN_HEADER = "X-AVM-Token"
_TOKEN_SECONDS = 12 * 3600
_LARGEST_FORM = 64 * 1024

User = Annotated[BaseUser, Depends(get_user)]

may_look = Depends(requires_access_dag("GET", param_dag_id=GOVERNING_DAG))
may_decide = Depends(requires_access_dag("PUT", DagAccessEntity.RUN, GOVERNING_DAG))
# Of the DAG whose run the query names: a role may be kept from single DAGs.
may_see_run = Depends(requires_access_dag("GET", DagAccessEntity.RUN))


def can_decide(user: BaseUser) -> bool:
    """Whether the page offers its buttons; `may_decide` is what stops everybody else."""
    return get_auth_manager().is_authorized_dag(
        method="PUT",
        access_entity=DagAccessEntity.RUN,
        details=DagDetails(id=GOVERNING_DAG, team_name=DagModel.get_team_name(GOVERNING_DAG)),
        user=user,
    )


def name_of(user: BaseUser) -> str:
    """What a decision says of who made it."""
    return user.get_name() or user.get_id()


def token_for(user: BaseUser) -> str:
    """A token that goes with every write from a page that was served to this user."""
    return _signer().dumps(user.get_id())


def not_forged(
    request: Request, user: User, token: Annotated[str, Form(max_length=500)] = ""
) -> None:
    """Raises 403 for a write that another site could have caused, 413 for one that is too long.

    The browser sends the session cookie along whoever asks, so the page proves itself by its
    token, and the browser by its Origin. Who sends a bearer token is no browser's victim.
    """
    if int(request.headers.get("content-length") or 0) > _LARGEST_FORM:
        raise HTTPException(status.HTTP_413_CONTENT_TOO_LARGE, "the form is too long")
    if request.headers.get("authorization", "").lower().startswith("bearer "):
        return
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise HTTPException(status.HTTP_403_FORBIDDEN, "another site sent this")
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc not in _own_hosts(request):
        raise HTTPException(status.HTTP_403_FORBIDDEN, "another site sent this")
    try:
        owner = _signer().loads(request.headers.get(TOKEN_HEADER) or token, max_age=_TOKEN_SECONDS)
    except BadSignature:
        owner = None
    if owner != user.get_id():
        raise HTTPException(
            status.HTTP_403_FORBIDDEN, "the page is too old or not yours: reload it and try again"
        )


def _own_hosts(request: Request) -> set[str]:
    public = urlsplit(conf.get("api", "base_url", fallback="")).netloc
    return {request.headers.get("host", ""), public} - {""}


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(conf.get_mandatory_value("api", "secret_key"), salt="avm-page")
