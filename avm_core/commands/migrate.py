"""`avm migrate`: bring the catalog's tables and views up to date."""

from __future__ import annotations

import argparse
from typing import Any

from avm_core.catalog import migrate
from avm_core.config import load_settings


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Apply pending migrations; running it again changes nothing."""
    del arguments
    return {"applied": migrate(load_settings().catalog)}
