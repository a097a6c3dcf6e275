"""How well and how fast a graph segment answers, beside the exact scan of the same vectors."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from avm_core.config import IndexConfig
from avm_core.fingerprint.codec import quantise
from avm_core.index.reader import SnapshotReader
from avm_core.index.snapshot import publish
from avm_core.storage import MemoryStore
from avm_core.types import Fingerprint, FingerprinterId

_DIMS = 96
_PER_MEDIA = 14_400  # one hour at four windows a second
_QUERIES = 500


def measure_index(windows: int) -> dict[str, Any]:
    """recall@10, queries and adds per second, and bytes per window, beside the exact scan.

    Tests hold that scan to the oracle.

    The vectors are a random walk per media, so that neighbours in time are alike as they are
    in real fingerprints; queries are stored windows with noise.
    """
    rng = np.random.default_rng(0)
    media = [
        (f"{number:032x}", _walk(rng, f"{number}", min(_PER_MEDIA, windows - first)))
        for number, first in enumerate(range(0, windows, _PER_MEDIA))
    ]
    query = _queries(rng, [value for _, value in media])
    graph = _Built(media, IndexConfig(hnsw_from=1))
    flat = _Built(media, IndexConfig(hnsw_from=windows + 1))
    found, truth = graph.search(query), flat.search(query)
    return {
        "windows": windows,
        "recall_at_10": len(found & truth) / len(truth),
        "queries_per_s": _QUERIES / graph.search_seconds,
        "exact_queries_per_s": _QUERIES / flat.search_seconds,
        "adds_per_s": windows / graph.build_seconds,
        "bytes_per_window": graph.bytes / windows,
        "exact_bytes_per_window": flat.bytes / windows,
    }


class _Built:
    """One snapshot of the vectors, with the seconds that it took to build and to search."""

    def __init__(self, media: Sequence[tuple[str, Fingerprint]], config: IndexConfig) -> None:
        self._config = config
        self._store = MemoryStore("memory://bench-index")
        start = time.perf_counter()
        self._manifest = publish(
            self._store, "bench", media[0][1].fingerprinter, media, config=config
        )
        self.build_seconds = time.perf_counter() - start
        self.search_seconds = 0.0

    @property
    def bytes(self) -> int:
        """Size of all objects of the snapshot's segments."""
        return sum(size for part in self._manifest.segments for _, _, size in part.objects())

    def search(self, query: Fingerprint) -> set[tuple[int, int, float]]:
        """(query window, media, second) of the ten nearest windows of each query window."""
        with tempfile.TemporaryDirectory(prefix="avm-bench-") as cache:
            reader = SnapshotReader.open(
                self._store, self._manifest, cache_dir=Path(cache), config=self._config
            )
            start = time.perf_counter()
            hits = reader.search(query, k=10, min_similarity=-1.0)
            self.search_seconds = time.perf_counter() - start
        return set(
            zip(hits.query.tolist(), hits.ref.tolist(), hits.ref_start.tolist(), strict=True)
        )


def _walk(rng: np.random.Generator, name: str, windows: int) -> Fingerprint:
    steps = rng.standard_normal((windows, _DIMS)).astype(np.float32)
    for row in range(1, windows):
        steps[row] = 0.85 * steps[row - 1] + 0.5 * steps[row]
    return _fingerprint(name, steps)


def _queries(rng: np.random.Generator, media: list[Fingerprint]) -> Fingerprint:
    stored = np.concatenate([value.descriptors for value in media]).astype(np.float32)
    picked = stored[rng.integers(0, len(stored), _QUERIES)]
    noise = rng.standard_normal(picked.shape).astype(np.float32)
    return _fingerprint("query", picked + 0.3 * picked.std() * noise)


def _fingerprint(name: str, vectors: np.ndarray) -> Fingerprint:
    return Fingerprint(
        content_id=name,
        fingerprinter=FingerprinterId("audio_bench.walk", "00000000"),
        descriptors=quantise(vectors),
        starts=np.arange(len(vectors), dtype=np.float64) * 0.25,
        window=4.0,
        valid=np.ones(len(vectors), dtype=np.bool_),
        duration=len(vectors) * 0.25,
    )
