"""The face of an index: publish fingerprints, ask what a snapshot holds, keep it tidy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from avm_core.config import IndexConfig
from avm_core.errors import BadSettings, IndexMismatch
from avm_core.groups import in_groups
from avm_core.index.cache import fetch_entries
from avm_core.index.compaction import compact
from avm_core.index.manifest import IndexManifest, SegmentRef, Tombstone, added_version, seal
from avm_core.index.pointer import commit, current
from avm_core.index.segment import build_segment
from avm_core.index.side_by_side import side_by_side
from avm_core.index.upkeep import collect_garbage, verify
from avm_core.index.writer import write_segment
from avm_core.types import Fingerprint, FingerprinterId, ObjectStore

__all__ = ["collect_garbage", "compact", "current", "media_ids", "publish", "verify"]


def media_ids(store: ObjectStore, manifest: IndexManifest) -> dict[str, int]:
    """Every searched media id (also those without a valid window) with the snapshot version
    that added it; media that were removed are left out."""
    found: dict[str, int] = {}
    for segment in manifest.segments:
        entries = fetch_entries(store, segment)
        for entry, alive in zip(entries, manifest.alive(segment, entries), strict=True):
            if alive:
                found[entry.media_id] = added_version(entry, segment)
    return found


def publish(
    store: ObjectStore,
    index_name: str,
    fingerprinter: FingerprinterId | str,
    additions: Sequence[tuple[str, Fingerprint]],
    *,
    config: IndexConfig,
    remove: Iterable[str] = (),
    replace: bool = False,
    partition_of: Mapping[str, str] | None = None,
) -> IndexManifest:
    """Add and remove media and return the snapshot that has them.

    Media that the current snapshot has are skipped, so a call that was killed can be made
    again, and two calls at once both end up in the index. Without anything to do the current
    snapshot is returned as it is. `partition_of` gives the partition of a media id; each
    partition gets segments of its own (default: one partition named ""), of at most
    `config.segment_windows` windows unless one media has more; `config.build_threads` of them are
    built at a time. With `replace` an index
    of another fingerprinter starts afresh (its version keeps counting); otherwise that raises
    `IndexMismatch`. Raises `BadSettings` if a media id is both added and removed,
    `PreconditionFailed` if other writers won every race.
    """
    job = _Publication(
        store,
        index_name,
        str(fingerprinter),
        additions,
        remove=remove,
        config=config,
        replace=replace,
        partition_of=partition_of or {},
    )
    result = commit(store, index_name, job.apply)
    assert result is not None, "apply never returns None"
    return result


class _Publication:
    """One publish call; `apply` may run several times, each on a newer snapshot."""

    def __init__(
        self,
        store: ObjectStore,
        index_name: str,
        fingerprinter: str,
        additions: Sequence[tuple[str, Fingerprint]],
        *,
        remove: Iterable[str],
        config: IndexConfig,
        replace: bool,
        partition_of: Mapping[str, str],
    ) -> None:
        self._store = store
        self._index_name = index_name
        self._fingerprinter = fingerprinter
        self._additions: dict[str, Fingerprint] = {}
        for media_id, value in additions:
            # The first of equal ids stays: a batch may name a content twice.
            self._additions.setdefault(media_id, value)
        self._remove = sorted(set(remove))
        self._config = config
        self._replace = replace
        self._partition_of = partition_of
        self._written: dict[frozenset[str], SegmentRef] = {}
        self._check_input()

    def _check_input(self) -> None:
        both = [media_id for media_id in self._remove if media_id in self._additions]
        if both:
            raise BadSettings(
                f"media {both[0]!r} is both added and removed: publish the removal first"
            )
        for media_id, fingerprint in self._additions.items():
            if str(fingerprint.fingerprinter) != self._fingerprinter:
                raise IndexMismatch(
                    f"media {media_id!r} was fingerprinted by {fingerprint.fingerprinter}, the "
                    f"index {self._index_name} takes {self._fingerprinter}: fingerprint it again"
                )

    def apply(self, base: IndexManifest | None) -> IndexManifest:
        """The snapshot after `base`, or `base` itself if it has everything."""
        same_lineage = base is not None and self._accepts(base)
        live = media_ids(self._store, base) if base is not None and same_lineage else {}
        fresh = {key: value for key, value in self._additions.items() if key not in live}
        gone = [media_id for media_id in self._remove if media_id in live]
        if base is not None and same_lineage and not fresh and not gone:
            return base
        version = base.version + 1 if base else 1
        kept = base if same_lineage else None
        removed = (kept.removed_versions() if kept else {}) | dict.fromkeys(gone, version)
        segments = kept.segments if kept else ()
        dims = kept.dims if kept else 0
        if fresh:
            widths = {value.descriptors.shape[1] for value in fresh.values()}
            dims = self._common_width(widths | ({dims} if dims else set()))
            segments = (*segments, *self._segments(fresh, version))
        return seal(
            index_name=self._index_name,
            parent=base,
            fingerprinter=self._fingerprinter,
            dims=dims,
            segments=segments,
            tombstones=tuple(
                Tombstone(media_id=media_id, removed_version=removed[media_id])
                for media_id in sorted(removed)
            ),
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def _accepts(self, base: IndexManifest) -> bool:
        if base.fingerprinter == self._fingerprinter:
            return True
        if self._replace:
            return False
        raise IndexMismatch(
            f"index {self._index_name} holds vectors of {base.fingerprinter}, not of "
            f"{self._fingerprinter}: publish with replace=True to start it afresh, or use the "
            f"old fingerprinter"
        )

    def _common_width(self, widths: set[int]) -> int:
        if len(widths) > 1:
            raise IndexMismatch(
                f"index {self._index_name}: descriptors of {self._fingerprinter} have widths "
                f"{sorted(widths)}: fingerprint the odd ones again"
            )
        return widths.pop()

    def _segments(self, fresh: dict[str, Fingerprint], version: int) -> list[SegmentRef]:
        """Segments of one partition each, in the order of the partitions."""
        parts: dict[str, dict[str, Fingerprint]] = {}
        for media_id, fingerprint in fresh.items():
            partition = self._partition_of.get(media_id, "")
            parts.setdefault(partition, {})[media_id] = fingerprint
        limit = self._config.segment_windows
        jobs = [
            (partition, dict(group))
            for partition in sorted(parts)
            for group in in_groups(parts[partition].items(), size=_windows, limit=limit)
        ]
        refs = side_by_side(
            self._segment, [group for _, group in jobs], threads=self._config.build_threads
        )
        return [
            ref.model_copy(update={"added_version": version, "partition": partition})
            for (partition, _), ref in zip(jobs, refs, strict=True)
        ]

    def _segment(self, fresh: dict[str, Fingerprint]) -> SegmentRef:
        ids = frozenset(fresh)
        if ids not in self._written:
            segment = build_segment(fresh.items(), self._config)
            self._written[ids] = write_segment(self._store, self._index_name, segment)
        return self._written[ids]


def _windows(media: tuple[str, Fingerprint]) -> int:
    return len(media[1].starts)
