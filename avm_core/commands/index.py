"""`avm index`: what the current snapshots hold, and whether their bytes are whole."""

from __future__ import annotations

import argparse
from typing import Any

from avm_core.config import load_settings
from avm_core.errors import ChecksumMismatch
from avm_core.index.snapshot import current, verify
from avm_core.pipeline.index import index_name
from avm_core.pipeline.platform import Platform
from avm_core.types import MODALITIES, ROLES


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """One entry per index; `verify` fails with `ChecksumMismatch` if anything is damaged."""
    platform = Platform(load_settings())
    found: dict[str, Any] = {}
    damaged = []
    for name in (index_name(role, modality) for role in ROLES for modality in MODALITIES):
        manifest = current(platform.lake, name)
        if manifest is None:
            found[name] = "not published yet"
            continue
        found[name] = {
            "version": manifest.version,
            "snapshot": manifest.snapshot_id,
            "fingerprinter": manifest.fingerprinter,
            "segments": len(manifest.segments),
            "windows": manifest.windows,
        }
        if arguments.action == "verify":
            damaged += [f"{name}: {problem}" for problem in verify(platform.lake, manifest)]
            found[name]["verified"] = True
    if damaged:
        raise ChecksumMismatch("; ".join(damaged) + ": publish the index afresh")
    return found
