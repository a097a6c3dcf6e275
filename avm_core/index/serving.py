"""Open what can be served: the snapshot asked for, or the newest older one that is whole."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from avm_core.config import IndexConfig
from avm_core.errors import ChecksumMismatch, ObjectMissing
from avm_core.index.cache import fetch, fetch_entries
from avm_core.index.manifest import IndexManifest, Tombstone
from avm_core.index.pointer import older_snapshots
from avm_core.types import ObjectStore

_log = logging.getLogger(__name__)


def servable(
    store: ObjectStore, manifest: IndexManifest, *, cache_dir: Path, config: IndexConfig
) -> IndexManifest:
    """`manifest` if all its objects are whole, else the newest older snapshot that is.

    Brings the objects into `cache_dir`. An older snapshot is of the same fingerprinter, is
    logged with what is damaged, and gets the tombstones of the newer ones: what was removed
    stays removed. Its `version` is the older one, so whoever records it knows what was not
    searched. Raises the `ChecksumMismatch` or `ObjectMissing` of `manifest` itself if there is
    none (garbage collection leaves those of the last `grace_seconds`).
    """
    try:
        _fetch_all(store, manifest, cache_dir, config)
    except (ChecksumMismatch, ObjectMissing) as error:
        older = _older(store, manifest, cache_dir, config)
        if older is None:
            raise
        _log.error(
            "index %s: snapshot %d is damaged (%s); snapshot %d is searched instead",
            manifest.index_name, manifest.version, error, older.version,
        )  # fmt: skip
        return older
    return manifest


def _older(
    store: ObjectStore, manifest: IndexManifest, cache_dir: Path, config: IndexConfig
) -> IndexManifest | None:
    stones = list(manifest.tombstones)
    for older in older_snapshots(store, manifest):
        if older.fingerprinter != manifest.fingerprinter:
            return None
        stones += older.tombstones
        try:
            _fetch_all(store, older, cache_dir, config)
        except (ChecksumMismatch, ObjectMissing):
            continue
        return older.model_copy(update={"tombstones": _latest(stones)})
    return None


def _latest(stones: Iterable[Tombstone]) -> tuple[Tombstone, ...]:
    """One per media: a newer removal covers the older ones."""
    versions: dict[str, int] = {}
    for stone in stones:
        versions[stone.media_id] = max(stone.removed_version, versions.get(stone.media_id, 0))
    return tuple(
        Tombstone(media_id=media_id, removed_version=version)
        for media_id, version in sorted(versions.items())
    )


def _fetch_all(
    store: ObjectStore, manifest: IndexManifest, cache_dir: Path, config: IndexConfig
) -> None:
    for ref in manifest.segments:
        fetch_entries(store, ref)
        if ref.windows:
            fetch(store, ref.key, sha256=ref.sha256, size=ref.bytes, cache_dir=cache_dir)
        if ref.graph_key and config.device == "cpu":
            fetch(
                *(store, ref.graph_key),
                sha256=ref.graph_sha256, size=ref.graph_bytes, cache_dir=cache_dir,
            )  # fmt: skip
