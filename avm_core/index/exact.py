"""Brute-force search over fingerprints in memory: the oracle that the index is tested with."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from avm_core.errors import IndexMismatch
from avm_core.index.scan import cosine, inverse_norms
from avm_core.index.segment import searchable
from avm_core.types import Fingerprint, Hits


class ExactIndex:
    """All windows of all refs against all windows of the query, without blocks or segments.

    Holds a full score matrix: for tests and for catalogues of minutes, not of days.
    """

    def __init__(self, fingerprints: Iterable[tuple[str, Fingerprint]]) -> None:
        """Raises `IndexMismatch` if the fingerprints come from different fingerprinters."""
        self._refs = sorted(fingerprints, key=lambda pair: pair[0])
        names = {str(fingerprint.fingerprinter) for _, fingerprint in self._refs}
        if len(names) > 1:
            raise IndexMismatch(f"one index cannot mix fingerprinters: {', '.join(sorted(names))}")
        self._fingerprinter = names.pop() if names else ""
        self.media_ids: tuple[str, ...] = tuple(media_id for media_id, _ in self._refs)

    def search(self, query: Fingerprint, *, k: int, min_similarity: float) -> Hits:
        """Same contract as `SnapshotReader.search`."""
        if self._refs and str(query.fingerprinter) != self._fingerprinter:
            raise IndexMismatch(
                f"query by {query.fingerprinter}, index by {self._fingerprinter}: "
                f"fingerprint the query with the index's fingerprinter"
            )
        windows = searchable(query)
        left = query.descriptors[windows].astype(np.float32)
        found: list[tuple[int, float, int, float]] = []
        for ordinal, (_, ref) in enumerate(self._refs):
            rows = searchable(ref)
            right = ref.descriptors[rows].astype(np.float32)
            dots = (left.astype(np.float64) @ right.T.astype(np.float64)).astype(np.float32)
            scores = cosine(dots, inverse_norms(left)[:, None], inverse_norms(right)[None, :])
            for i, j in zip(*np.nonzero(scores >= np.float32(min_similarity)), strict=True):
                start = float(ref.starts[rows[j]])
                found.append((int(windows[i]), -float(scores[i, j]), ordinal, start))
        found.sort()
        taken: dict[int, int] = {}
        kept = []
        for hit in found:
            taken[hit[0]] = taken.get(hit[0], 0) + 1
            if taken[hit[0]] <= k:
                kept.append(hit)
        return Hits(
            ref_ids=self.media_ids,
            query=np.array([hit[0] for hit in kept], np.int64),
            ref=np.array([hit[2] for hit in kept], np.int64),
            ref_start=np.array([hit[3] for hit in kept], np.float64),
            score=np.array([-hit[1] for hit in kept], np.float32),
        )
