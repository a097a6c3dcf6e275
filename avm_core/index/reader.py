"""Search one snapshot, from a local copy of its segments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from avm_core.config import IndexConfig
from avm_core.errors import IndexMismatch
from avm_core.index.cache import fetch, fetch_entries
from avm_core.index.device_scan import nearest_on
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
from avm_core.types import Bool, Fingerprint, Float32, Float64, Hits, Int8, Int64, ObjectStore

_Columns = tuple[Int64, Int64, Float64, Float32]

if TYPE_CHECKING:
    from avm_core.index.graph import Graph

# Query windows searched at a time: bounds the memory of a search, whatever the upload's length.
QUERIES_AT_ONCE = 8192
# Neighbours asked from a graph per query before an exact scan is the cheaper way to k live ones.
MAX_GRAPH_NEIGHBOURS = 4096


@dataclass(frozen=True, slots=True)
class OpenSegment:
    """One segment of an open snapshot. `ordinals` int64 maps the segment's media to the
    snapshot's; `alive` bool [N] or None if no window is dead. With a `device` other than "cpu"
    all scans are exact and run there. `back_neighbours` is that of the settings."""

    data: SegmentData
    ordinals: Int64
    alive: Bool | None
    graph: Graph | None
    device: str = "cpu"
    back_neighbours: int = 0

    def nearest(self, queries: Int8, *, k: int, min_similarity: float) -> Neighbours:
        """The best k rows per query. A flat segment and a device are exact."""
        if self.graph is None:
            return nearest_on(
                *(self.device, queries, self.data.vectors),
                k=k, min_similarity=min_similarity, alive=self.alive,
            )  # fmt: skip
        return _graph_nearest(self, self.graph, queries, k, min_similarity)


class SnapshotReader:
    """A snapshot that is ready to be searched; later publishes do not change it."""

    def __init__(
        self, manifest: IndexManifest, media_ids: tuple[str, ...], segments: list[OpenSegment]
    ) -> None:
        """Use `open`."""
        self.manifest = manifest
        self.media_ids = media_ids
        self._segments = segments

    @classmethod
    def open(
        cls,
        store: ObjectStore,
        manifest: IndexManifest,
        *,
        cache_dir: Path,
        config: IndexConfig,
        partition: str | None = None,
    ) -> SnapshotReader:
        """Download what `cache_dir` lacks, verify it and map it into memory.

        With `partition` only its segments. `media_ids` are the searched media, sorted. Raises
        `ChecksumMismatch`, `ObjectMissing` or, for files of a newer AVM, `IndexMismatch`.
        """
        refs = [ref for ref in manifest.segments if partition in (None, ref.partition)]
        lists = [fetch_entries(store, ref) for ref in refs]
        flags = [manifest.alive(*pair) for pair in zip(refs, lists, strict=True)]
        media_ids = sorted(
            entry.media_id
            for entries, alive in zip(lists, flags, strict=True)
            for entry, is_alive in zip(entries, alive, strict=True)
            if is_alive
        )
        ordinal = {media_id: place for place, media_id in enumerate(media_ids)}
        # Backwards each segment of a day answers for itself; forward they share the best k.
        graphs = sum(bool(ref.graph_key) for ref in refs) if partition is None else 1
        segments = []
        for ref, entries, alive in zip(refs, lists, flags, strict=True):
            if not ref.windows:
                continue
            path = fetch(store, ref.key, sha256=ref.sha256, size=ref.bytes, cache_dir=cache_dir)
            data = open_segment(path, entries)
            graph = _open_graph(store, ref, data.dims, cache_dir, config, graphs)
            segments.append(_open_segment(data, graph, ordinal, alive, config))
        return cls(manifest, tuple(media_ids), segments)

    @property
    def segments(self) -> tuple[OpenSegment, ...]:
        """The searched segments, those without windows left out."""
        return tuple(self._segments)

    def search(self, query: Fingerprint, *, k: int, min_similarity: float) -> Hits:
        """The best k stored windows for each valid window of the query, over all segments.

        Order and ties are those of `Hits`; a flat segment is exact, a graph finds most. Keep
        k generous and let `min_similarity` decide: a window of a pair that k cuts off, because
        other refs hold many similar windows, is lost evidence, and then the result of a pair
        depends on which other refs are indexed. Raises `IndexMismatch` if the query comes
        from another fingerprinter.
        """
        self.check(query)
        windows = searchable(query)
        parts = [
            self._search(query, windows[start : start + QUERIES_AT_ONCE], k, min_similarity)
            for start in range(0, len(windows), QUERIES_AT_ONCE)
        ]
        columns = [_join(list(column)) for column in zip(*parts, strict=True)]
        return Hits(self.media_ids, *(columns or _no_hits()))

    def _search(
        self, query: Fingerprint, windows: Int64, k: int, min_similarity: float
    ) -> _Columns:
        """(query, ref, start, score) of some windows of the query, cut to k per window."""
        queries = query.descriptors[windows]
        best = _no_hits()
        for segment in self._segments:
            found = segment.nearest(queries, k=k, min_similarity=min_similarity)
            if len(found.query):
                ref = segment.ordinals[segment.data.media[found.row]]
                new = (found.query, ref, segment.data.starts[found.row], found.score)
                best = _cut([_join(pair) for pair in zip(best, new, strict=True)], k)
        return windows[best[0]], *best[1:]

    def check(self, query: Fingerprint) -> None:
        """Raises `IndexMismatch` if the query is not of the vectors that are searched."""
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


def _no_hits() -> _Columns:
    ints, floats = np.empty(0, np.int64), np.empty(0, np.float64)
    return ints, ints, floats, floats.astype(np.float32)


def _join(parts: Sequence[Any]) -> Any:
    return np.concatenate(parts)


def _cut(columns: Sequence[Any], k: int) -> _Columns:
    """The best k per query in the order of `Hits`."""
    query, ref, start, score = columns
    order = np.lexsort((start, ref, -score, query))
    order = order[rank_in_query(query[order]) < k]
    return query[order], ref[order], start[order], score[order]


def _open_segment(
    data: SegmentData,
    graph: Graph | None,
    ordinal: dict[str, int],
    alive: list[bool],
    config: IndexConfig,
) -> OpenSegment:
    return OpenSegment(
        data=data,
        ordinals=np.array([ordinal.get(e.media_id, -1) for e in data.entries], np.int64),
        alive=None if all(alive) else np.array(alive, np.bool_)[data.media],
        graph=graph,
        device=config.device,
        back_neighbours=config.back_neighbours,
    )


def _open_graph(
    store: ObjectStore,
    ref: SegmentRef,
    dims: int,
    cache_dir: Path,
    config: IndexConfig,
    graphs: int,
) -> Graph | None:
    if not ref.graph_key or config.device != "cpu":
        return None
    # An index of flat segments must not pay for loading USearch.
    from avm_core.index.graph import Graph

    path = fetch(
        store, ref.graph_key, sha256=ref.graph_sha256, size=ref.graph_bytes, cache_dir=cache_dir
    )
    depth = config.search_depth(ref.windows, graphs)
    return Graph(path, rows=ref.windows, dims=dims, depth=depth)


def _graph_nearest(
    segment: OpenSegment, graph: Graph, queries: Int8, k: int, min_similarity: float
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
