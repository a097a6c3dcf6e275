"""How well and how fast an index answers, beside the exact scan of the same vectors."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from avm_core.benchmark.descriptor_sets import WALK, grow, likeness, wrap
from avm_core.benchmark.memory import peak_bytes, resident_bytes
from avm_core.benchmark.timing import Seconds
from avm_core.config import IndexConfig
from avm_core.index.reader import SnapshotReader
from avm_core.index.snapshot import publish
from avm_core.index.variants import VARIANTS, run_variant
from avm_core.storage.local import LocalStore
from avm_core.types import Fingerprint, Float32, Hits

QUERIES = 500
_K = 10
_SIZES = (5_000, 15_000, 50_000, 150_000, 500_000)
_DEPTHS = (64, 128, 256, 512)
_TABLE_WINDOWS = 30_000
# Cosines that differ by less are the same window twice, as contents that were encoded twice are.
_SAME = 1e-6


def measure_index(
    prints: Sequence[Fingerprint],
    windows: int,
    *,
    table: bool = False,
    config: IndexConfig | None = None,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Recall, speed, RAM and bytes of a graph index of `windows`, beside the exact scan.

    Every tenth print is kept out of the index and asked; most are edits of contents that are
    in. The rest of the index is made by `grow`; `real_windows` says how much is not.
    `recall_at_10` counts hits that are as near as the exact tenth. With `table` also every metric
    and number format of USearch on up to 30,000 windows, and the size from which a graph is
    faster than the scan.
    """
    tell = progress or (lambda text: None)
    asked, stored = list(prints[::10]), [p for n, p in enumerate(prints) if n % 10]
    query = _query(asked)
    base = config or IndexConfig()
    found: dict[str, Any] = {"windows": windows, "real_windows": _real(stored, windows)}
    found["likeness"] = _likeness(stored, query)
    tell(f"build {windows} windows")
    with tempfile.TemporaryDirectory(prefix="avm-bench-") as folder:
        built = Built(grow(stored, windows), base.model_copy(update={"hnsw_from": 1}), folder)
        tell("search")
        found |= built.measure(query)
    if table:
        tell("metrics and number formats")
        found["table"] = measure_variants(stored, query, min(windows, _TABLE_WINDOWS), base)
        found["crossover"] = measure_crossover(stored, query, windows, base, tell)
    return found


class Built:
    """One snapshot of the vectors in a folder, published as the platform does."""

    def __init__(
        self, media: Iterable[tuple[str, Fingerprint]], config: IndexConfig, folder: str
    ) -> None:
        self._config = config
        self._folder = Path(folder)
        self._store = LocalStore(self._folder / "store")
        self.build_seconds = Seconds()
        additions = list(media)
        with self.build_seconds:
            self._manifest = publish(
                self._store, "bench", additions[0][1].fingerprinter, additions, config=config
            )
        self._peak = peak_bytes()

    def measure(self, query: Fingerprint) -> dict[str, Any]:
        """Recall at 10 and 50, queries and adds per second, bytes and RAM per window."""
        windows = self._manifest.windows
        before = resident_bytes()
        reader = self._open(self._config)
        _search(reader, query, _K)  # maps the files
        graph, graph_seconds = _search(reader, query, _K)
        resident = resident_bytes() - before
        scan = SnapshotReader(
            reader.manifest, reader.media_ids, [replace(s, graph=None) for s in reader.segments]
        )
        exact, exact_seconds = _search(scan, query, _K)
        deep, deep_exact = _search(reader, query, 50)[0], _search(scan, query, 50)[0]
        flat_bytes = sum(ref.bytes + ref.media_bytes for ref in self._manifest.segments)
        return {
            "recall_at_10": recall(graph, exact, _K),
            "recall_at_50": recall(deep, deep_exact, 50),
            "by_expansion_search": [
                self._at_depth(query, exact, deep_exact, depth) for depth in _DEPTHS
            ],
            "queries_per_s": len(query.starts) / graph_seconds.wall,
            "exact_queries_per_s": len(query.starts) / exact_seconds.wall,
            "adds_per_s": windows / self.build_seconds.wall,
            "build_s": self.build_seconds.wall,
            "queries_per_cpu_s": len(query.starts) / graph_seconds.cpu,
            "exact_queries_per_cpu_s": len(query.starts) / exact_seconds.cpu,
            "adds_per_cpu_s": windows / self.build_seconds.cpu,
            "bytes_per_window": self._manifest.size / windows,
            "exact_bytes_per_window": flat_bytes / windows,
            "ram_bytes_per_window": resident / windows,
            "build_peak_mb": self._peak / 1e6,
            "segments": len(self._manifest.segments),
        }

    def _open(self, config: IndexConfig) -> SnapshotReader:
        return SnapshotReader.open(
            self._store, self._manifest, cache_dir=self._folder / "cache", config=config
        )

    def _at_depth(
        self, query: Fingerprint, exact: Hits, deep_exact: Hits, depth: int
    ) -> dict[str, float]:
        just = {"expansion_search": depth, "expansion_growth": 1.0, "expansion_sharing": 0.0}
        reader = self._open(self._config.model_copy(update=just))
        found, seconds = _search(reader, query, _K)
        return {
            "expansion_search": depth,
            "recall_at_10": recall(found, exact, _K),
            "recall_at_50": recall(_search(reader, query, 50)[0], deep_exact, 50),
            "queries_per_cpu_s": len(query.starts) / seconds.cpu,
        }


def recall(found: Hits, exact: Hits, k: int) -> float:
    """Share of the exact k hits per query that `found` has, or has an equal of."""
    good = total = 0
    for window in np.unique(exact.query):
        truth = exact.score[exact.query == window]
        got = found.score[found.query == window]
        good += min(int(np.count_nonzero(got >= truth.min() - _SAME)), len(truth))
        total += len(truth)
    return good / total


def measure_variants(
    prints: Sequence[Fingerprint], query: Fingerprint, windows: int, config: IndexConfig
) -> dict[str, dict[str, float]]:
    """Recall against exact float32 cosine, queries and adds per CPU second, and bytes of the graph
    with its vectors per window, by metric and number format. `i8` is as USearch casts unit
    vectors: coarser than our rows, which use the whole range."""
    vectors = np.concatenate([value.unit_vectors() for _, value in grow(prints, windows)])
    queries = query.unit_vectors()
    scores = queries @ vectors.T
    kth = np.partition(scores, -_K, axis=1)[:, -_K]
    table = {}
    for name in VARIANTS:
        run = run_variant(name, vectors, queries, k=_K, config=config)
        rows = np.maximum(run.rows, 0)
        near = np.take_along_axis(scores, rows, axis=1) >= kth[:, None] - _SAME
        table[name] = {
            "recall_at_10": float((near & (run.rows >= 0)).mean()),
            "queries_per_cpu_s": len(queries) / run.search_seconds,
            "adds_per_cpu_s": windows / run.build_seconds,
            "bytes_per_window": run.bytes / windows,
        }
    return table


def measure_crossover(
    prints: Sequence[Fingerprint],
    query: Fingerprint,
    windows: int,
    config: IndexConfig,
    tell: Callable[[str], None],
) -> dict[str, Any]:
    """Queries per CPU second of graph and scan by size; the first size at which the graph is
    faster (None if none is), and how many queries pay for building it there."""
    rows, first, pays = [], None, None
    for size in (size for size in _SIZES if size <= windows):
        tell(f"crossover: {size} windows")
        with tempfile.TemporaryDirectory(prefix="avm-bench-") as folder:
            graph = config.model_copy(update={"hnsw_from": 1})
            got = Built(grow(prints, size), graph, folder).measure(query)
        row = {"windows": size} | {
            key: got[key]
            for key in ("queries_per_cpu_s", "exact_queries_per_cpu_s", "recall_at_10")
        }
        rows.append(row)
        gain = 1 / got["exact_queries_per_cpu_s"] - 1 / got["queries_per_cpu_s"]
        if first is None and gain > 0:
            first, pays = size, size / got["adds_per_cpu_s"] / gain
    return {"sizes": rows, "graph_faster_from": first, "queries_that_pay_for_the_graph": pays}


def _search(reader: SnapshotReader, query: Fingerprint, k: int) -> tuple[Hits, Seconds]:
    seconds = Seconds()
    with seconds:
        hits = reader.search(query, k=k, min_similarity=-1.0)
    return hits, seconds


def _query(asked: Sequence[Fingerprint]) -> Fingerprint:
    rows = np.concatenate([value.descriptors[value.valid] for value in asked])
    picked = np.random.default_rng(0).permutation(len(rows))[:QUERIES]
    return wrap(asked[0], "query", rows[picked])


def _real(stored: Sequence[Fingerprint], windows: int) -> int:
    if stored[0].fingerprinter == WALK:
        return 0
    return min(windows, sum(int(np.count_nonzero(value.valid)) for value in stored))


def _likeness(stored: Sequence[Fingerprint], query: Fingerprint) -> dict[str, dict[str, float]]:
    """Cosines of the queries with real windows and with made ones: whether the filling is real
    enough to stand for more of the same."""
    real = np.concatenate([value.unit_vectors()[value.valid] for value in stored])
    count = min(len(real), 20_000)
    made = [value for _, value in grow(stored, len(real) + count)][len(stored) :]
    queries = query.unit_vectors()
    return {
        "real": likeness(queries, _some(real, count)),
        "made": likeness(queries, np.concatenate([value.unit_vectors() for value in made])),
    }


def _some(rows: Float32, count: int) -> Float32:
    return rows[np.random.default_rng(1).permutation(len(rows))[:count]]
