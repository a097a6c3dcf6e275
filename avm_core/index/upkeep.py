"""Keep an index healthy: verify checksums, delete what nobody refers to."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from avm_core.errors import ChecksumMismatch, ObjectMissing
from avm_core.index.cache import file_sha256
from avm_core.index.manifest import IndexManifest
from avm_core.index.pointer import current, index_prefix, manifest_key
from avm_core.types import ObjectInfo, ObjectStore


def verify(store: ObjectStore, manifest: IndexManifest) -> list[str]:
    """Read every object of a snapshot; one line per missing or changed one, [] if all is well."""
    problems = []
    with tempfile.TemporaryDirectory(prefix="avm-verify-") as folder:
        draft = Path(folder) / "object"
        for key, sha256, _ in _objects(manifest):
            try:
                store.download(key, draft)
            except ObjectMissing:
                problems.append(f"{key}: missing")
                continue
            found = file_sha256(draft)
            if found != sha256:
                problems.append(f"{key}: sha256 {found}, expected {sha256}")
    return problems


def require_whole(store: ObjectStore, manifest: IndexManifest) -> None:
    """Read every object of a snapshot that is not yet served; `ChecksumMismatch` names the bad."""
    if problems := verify(store, manifest):
        raise ChecksumMismatch(
            f"the new snapshot of {manifest.index_name} is damaged ({'; '.join(problems)}): the "
            "old one goes on; run it again, and look at the object store if it stays so"
        )


def _objects(manifest: IndexManifest) -> list[tuple[str, str, int]]:
    return [item for segment in manifest.segments for item in segment.objects()]


# --- garbage ----------------------------------------------------------------------------------


def collect_garbage(
    store: ObjectStore, index_name: str, *, grace_seconds: float, now: datetime
) -> list[str]:
    """Delete objects that no snapshot in use refers to; return their keys.

    In use are the current snapshot and those replaced less than `grace_seconds` before `now`
    (a reader may just be opening one). Younger objects stay as well: a publisher writes its
    segment before the manifest that refers to it. Without `CURRENT` nothing is deleted: the
    pointer may have been lost by mistake, and the snapshots are the way back.
    """
    prefix = index_prefix(index_name)
    horizon = now - timedelta(seconds=grace_seconds)
    # Listed before the manifests are read: what a publisher adds meanwhile is not in the list.
    segments = list(store.list(f"{prefix}segments/"))
    snapshots = list(store.list(f"{prefix}snapshots/"))
    manifest = current(store, index_name)
    if manifest is None:
        return []
    keep = _snapshots_in_use(snapshots, horizon) | {manifest_key(manifest)}
    needed = {name for key in sorted(keep) for name in _referenced(store, key)}
    deleted = []
    for info in (*segments, *snapshots):
        unused = info.key not in needed and info.key not in keep
        if unused and info.modified < horizon and _still_old(store, info.key, horizon):
            store.delete(info.key)
            deleted.append(info.key)
    return deleted


def _snapshots_in_use(snapshots: Sequence[ObjectInfo], horizon: datetime) -> set[str]:
    """Young snapshots, and those whose successor is young: they were current until then."""
    latest: dict[int, datetime] = {}
    for info in snapshots:
        version = _version(info.key)
        # Publishers that race write several manifests of one version; the last may be the one.
        latest[version] = max(info.modified, latest.get(version, info.modified))
    replaced = {old: latest[new] for old, new in itertools.pairwise(sorted(latest))}
    return {
        info.key
        for info in snapshots
        if max(info.modified, replaced.get(_version(info.key), info.modified)) >= horizon
    }


def _version(key: str) -> int:
    digits = key.rsplit("/", 1)[-1].split("-", 1)[0]
    return int(digits) if digits.isdigit() else 0


def _referenced(store: ObjectStore, key: str) -> set[str]:
    try:
        manifest = IndexManifest.from_bytes(store.get(key), key=key)
    except ObjectMissing:
        return set()
    return {name for name, _, _ in _objects(manifest)}


def _still_old(store: ObjectStore, key: str, horizon: datetime) -> bool:
    # A publisher that re-runs writes the same key again between the listing and now.
    try:
        return store.head(key).modified < horizon
    except ObjectMissing:
        return False
