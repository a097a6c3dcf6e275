"""Headers of every answer, and what a failure says: a page or JSON, never a stack trace."""

from __future__ import annotations

import logging
import uuid
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from avm_airflow.web.mount import App, Message, Receive, Scope, Send
from avm_airflow.web.pages import render
from avm_core.errors import AvmError, ObjectMissing, PreconditionFailed, Transient

log = logging.getLogger(__name__)

POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        # Airflow shows the page in a frame of its own; nobody else may.
        "frame-ancestors 'self'",
    ]
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    # Pages show what may change with the next decision; what may be kept says so itself.
    "Cache-Control": "private, no-cache",
}


class Guarded:
    """Puts `HEADERS` on every answer that does not set them itself."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(
                        (name.lower().encode(), value.encode())
                        for name, value in HEADERS.items()
                        if name.lower().encode() not in present
                    ),
                ]
            await send(message)

        await self._app(scope, receive, guarded)


def add_handlers(app: FastAPI) -> None:
    """Turn every failure into an answer that says what to do."""
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(AvmError, _failed)
    app.add_exception_handler(Exception, _broken)


def answer(request: Request, status: int, text: str, **headers: str) -> Response:
    """A failure as JSON for a program, as a page for a person."""
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"detail": text}, status, headers=headers)
    title = HTTPStatus(status).phrase
    context: dict[str, Any] = {"status": status, "title": title, "text": text}
    return render(request, "problem.html", context, status=status, headers=headers)


def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # A path that cannot be an id names nothing; a query that cannot be read is the asker's error.
    if all(found["loc"][0] == "path" for found in error.errors()):
        return answer(request, 404, "there is nothing of this name")
    told = []
    for found in error.errors():
        field = str(found["loc"][1]) if len(found["loc"]) > 1 else str(found["loc"][0])
        told.append(f"{field}: {found['msg']}")
    return answer(request, 400, "; ".join(dict.fromkeys(told)))


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    return answer(request, error.status_code, str(error.detail), **headers)


def _failed(request: Request, error: Exception) -> Response:
    if isinstance(error, ObjectMissing):
        return answer(request, 404, "the object is gone from the store")
    if isinstance(error, PreconditionFailed):
        return answer(request, 404, "another object has taken its place in the store")
    if isinstance(error, Transient):
        log.warning("the page has to wait: %s", error)
        return answer(request, 503, "not available now; try again in a moment", **_LATER)
    return _broken(request, error)


def _broken(request: Request, error: Exception) -> Response:
    reference = uuid.uuid4().hex[:12]
    log.error("the page failed, reference %s", reference, exc_info=error)
    text = f"this failed on our side; the log of the API server has it as {reference}"
    return answer(request, 500, text)


_LATER = {"Retry-After": "2"}
