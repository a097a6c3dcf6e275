"""Registers AVM with Airflow; the code is in the package `avm_airflow` beside this file."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin
from avm_airflow import listener


class AvmPlugin(AirflowPlugin):
    """What Airflow loads from this folder."""

    name = "avm"
    listeners: list[Any] = [listener]  # noqa: RUF012  as Airflow declares it
