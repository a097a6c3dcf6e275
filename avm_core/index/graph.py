"""The one place that touches USearch: build, open and search an HNSW graph of int8 rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from usearch.compiled import MetricKind, ScalarKind
from usearch.index import Index

from avm_core.config import IndexConfig
from avm_core.errors import ChecksumMismatch
from avm_core.types import Int8, Int64


def build_graph(vectors: Int8, config: IndexConfig) -> bytes:
    """Serialised graph of [N, D] int8 rows under cosine; the key of a row is its number.

    One thread on purpose: the same rows give the same bytes, and every row stays reachable
    (threads that insert at once left up to 0.3 % of the rows without a path to them).
    """
    graph = Index(
        ndim=vectors.shape[1],
        metric=MetricKind.Cos,
        dtype=ScalarKind.I8,
        connectivity=config.connectivity,
        expansion_add=config.expansion_add,
        expansion_search=config.search_depth(len(vectors)),
    )
    keys = np.arange(len(vectors), dtype=np.uint64)
    graph.add(keys, np.ascontiguousarray(vectors), dtype=ScalarKind.I8, threads=1)
    data: Any = graph.save()
    return bytes(data)


class Graph:
    """A graph file, memory-mapped and read-only."""

    def __init__(self, path: Path, *, rows: int, dims: int, depth: int) -> None:
        """`depth` as `IndexConfig.search_depth` gives it. Raises `ChecksumMismatch` if the file is
        not a graph of `rows` int8 rows of `dims`."""
        self._rows = rows
        self._graph = _restore(path, depth)
        found = (len(self._graph), self._graph.ndim, self._graph.dtype, self._graph.metric_kind)
        if found != (rows, dims, ScalarKind.I8, MetricKind.Cos):
            raise ChecksumMismatch(
                f"graph {path.name} holds (rows, dims, dtype, metric) {found}, its segment says "
                f"({rows}, {dims}, i8, cos): compact the index to build it again"
            )

    def search(self, queries: Int8, count: int) -> Int64:
        """Row numbers [Q, count], nearest first, padded with -1 where the graph gave fewer."""
        rows = np.full((len(queries), count), -1, np.int64)
        if not len(queries):
            return rows
        # A lone query comes back as another type, so it is sent twice.
        batch = np.ascontiguousarray(queries if len(queries) > 1 else queries[[0, 0]])
        found = self._graph.search(batch, min(count, self._rows), dtype=ScalarKind.I8)
        # Beyond `counts` USearch leaves garbage keys.
        for place, (keys, length) in enumerate(zip(found.keys, found.counts, strict=True)):
            if place < len(queries):
                rows[place, :length] = keys[:length].astype(np.int64)
        return rows


def _restore(path: Path, depth: int) -> Any:
    try:
        # Without the argument, restoring falls back to the library's search depth.
        graph = Index.restore(path, view=True, expansion_search=depth)
    except (RuntimeError, ValueError) as error:
        raise ChecksumMismatch(
            f"graph {path.name} cannot be read ({error}): delete it from the cache folder; "
            f"if that does not help, compact the index"
        ) from error
    if graph is None:
        raise ChecksumMismatch(f"graph {path.name} is not there: open the snapshot again")
    return graph
