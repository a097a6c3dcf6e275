"""Registers AVM with Airflow; the code is in the package `avm_airflow` beside this file."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin


class AvmPlugin(AirflowPlugin):
    """What Airflow loads from this folder: nothing but the name, so far."""

    name = "avm"
