"""What the plugin mounts: the page, loaded when somebody opens it.

Airflow loads plugins in every one of its processes, for each task too: FastAPI and DuckDB must
not be imported where nobody looks at a page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

PREFIX = "/avm"
# Where Airflow's own frame shows the page: /plugin/<route>, and the path inside it after that.
ROUTE = "avm"


class Page:
    """An ASGI application that makes the real one at its first request."""

    def __init__(self) -> None:
        self._app: App | None = None
        self._lock = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._app is None:
            async with self._lock:
                if self._app is None:
                    # In a thread: the import takes a second in which others are served.
                    self._app = await asyncio.to_thread(_make)
        await self._app(scope, receive, send)


def _make() -> App:
    from avm_airflow.web.app import create_app

    return create_app()


FASTAPI_APP = {"app": Page(), "url_prefix": PREFIX, "name": "AVM"}
EXTERNAL_VIEWS = [
    {
        "name": "Matches",
        "href": "avm/",
        "destination": "nav",
        "category": "browse",
        "url_route": ROUTE,
    },
    {
        "name": "AVM results",
        "href": "avm/runs?dag_id={DAG_ID}&run_id={RUN_ID}",
        "destination": "dag_run",
        "url_route": "avm-run",
    },
]
