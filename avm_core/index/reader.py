"""Search one snapshot, from a local copy of its segments."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from avm_core.config import IndexConfig
from avm_core.errors import IndexMismatch
from avm_core.index.cache import fetch, fetch_entries
from avm_core.index.manifest import IndexManifest, SegmentRef
from avm_core.index.scan import (
    Neighbours,
    concat,
    cut,
    empty_neighbours,
    nearest,
    pair_scores,
    rank_in_query,
)
from avm_core.index.segment import SegmentData, open_segment, searchable
from avm_core.types import Bool, Fingerprint, Float64, Hits, Int8, Int64, ObjectStore

if TYPE_CHECKING:
    from avm_core.index.graph import Graph

# Neighbours asked from a graph per query before an exact scan is the cheaper way to k live ones.
MAX_GRAPH_NEIGHBOURS = 4096


@dataclass(frozen=True, slots=True)
class _OpenSegment:
    """`ordinals` int64 maps the segment's media to the snapshot's; `alive` bool [N] or None
    if no window is dead."""

    data: SegmentData
    ordinals: Int64
    alive: Bool | None
    graph: Graph | None

    def nearest(self, queries: Int8, *, k: int, min_similarity: float) -> Neighbours:
        if self.graph is None:
            return nearest(
                queries, self.data.vectors, k=k, min_similarity=min_similarity, alive=self.alive
            )
        return _graph_nearest(self, self.graph, queries, k, min_similarity)


class SnapshotReader:
    """A snapshot that is ready to be searched; later publishes do not change it."""

    def __init__(
        self, manifest: IndexManifest, media_ids: tuple[str, ...], segments: list[_OpenSegment]
    ) -> None:
        """Use `open`."""
        self.manifest = manifest
        self.media_ids = media_ids
        self._segments = segments

    @classmethod
    def open(
        cls, store: ObjectStore, manifest: IndexManifest, *, cache_dir: Path, config: IndexConfig
    ) -> SnapshotReader:
        """Download what `cache_dir` lacks, verify it and map it into memory.

        `media_ids` are the searched media, sorted. Raises `ChecksumMismatch`, `ObjectMissing`
        or, for files of a newer AVM, `IndexMismatch`.
        """
        lists = [fetch_entries(store, ref) for ref in manifest.segments]
        flags = [manifest.alive(*pair) for pair in zip(manifest.segments, lists, strict=True)]
        media_ids = sorted(
            entry.media_id
            for entries, alive in zip(lists, flags, strict=True)
            for entry, is_alive in zip(entries, alive, strict=True)
            if is_alive
        )
        ordinal = {media_id: place for place, media_id in enumerate(media_ids)}
        segments = []
        for ref, entries, alive in zip(manifest.segments, lists, flags, strict=True):
            if not ref.windows:
                continue
            path = fetch(store, ref.key, sha256=ref.sha256, size=ref.bytes, cache_dir=cache_dir)
            data = open_segment(path, entries)
            ordinals = np.array([ordinal.get(entry.media_id, -1) for entry in entries], np.int64)
            dead = not all(alive)
            segments.append(
                _OpenSegment(
                    data=data,
                    ordinals=ordinals,
                    alive=np.array(alive, np.bool_)[data.media] if dead else None,
                    graph=_open_graph(store, ref, data, cache_dir, config),
                )
            )
        return cls(manifest, tuple(media_ids), segments)

    def search(self, query: Fingerprint, *, k: int, min_similarity: float) -> Hits:
        """The best k stored windows for each valid window of the query, over all segments.

        Order and ties are those of `Hits`; a flat segment is exact, a graph finds most. Keep
        k generous and let `min_similarity` decide: a window of a pair that k cuts off, because
        other refs hold many similar windows, is lost evidence, and then the result of a pair
        depends on which other refs are indexed. Raises `IndexMismatch` if the query comes
        from another fingerprinter.
        """
        self._check(query)
        windows = searchable(query)
        queries = query.descriptors[windows]
        found = [
            (segment, segment.nearest(queries, k=k, min_similarity=min_similarity))
            for segment in self._segments
        ]
        merged = concat([neighbours for _, neighbours in found])
        ref = _join([s.ordinals[s.data.media[n.row]] for s, n in found], np.int64)
        start = _join([s.data.starts[n.row] for s, n in found], np.float64)
        order = np.lexsort((start, ref, -merged.score, merged.query))
        order = order[rank_in_query(merged.query[order]) < k]
        return Hits(
            ref_ids=self.media_ids,
            query=windows[merged.query[order]],
            ref=ref[order],
            ref_start=start[order],
            score=merged.score[order],
        )

    def _check(self, query: Fingerprint) -> None:
        expected = self.manifest.fingerprinter
        if str(query.fingerprinter) != expected:
            raise IndexMismatch(
                f"query by {query.fingerprinter}, index {self.manifest.index_name} by "
                f"{expected}: fingerprint the query with the index's fingerprinter"
            )
        width, dims = query.descriptors.shape[1], self.manifest.dims
        if dims and width != dims:
            raise IndexMismatch(
                f"query has {width} dimensions, index {self.manifest.index_name} has {dims}: "
                f"fingerprint the query again"
            )


def _join(parts: list[Int64] | list[Float64], dtype: type[np.generic]) -> Any:
    return np.concatenate(parts) if parts else np.empty(0, dtype)


def _open_graph(
    store: ObjectStore, ref: SegmentRef, data: SegmentData, cache_dir: Path, config: IndexConfig
) -> Graph | None:
    if not ref.graph_key:
        return None
    # An index of flat segments must not pay for loading USearch.
    from avm_core.index.graph import Graph

    path = fetch(
        store, ref.graph_key, sha256=ref.graph_sha256, size=ref.graph_bytes, cache_dir=cache_dir
    )
    return Graph(path, rows=ref.windows, dims=data.dims, config=config)


def _graph_nearest(
    segment: _OpenSegment, graph: Graph, queries: Int8, k: int, min_similarity: float
) -> Neighbours:
    """Like `scan.nearest`; asks the graph for more where dead windows took the places."""
    rows, alive = segment.data.vectors, segment.alive
    share = 1.0 if alive is None else float(np.count_nonzero(alive)) / len(rows)
    if share == 0.0:
        return empty_neighbours()
    count = math.ceil(k / share)
    pending = np.arange(len(queries))
    parts = []
    while len(pending) and count < min(len(rows), MAX_GRAPH_NEIGHBOURS + 1):
        found = graph.search(queries[pending], count)
        usable = found >= 0
        if alive is not None:
            usable &= alive[found]
        place, column = np.nonzero(usable)
        row = found[place, column]
        query = pending[place]
        scores = pair_scores(queries, rows, query, row)
        good = scores >= np.float32(min_similarity)
        # A query is settled if it has k live ones, or if the graph ran dry or below the limit.
        last = pair_scores(queries, rows, pending, np.maximum(found[:, -1], 0))
        short = (usable.sum(axis=1) < k) & (found[:, -1] >= 0) & (last >= min_similarity)
        good &= ~short[place]
        parts.append(Neighbours(query[good], row[good], scores[good]))
        pending = pending[short]
        count *= 2
    if len(pending):
        rest = nearest(queries[pending], rows, k=k, min_similarity=min_similarity, alive=alive)
        parts.append(rest._replace(query=pending[rest.query]))
    return cut(concat(parts), k)
