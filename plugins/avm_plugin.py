"""Registers AVM with Airflow; the code is in the package `avm_airflow` beside this file."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin
from avm_airflow import listener
from avm_airflow.operators.links import MatchesLink
from avm_airflow.web.mount import EXTERNAL_VIEWS, FASTAPI_APP


class AvmPlugin(AirflowPlugin):
    """What Airflow loads from this folder: run metrics, the page, and the links to it."""

    name = "avm"
    listeners: list[Any] = [listener]  # noqa: RUF012  as Airflow declares it
    fastapi_apps = [FASTAPI_APP]  # noqa: RUF012
    external_views = EXTERNAL_VIEWS
    operator_extra_links = [MatchesLink()]  # noqa: RUF012
