"""Registers AVM with Airflow; the code is in the package `avm_airflow` beside this file."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin
from avm_airflow.operators.links import MatchesLink
from avm_airflow.web.mount import EXTERNAL_VIEWS, FASTAPI_APP


class AvmPlugin(AirflowPlugin):
    """What Airflow loads from this folder: the page, and the links that lead to it."""

    name = "avm"
    fastapi_apps = [FASTAPI_APP]  # noqa: RUF012 - Airflow asks for class attributes
    external_views = EXTERNAL_VIEWS
    operator_extra_links = [MatchesLink()]  # noqa: RUF012
