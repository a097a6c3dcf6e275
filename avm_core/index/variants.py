"""USearch under other metrics and number formats than ours, to measure what ours costs.

The index itself knows one form only (cosine on int8, see `graph`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from usearch.compiled import MetricKind, ScalarKind
from usearch.index import Index

from avm_core.config import IndexConfig
from avm_core.types import Float32, Int64

# i8 with the dot product is left out on purpose: USearch scales rows to unit length only for
# cosine, so its dot products of int8 rows rank by length (unum-cloud/usearch#405).
VARIANTS: dict[str, tuple[MetricKind, ScalarKind]] = {
    "cos f32": (MetricKind.Cos, ScalarKind.F32),
    "cos bf16": (MetricKind.Cos, ScalarKind.BF16),
    "cos i8": (MetricKind.Cos, ScalarKind.I8),
    "dot f32": (MetricKind.IP, ScalarKind.F32),
    "dot bf16": (MetricKind.IP, ScalarKind.BF16),
    "dot i8": (MetricKind.IP, ScalarKind.I8),
    "hamming b1": (MetricKind.Hamming, ScalarKind.B1),
}


@dataclass(frozen=True, slots=True)
class VariantRun:
    """`rows` int64 [Q, k] found, -1 where there is none; CPU seconds; bytes of the saved graph."""

    rows: Int64
    build_seconds: float
    search_seconds: float
    bytes: int


def run_variant(
    name: str, vectors: Float32, queries: Float32, *, k: int, config: IndexConfig
) -> VariantRun:
    """Build one variant over unit rows [N, D] on one thread and search unit `queries` [Q, D]
    on one thread. Raises `KeyError` for an unknown name."""
    metric, dtype = VARIANTS[name]
    index = Index(
        ndim=vectors.shape[1],
        metric=metric,
        dtype=dtype,
        connectivity=config.connectivity,
        expansion_add=config.expansion_add,
        expansion_search=config.expansion_search,
    )
    as_sent, stored = _form(vectors, dtype), _form(queries, dtype)
    sent_dtype = ScalarKind.B1 if dtype == ScalarKind.B1 else ScalarKind.F32
    start = time.process_time()
    index.add(np.arange(len(vectors), dtype=np.uint64), as_sent, dtype=sent_dtype, threads=1)
    built = time.process_time()
    found: Any = index.search(stored, k, dtype=sent_dtype, threads=1)
    searched = time.process_time()
    data: Any = index.save()
    rows = np.full((len(queries), k), -1, np.int64)
    for place, (keys, count) in enumerate(zip(found.keys, found.counts, strict=True)):
        rows[place, :count] = keys[:count].astype(np.int64)
    return VariantRun(rows, built - start, searched - built, len(data))


def _form(vectors: Float32, dtype: ScalarKind) -> Any:
    """Sign bits for b1; USearch itself casts to the others."""
    if dtype == ScalarKind.B1:
        return np.packbits(vectors > 0, axis=1)
    return np.ascontiguousarray(vectors)
