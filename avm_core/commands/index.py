"""`avm index`: what the current snapshots hold, whether their bytes are whole, and upkeep."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Any

from avm_core.config import load_settings
from avm_core.errors import BadSettings, ChecksumMismatch
from avm_core.index.cache import drop_damaged, drop_unused
from avm_core.index.manifest import IndexManifest
from avm_core.index.snapshot import collect_garbage, compact, current, verify
from avm_core.pipeline.index import index_name
from avm_core.pipeline.platform import Platform
from avm_core.types import MODALITIES, ROLES

_NAMES = tuple(index_name(role, modality) for role in ROLES for modality in MODALITIES)


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """One entry per index; `verify` fails with `ChecksumMismatch` if anything is damaged."""
    platform = Platform(load_settings())
    names = _chosen(arguments.name)
    grace = platform.settings.index.grace_seconds
    found: dict[str, Any] = {}
    damaged: list[str] = []
    for name in names:
        manifest = current(platform.lake, name)
        if manifest is None:
            found[name] = "not published yet"
            continue
        if arguments.action == "compact":
            manifest = compact(
                platform.lake,
                name,
                config=platform.settings.index,
                cache_dir=platform.cache_dir,
            )
        found[name] = _summary(manifest)
        if arguments.action == "verify":
            damaged += [f"{name}: {problem}" for problem in verify(platform.lake, manifest)]
            found[name]["verified"] = True
        if arguments.action == "gc":
            now = datetime.now(UTC)
            gone = collect_garbage(platform.lake, name, grace_seconds=grace, now=now)
            found[name]["deleted"] = len(gone)
    if damaged:
        raise ChecksumMismatch("; ".join(damaged) + ": publish the index afresh")
    return found | _cache(platform, arguments.action, grace)


def _chosen(name: str | None) -> tuple[str, ...]:
    if name is None:
        return _NAMES
    if name not in _NAMES:
        raise BadSettings(f"--name {name!r}: there are {', '.join(_NAMES)}")
    return (name,)


def _summary(manifest: IndexManifest) -> dict[str, Any]:
    return {
        "version": manifest.version,
        "snapshot": manifest.snapshot_id,
        "fingerprinter": manifest.fingerprinter,
        "segments": len(manifest.segments),
        "partitions": len(manifest.partitions),
        "windows": manifest.windows,
        "bytes": manifest.size,
        "removed": len(manifest.tombstones),
    }


def _cache(platform: Platform, action: str, grace: float) -> dict[str, Any]:
    """The local copies: damaged ones are fetched again at the next search, once they are gone."""
    if action == "verify":
        return {"cache": {"damaged and deleted": len(drop_damaged(platform.cache_dir))}}
    if action == "gc":
        now = datetime.now(UTC)
        unused = drop_unused(platform.cache_dir, grace_seconds=grace, now=now)
        return {"cache": {"unused and deleted": len(unused)}}
    return {}
