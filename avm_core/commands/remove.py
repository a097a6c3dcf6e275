"""`avm remove`: media leave the matches at once, the index next, the store after a while."""

from __future__ import annotations

import argparse
import getpass
from typing import Any

from avm_core.config import load_settings
from avm_core.pipeline import stages
from avm_core.pipeline.platform import Platform
from avm_core.types import ROLES


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Remove and record; removing again changes nothing."""
    platform = Platform(load_settings())
    who = arguments.by or getpass.getuser()
    unit = stages.remove_media(
        platform, media=arguments.media, reason=arguments.reason, removed_by=who
    )
    new = stages.record(platform, [unit], message=f"removed by {who}")
    snapshots = 0
    for role in ROLES:
        for modality in platform.fingerprinters:
            units = stages.publish_index(platform, role=role, modality=modality)
            snapshots += stages.record(platform, units, message=f"publish {role} {modality}")
    return {"media": unit["media"], "new": bool(new), "snapshots": snapshots}
