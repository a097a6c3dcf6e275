"""Exact cosine search on a GPU (or any torch device), for scans that the CPU is too slow for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from avm_core.index import scan
from avm_core.index.scan import Neighbours, concat, cut, empty_neighbours, pair_scores
from avm_core.types import Bool, Int8, Int64

if TYPE_CHECKING:
    import torch

ROWS_PER_BLOCK = 1 << 18
QUERIES_PER_BLOCK = 1024
# Cosines by the device may differ from those by numpy in the last bits; so much below the limit
# and below the k-th place is kept until numpy has scored it.
_SLACK = 1e-5
_SPARE = 16


def nearest(
    queries: Int8,
    rows: Int8,
    *,
    k: int,
    min_similarity: float,
    alive: Bool | None = None,
    device: str = "cuda",
) -> Neighbours:
    """Same contract and same result as `scan.nearest`.

    The device chooses k + 16 rows per query, numpy scores and cuts them, so scores are the same
    bits; queries with more equals than that at the k-th place are scanned by numpy. Rows go to
    the device block by block, once for all queries; device memory is about 1.3 GB for blocks of
    2**18 rows and 1024 queries.
    """
    import torch

    count = min(k + _SPARE, len(rows))
    if not len(queries) or not count:
        return empty_neighbours()
    with torch.inference_mode():
        blocks = [
            _Block(start, queries[start : start + QUERIES_PER_BLOCK], count, device)
            for start in range(0, len(queries), QUERIES_PER_BLOCK)
        ]
        for start in range(0, len(rows), ROWS_PER_BLOCK):
            span = slice(start, start + ROWS_PER_BLOCK)
            part = _unit(rows[span], device)
            dead = None if alive is None else torch.from_numpy(~alive[span]).to(device)
            for block in blocks:
                block.look_at(start, part, dead)
        found = concat([block.result(queries, rows, k, min_similarity) for block in blocks])
        tied = np.concatenate([b.undecided(k, min_similarity, len(rows)) for b in blocks])
    if not len(tied):
        return found
    rest = scan.nearest(queries[tied], rows, k=k, min_similarity=min_similarity, alive=alive)
    settled = ~np.isin(found.query, tied)
    kept = Neighbours(found.query[settled], found.row[settled], found.score[settled])
    return cut(concat([kept, rest._replace(query=tied[rest.query])]), k)


def nearest_on(
    device: str,
    queries: Int8,
    rows: Int8,
    *,
    k: int,
    min_similarity: float,
    alive: Bool | None = None,
) -> Neighbours:
    """The exact scan by numpy on "cpu", which must not pay for loading torch, else by torch."""
    if device == "cpu":
        return scan.nearest(queries, rows, k=k, min_similarity=min_similarity, alive=alive)
    return nearest(queries, rows, k=k, min_similarity=min_similarity, alive=alive, device=device)


def _unit(rows: Int8, device: str) -> torch.Tensor:
    """Unit rows float32 [N, D] on the device. Copied: a memory map is read-only."""
    import torch

    part = torch.from_numpy(np.array(rows)).to(device).to(torch.float32)
    return part / part.norm(dim=1, keepdim=True).clamp_min(1.0)


class _Block:
    """Some queries and the best rows seen so far, on the device."""

    def __init__(self, first: int, queries: Int8, count: int, device: str) -> None:
        import torch

        self._first = first
        self._count = count
        self._queries = _unit(queries, device)
        shape = (len(queries), count)
        self._score = torch.full(shape, -torch.inf, device=device)
        self._row = torch.full(shape, -1, dtype=torch.int64, device=device)

    def look_at(self, first_row: int, rows: torch.Tensor, dead: torch.Tensor | None) -> None:
        import torch

        scores = self._queries @ rows.T
        if dead is not None:
            scores[:, dead] = -torch.inf
        best = scores.topk(min(self._count, scores.shape[1]), dim=1)
        score = torch.cat([self._score, best.values], dim=1)
        row = torch.cat([self._row, best.indices + first_row], dim=1)
        kept = score.topk(self._count, dim=1)
        self._score, self._row = kept.values, row.gather(1, kept.indices)

    def result(self, queries: Int8, rows: Int8, k: int, min_similarity: float) -> Neighbours:
        """What numpy makes of the rows that the device chose."""
        score: Any = self._score.cpu().numpy()
        row: Any = self._row.cpu().numpy()
        place, column = np.nonzero(np.isfinite(score) & (score >= min_similarity - _SLACK))
        query, found = place + self._first, row[place, column]
        exact = pair_scores(queries, rows, query, found)
        good = exact >= np.float32(min_similarity)
        return cut(Neighbours(query[good], found[good], exact[good]), k)

    def undecided(self, k: int, min_similarity: float, rows: int) -> Int64:
        """Queries with more equals at the k-th place than were kept: an exact tie-break needs
        all of them."""
        score: Any = self._score.cpu().numpy()
        if self._count >= rows:
            return np.empty(0, np.int64)
        last = score[:, -1]
        tied = (last >= min_similarity - _SLACK) & (last >= score[:, k - 1] - 2 * _SLACK)
        return np.flatnonzero(tied & np.isfinite(last)) + self._first
