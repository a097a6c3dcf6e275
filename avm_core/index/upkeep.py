"""Keep an index healthy: verify checksums, merge segments, delete what nobody refers to."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from avm_core.config import IndexConfig
from avm_core.errors import BadSettings, ObjectMissing
from avm_core.index.cache import fetch, fetch_entries, file_sha256
from avm_core.index.manifest import IndexManifest, SegmentRef, Tombstone, added_version, seal
from avm_core.index.pointer import commit, current, index_prefix, manifest_key
from avm_core.index.segment import Part, open_segment, pack
from avm_core.index.writer import write_segment
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


# --- compaction -------------------------------------------------------------------------------


def compact(
    store: ObjectStore,
    index_name: str,
    *,
    config: IndexConfig,
    cache_dir: Path | None = None,
) -> IndexManifest:
    """Rewrite all segments into one without removed media; hits stay the same.

    What others publish meanwhile is kept beside the new segment. Needs the RAM of all
    vectors. Returns the current snapshot if there is nothing to gain; raises `BadSettings`
    if the index does not exist.
    """
    with tempfile.TemporaryDirectory(prefix="avm-compact-") as folder:
        job = _Compaction(store, index_name, config, cache_dir or Path(folder))
        result = commit(store, index_name, job.apply)
    if result is None:
        raise BadSettings(f"index {index_name} does not exist: publish to it first")
    return result


class _Compaction:
    """One compact call; `apply` may run several times, each on a newer snapshot."""

    def __init__(
        self, store: ObjectStore, index_name: str, config: IndexConfig, cache_dir: Path
    ) -> None:
        self._store = store
        self._index_name = index_name
        self._config = config
        self._cache_dir = cache_dir
        self._source: IndexManifest | None = None
        self._merged: SegmentRef | None = None

    def apply(self, base: IndexManifest | None) -> IndexManifest | None:
        """The compacted snapshot after `base`, or `base` if it is compact."""
        if base is None or (len(base.segments) <= 1 and not base.tombstones):
            return base
        if not self._fits(base):
            self._source, self._merged = base, self._merge(base)
        assert self._source is not None, "set by the merge above"
        sources = {segment.key for segment in self._source.segments}
        rest = [segment for segment in base.segments if segment.key not in sources]
        version = base.version + 1
        merged = []
        if self._merged is not None:
            merged.append(self._merged.model_copy(update={"added_version": version}))
        since = self._source.version
        return seal(
            index_name=self._index_name,
            parent=base,
            fingerprinter=base.fingerprinter,
            dims=base.dims,
            segments=(*merged, *rest),
            tombstones=self._later_tombstones(base, since),
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def _fits(self, base: IndexManifest) -> bool:
        """Whether the merged segment may stand in for its sources in `base`."""
        if self._source is None or self._source.fingerprinter != base.fingerprinter:
            return False
        present = {segment.key for segment in base.segments}
        return all(segment.key in present for segment in self._source.segments)

    @staticmethod
    def _later_tombstones(base: IndexManifest, since: int) -> tuple[Tombstone, ...]:
        return tuple(stone for stone in base.tombstones if stone.removed_version > since)

    def _merge(self, base: IndexManifest) -> SegmentRef | None:
        parts = [part for segment in base.segments for part in self._live_parts(base, segment)]
        if not parts:
            return None
        segment = pack(base.fingerprinter, parts, self._config)
        return write_segment(self._store, self._index_name, segment)

    def _live_parts(self, base: IndexManifest, ref: SegmentRef) -> list[Part]:
        entries = fetch_entries(self._store, ref)
        path = fetch(
            self._store, ref.key, sha256=ref.sha256, size=ref.bytes, cache_dir=self._cache_dir
        )
        data = open_segment(path, entries)
        ends = np.cumsum([entry.windows for entry in entries], dtype=np.int64)
        parts = []
        for entry, end, alive in zip(entries, ends, base.alive(ref, entries), strict=True):
            if alive:
                # Each media keeps its version, or a later tombstone could not reach it.
                dated = entry._replace(added_version=added_version(entry, ref))
                rows = slice(int(end) - entry.windows, int(end))
                parts.append(Part(dated, data.vectors[rows], data.starts[rows]))
        return parts
