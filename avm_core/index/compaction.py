"""Merge segments: fewer objects to open, and no bytes of removed media."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from avm_core.config import IndexConfig
from avm_core.errors import BadSettings
from avm_core.groups import in_groups
from avm_core.index.cache import fetch, fetch_entries
from avm_core.index.manifest import IndexManifest, SegmentRef, Tombstone, added_version, seal
from avm_core.index.pointer import commit
from avm_core.index.segment import MediaEntry, Part, open_segment, pack
from avm_core.index.side_by_side import side_by_side
from avm_core.index.upkeep import require_whole
from avm_core.index.writer import write_segment
from avm_core.types import ObjectStore


def compact(
    store: ObjectStore,
    index_name: str,
    *,
    config: IndexConfig,
    cache_dir: Path | None = None,
    verified: bool = False,
) -> IndexManifest:
    """Merge the small segments of each partition and rewrite those with many dead windows.

    Removed media leave with the segments that are rewritten; hits stay the same. A segment of
    half `config.segment_windows` or more is left alone until `config.dead_share` of it is dead,
    so a night's cost follows the night's changes and not the size of the index. What others
    publish meanwhile is kept beside the new segments. Needs the RAM of `segment_windows`
    vectors and their graph, `config.build_threads` times. With `verified` the pointer moves only
    once all objects of the new snapshot were read back, else `ChecksumMismatch`. Returns the
    current snapshot if there is nothing to gain; raises `BadSettings` if the index does not exist.
    """
    with tempfile.TemporaryDirectory(prefix="avm-compact-") as folder:
        job = _Compaction(store, index_name, config, cache_dir or Path(folder))

        def apply(base: IndexManifest | None) -> IndexManifest | None:
            made = job.apply(base)
            if verified and made is not None and made is not base:
                require_whole(store, made)
            return made

        result = commit(store, index_name, apply)
    if result is None:
        raise BadSettings(f"index {index_name} does not exist: publish to it first")
    return result


@dataclass(frozen=True, slots=True)
class _Source:
    """A segment, its media, which of them are searched, and how many windows those have."""

    ref: SegmentRef
    entries: tuple[MediaEntry, ...]
    alive: list[bool]

    @property
    def live(self) -> int:
        return sum(e.windows for e, alive in zip(self.entries, self.alive, strict=True) if alive)

    @property
    def all_alive(self) -> bool:
        return all(self.alive)

    def is_settled(self, config: IndexConfig) -> bool:
        """Large, and with few dead windows."""
        dead = self.ref.windows - self.live
        return (
            self.ref.windows >= config.segment_windows / 2
            and dead <= config.dead_share * self.ref.windows
        )


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
        self._groups: list[list[_Source]] = []
        self._merged: list[SegmentRef] = []
        # Removals that still hide something in a segment that stays.
        self._needed: set[str] = set()

    def apply(self, base: IndexManifest | None) -> IndexManifest | None:
        """The compacted snapshot after `base`, or `base` if it is compact."""
        if base is None:
            return None
        if not self._fits(base):
            self._plan(base)
            if not self._groups and len(self._needed) == len(base.tombstones):
                return base
            made = side_by_side(
                partial(self._merge, base), self._groups, threads=self._config.build_threads
            )
            self._merged = [ref for refs in made for ref in refs]
            self._source = base
        assert self._source is not None, "set above"
        rewritten = self._chosen()
        rest = [segment for segment in base.segments if _identity(segment) not in rewritten]
        version = base.version + 1
        merged = [ref.model_copy(update={"added_version": version}) for ref in self._merged]
        return seal(
            index_name=self._index_name,
            parent=base,
            fingerprinter=base.fingerprinter,
            dims=base.dims,
            segments=(*merged, *rest),
            tombstones=self._tombstones(base, self._source.version),
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def _fits(self, base: IndexManifest) -> bool:
        """Whether the merged segments may stand in for their sources in `base`."""
        if self._source is None or self._source.fingerprinter != base.fingerprinter:
            return False
        return self._chosen() <= {_identity(segment) for segment in base.segments}

    def _chosen(self) -> set[tuple[str, int]]:
        return {_identity(source.ref) for group in self._groups for source in group}

    def _tombstones(self, base: IndexManifest, since: int) -> tuple[Tombstone, ...]:
        return tuple(
            stone
            for stone in base.tombstones
            if stone.removed_version > since or stone.media_id in self._needed
        )

    def _plan(self, base: IndexManifest) -> None:
        sources = []
        for ref in base.segments:
            entries = fetch_entries(self._store, ref)
            sources.append(_Source(ref, entries, base.alive(ref, entries)))
        self._groups = [
            group
            for partition in base.partitions
            for group in _bins((s for s in sources if s.ref.partition == partition), self._config)
        ]
        chosen = self._chosen()
        self._needed = {
            entry.media_id
            for source in sources
            if _identity(source.ref) not in chosen
            for entry, alive in zip(source.entries, source.alive, strict=True)
            if not alive
        }

    def _merge(self, base: IndexManifest, group: list[_Source]) -> list[SegmentRef]:
        parts = [part for source in group for part in self._live_parts(source)]
        if not parts:
            return []
        segment = pack(base.fingerprinter, parts, self._config)
        ref = write_segment(self._store, self._index_name, segment)
        return [ref.model_copy(update={"partition": group[0].ref.partition})]

    def _live_parts(self, source: _Source) -> Iterator[Part]:
        ref = source.ref
        path = fetch(
            self._store, ref.key, sha256=ref.sha256, size=ref.bytes, cache_dir=self._cache_dir
        )
        data = open_segment(path, source.entries)
        ends = np.cumsum([entry.windows for entry in source.entries], dtype=np.int64)
        for entry, end, alive in zip(source.entries, ends, source.alive, strict=True):
            if alive:
                # Each media keeps its version, or a later tombstone could not reach it.
                dated = entry._replace(added_version=added_version(entry, ref))
                rows = slice(int(end) - entry.windows, int(end))
                yield Part(dated, data.vectors[rows], data.starts[rows])


def _identity(ref: SegmentRef) -> tuple[str, int]:
    """A media that was removed and came back unchanged makes the same object twice."""
    return ref.key, ref.added_version


def _bins(sources: Iterable[_Source], config: IndexConfig) -> list[list[_Source]]:
    """Groups worth a rewrite, in the order of the segments, none above the size limit unless
    one segment is."""
    loose = (source for source in sources if not source.is_settled(config))
    groups = in_groups(loose, size=lambda source: source.live, limit=config.segment_windows)
    return [group for group in groups if len(group) > 1 or not group[0].all_alive]
