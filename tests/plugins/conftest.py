"""Gives Airflow a home of its own before anything imports it."""

from __future__ import annotations

import os
import tempfile

# Airflow makes its home while it is imported, so no fixture is early enough.
_HOME = tempfile.TemporaryDirectory(prefix="avm-airflow-home-")
os.environ["AIRFLOW_HOME"] = _HOME.name
