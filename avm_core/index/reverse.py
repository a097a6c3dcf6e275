"""Search backwards: which stored media would find a new one, had it been there when they came.

A forward search asks for the best k windows of the library for each window of an upload. Asked
the other way round, "the best k uploads for each window of a title" is another question: a
jingle in a thousand uploads would hide nine hundred of them. So each stored window keeps its own
best k windows of the title, which is what a forward search of the stored media in an index of
that title alone gives, and no upload depends on which others are stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from avm_core.index.device_scan import nearest_on
from avm_core.index.reader import MAX_GRAPH_NEIGHBOURS, OpenSegment, SnapshotReader
from avm_core.index.scan import Neighbours, concat, cut, pair_scores
from avm_core.index.segment import searchable
from avm_core.types import Fingerprint, Float32, Float64, Int8, Int64

ROWS_AT_ONCE = 65_536
_FIRST_NEIGHBOURS = 64


@dataclass(frozen=True, slots=True)
class StoredHits:
    """Hits of one stored media in a probe, as its own forward search would see them.

    `starts` float64 [N] seconds of all its searched windows, ascending; columns of equal length
    K sorted by (window, -score, probe): `window` int64 ordinal into `starts`, `probe` int64
    ordinal of a window of the probe, `score` float32 cosine. At most k rows per window.
    """

    media_id: str
    starts: Float64
    window: Int64
    probe: Int64
    score: Float32


def search_back(
    reader: SnapshotReader, probe: Fingerprint, *, k: int, min_similarity: float
) -> Iterator[StoredHits]:
    """The stored media with a window at least `min_similarity` like one of the probe.

    Exact on flat segments and on a device; a graph is asked for ever more neighbours until they
    fall below `min_similarity`, and scanned where they do not, so that it misses only what it
    cannot reach. With `IndexConfig.back_neighbours` a graph is asked once, for so many. Memory is
    bounded by k hits per stored window of one segment. Raises `IndexMismatch` if the probe comes
    from another fingerprinter.
    """
    reader.check(probe)
    windows = searchable(probe)
    queries = probe.descriptors[windows]
    for segment in reader.segments:
        found = _stored_nearest(segment, queries, k, min_similarity)
        yield from _by_media(reader, segment, found._replace(row=windows[found.row]))


def _by_media(
    reader: SnapshotReader, segment: OpenSegment, found: Neighbours
) -> Iterator[StoredHits]:
    data = segment.data
    media = data.media[found.query]
    ends = np.cumsum([entry.windows for entry in data.entries], dtype=np.int64)
    # Rows are ordered by media, and so are the hits.
    for ordinal in np.unique(media):
        span = slice(*np.searchsorted(media, [ordinal, ordinal + 1]))
        first = int(ends[ordinal]) - data.entries[ordinal].windows
        yield StoredHits(
            media_id=reader.media_ids[segment.ordinals[ordinal]],
            starts=np.array(data.starts[first : int(ends[ordinal])]),
            window=found.query[span] - first,
            probe=found.row[span],
            score=found.score[span],
        )


def _stored_nearest(
    segment: OpenSegment, queries: Int8, k: int, min_similarity: float
) -> Neighbours:
    """For each stored row (`query`) its best k of `queries` (`row`)."""
    if segment.graph is None:
        return _scan(segment, queries, k, min_similarity)
    pending = np.arange(len(queries))
    limit = min(len(segment.data.vectors), segment.back_neighbours or MAX_GRAPH_NEIGHBOURS)
    count = min(segment.back_neighbours or _FIRST_NEIGHBOURS, limit)
    parts = []
    while len(pending) and count <= limit:
        rows = segment.graph.search(queries[pending], count)
        place, column = np.nonzero(rows >= 0)
        row, query = rows[place, column], pending[place]
        # In the roles of the forward search: rounding depends on which side is the query.
        scores = pair_scores(segment.data.vectors, queries, row, query)
        # Settled: the graph ran dry, or its last neighbour is below the limit.
        full = rows[:, -1] >= 0
        last = pair_scores(queries, segment.data.vectors, pending, np.maximum(rows[:, -1], 0))
        open_end = full & (last >= min_similarity) & (count < len(segment.data.vectors))
        if segment.back_neighbours:
            open_end[:] = False
        good = (scores >= np.float32(min_similarity)) & ~open_end[place]
        parts.append(Neighbours(row[good], query[good], scores[good]))
        pending = pending[open_end]
        count *= 2
    if len(pending):
        rest = _scan(segment, queries[pending], k, min_similarity)
        parts.append(rest._replace(row=pending[rest.row]))
    return cut(_living(segment, concat(parts)), k)


def _scan(segment: OpenSegment, queries: Int8, k: int, min_similarity: float) -> Neighbours:
    vectors = segment.data.vectors
    parts = []
    for start in range(0, len(vectors), ROWS_AT_ONCE):
        stored = vectors[start : start + ROWS_AT_ONCE]
        found = nearest_on(segment.device, stored, queries, k=k, min_similarity=min_similarity)
        parts.append(_living(segment, found._replace(query=found.query + start)))
    return concat(parts)


def _living(segment: OpenSegment, found: Neighbours) -> Neighbours:
    if segment.alive is None:
        return found
    kept = segment.alive[found.query]
    return Neighbours(found.query[kept], found.row[kept], found.score[kept])
