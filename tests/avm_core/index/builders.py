"""Fingerprints and stores for the tests of the index."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from avm_core.config import IndexConfig
from avm_core.index.reader import SnapshotReader
from avm_core.index.snapshot import current
from avm_core.storage.memory import MemoryStore
from avm_core.types import Fingerprint, FingerprinterId, Hits, Int8, ObjectInfo, ObjectStore

NAME = "licensed_audio"
AUDIO = FingerprinterId("audio_test.walk", "0123abcd")
OTHER = FingerprinterId("audio_test.walk", "4567cdef")
FLAT = IndexConfig()
# With expansions above the number of windows in these tests a graph search visits all of them,
# so its hits are those of an exact search.
HNSW = IndexConfig(hnsw_from=1, expansion_add=512, expansion_search=512)


def to_int8(vectors: np.ndarray) -> Int8:
    """Rows scaled so that the largest magnitude is 127."""
    peak = np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-9)
    return np.round(vectors / peak * 127).astype(np.int8)


def walk(seed: int, windows: int, dims: int = 32) -> np.ndarray:
    """Descriptors that drift as those of a programme do: neighbours in time are alike."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(size=(windows, dims))
    rows = np.empty((windows, dims))
    state = rng.normal(size=dims)
    for i, step in enumerate(steps):
        state = 0.8 * state + 0.6 * step
        rows[i] = state
    return rows


def make_fingerprint(
    seed: int = 0,
    *,
    windows: int = 40,
    dims: int = 32,
    fingerprinter: FingerprinterId = AUDIO,
    valid: np.ndarray | None = None,
    vectors: np.ndarray | None = None,
) -> Fingerprint:
    rows = walk(seed, windows, dims) if vectors is None else vectors
    return Fingerprint(
        content_id=f"content-{seed}",
        fingerprinter=fingerprinter,
        descriptors=to_int8(rows),
        starts=np.arange(len(rows)) * 0.5,
        window=1.0,
        valid=np.ones(len(rows), np.bool_) if valid is None else valid,
        duration=len(rows) * 0.5 + 0.5,
    )


def make_batch(count: int, first: int = 0) -> list[tuple[str, Fingerprint]]:
    """Media `m<first>`… with 20 windows or more each, all different."""
    return [(f"m{i:02d}", make_fingerprint(i, windows=20 + i)) for i in range(first, first + count)]


def noisy_copy(
    fingerprint: Fingerprint, *, seed: int, begin: int = 0, end: int | None = None
) -> Fingerprint:
    """A stretch of a fingerprint as a re-encoded upload shows it."""
    rows = fingerprint.descriptors[begin:end].astype(np.float64)
    rng = np.random.default_rng(seed)
    return make_fingerprint(seed, vectors=rows + rng.normal(scale=20.0, size=rows.shape))


def open_current(store: ObjectStore, cache_dir: Path, config: IndexConfig = FLAT) -> SnapshotReader:
    manifest = current(store, NAME)
    assert manifest is not None
    return SnapshotReader.open(store, manifest, cache_dir=cache_dir, config=config)


def assert_same_hits(found: Hits, expected: Hits) -> None:
    assert found.ref_ids == expected.ref_ids
    for column in ("query", "ref", "ref_start", "score"):
        np.testing.assert_array_equal(getattr(found, column), getattr(expected, column), column)


class ClockStore(MemoryStore):
    """A memory store whose modification times follow `now`, and which can be killed."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.now = datetime(2030, 1, 1, tzinfo=UTC)
        self.die_at = ""
        self._times: dict[str, datetime] = {}
        self._times_lock = threading.Lock()

    def put(
        self,
        key: str,
        data: bytes,
        *,
        if_match: str | None = None,
        if_absent: bool = False,
        metadata: dict[str, str] | None = None,
    ) -> str:
        if self.die_at and self.die_at in key:
            raise KeyboardInterrupt(f"killed before writing {key}")
        etag = super().put(key, data, if_match=if_match, if_absent=if_absent, metadata=metadata)
        with self._times_lock:
            self._times[key] = self.now
        return etag

    def head(self, key: str) -> ObjectInfo:
        return replace(super().head(key), modified=self._times[key])

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        for info in super().list(prefix):
            yield replace(info, modified=self._times[info.key])

    def keys(self, prefix: str = "") -> set[str]:
        return {info.key for info in self.list(prefix)}
