"""`avm decide`: what a person says about a match, or takes back."""

from __future__ import annotations

import argparse
import getpass
from typing import Any

from avm_core.config import load_settings
from avm_core.errors import BadSettings
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.stages import decide, undo


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """The row of the decision."""
    platform = Platform(load_settings())
    name = arguments.by or getpass.getuser()
    if arguments.undo:
        if arguments.match or arguments.verdict:
            raise BadSettings("--undo takes a decision back: give its id alone")
        return undo(platform, decision_id=arguments.undo, undone_by=name)
    if not arguments.match or not arguments.verdict:
        raise BadSettings("give a match and a verdict: confirm, reject or exclude")
    return decide(
        platform,
        match_id=arguments.match,
        verdict=arguments.verdict,
        note=arguments.note,
        decided_by=name,
        source="cli",
    )
