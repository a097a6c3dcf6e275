"""`avm export`: every public view as Parquet in the lake."""

from __future__ import annotations

import argparse
from typing import Any

from avm_core.config import load_settings
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.stages import export_views


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Where the files are, and the rows of each view."""
    return export_views(Platform(load_settings()))
