"""The application: every route behind Airflow's login, every answer with its headers."""

from __future__ import annotations

from fastapi import FastAPI

from avm_airflow.web import decisions, exports, files, media, pages, previews, runs
from avm_airflow.web.access import may_look
from avm_airflow.web.answers import Guarded, add_handlers
from avm_airflow.web.mount import App


def create_api() -> FastAPI:
    """The routes. Airflow protects no application of a plugin: `may_look` does, on all of them.

    There is no OpenAPI document: FastAPI would serve it to everybody.
    """
    api = FastAPI(
        title="AVM",
        dependencies=[may_look],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    for part in (pages, runs, decisions, exports, media, previews, files):
        api.include_router(part.router)
    add_handlers(api)
    return api


def create_app() -> App:
    """What is mounted."""
    return Guarded(create_api())
