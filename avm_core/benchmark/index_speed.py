"""How well and how fast a graph segment answers, beside the exact scan of the same vectors."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from avm_core.config import IndexConfig
from avm_core.fingerprint.codec import quantise
from avm_core.index.exact import ExactIndex
from avm_core.index.reader import SnapshotReader
from avm_core.index.snapshot import publish
from avm_core.storage import MemoryStore
from avm_core.types import Fingerprint, FingerprinterId

_DIMS = 96
_PER_MEDIA = 14_400  # one hour at four windows a second
_QUERIES = 500


def measure_index(windows: int) -> dict[str, Any]:
    """recall@10 against the exact oracle, queries and adds per second, bytes per window.

    The vectors are a random walk per media, so that neighbours in time are alike as they are
    in real fingerprints; queries are stored windows with noise.
    """
    rng = np.random.default_rng(0)
    media = [
        (f"{number:032x}", _walk(rng, f"{number}", min(_PER_MEDIA, windows - first)))
        for number, first in enumerate(range(0, windows, _PER_MEDIA))
    ]
    query = _queries(rng, [value for _, value in media])
    store = MemoryStore("memory://bench-index")
    config = IndexConfig(hnsw_from=1)
    start = time.perf_counter()
    manifest = publish(store, "bench", query.fingerprinter, media, config=config)
    build = time.perf_counter() - start
    with tempfile.TemporaryDirectory(prefix="avm-bench-") as cache:
        reader = SnapshotReader.open(store, manifest, cache_dir=Path(cache), config=config)
        start = time.perf_counter()
        found = reader.search(query, k=10, min_similarity=-1.0)
        spent = time.perf_counter() - start
    start = time.perf_counter()
    exact = ExactIndex(media).search(query, k=10, min_similarity=-1.0)
    scan = time.perf_counter() - start
    same = set(zip(found.query, found.ref, found.ref_start, strict=True))
    truth = set(zip(exact.query, exact.ref, exact.ref_start, strict=True))
    size = sum(n for segment in manifest.segments for _, _, n in segment.objects())
    return {
        "windows": windows,
        "recall_at_10": len(same & truth) / len(truth),
        "queries_per_s": _QUERIES / spent,
        "exact_queries_per_s": _QUERIES / scan,
        "adds_per_s": windows / build,
        "bytes_per_window": size / windows,
    }


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
