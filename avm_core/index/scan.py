"""Exact cosine search over int8 rows, block by block, in numpy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from avm_core.types import Bool, Float32, Int8, Int64

ROWS_PER_BLOCK = 8192
QUERIES_PER_BLOCK = 256


class Neighbours(NamedTuple):
    """Columnar search result: `query` and `row` int64 ordinals, `score` float32 cosine.

    Sorted by (query, -score, row), at most k rows per query.
    """

    query: Int64
    row: Int64
    score: Float32


def empty_neighbours() -> Neighbours:
    """A result without rows."""
    return Neighbours(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))


def concat(parts: list[Neighbours]) -> Neighbours:
    """The rows of all parts, in their order."""
    if not parts:
        return empty_neighbours()
    query, row, score = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Neighbours(query, row, score)


def inverse_norms(rows: Float32) -> Float32:
    """1 / L2 norm of every row of [N, D] integer-valued float32; a zero row gives 1."""
    squares = np.einsum("ij,ij->i", rows, rows).astype(np.float64)
    return np.asarray(1.0 / np.sqrt(np.maximum(squares, 1.0)), dtype=np.float32)


def cosine(dots: Float32, query_inverse: Float32, row_inverse: Float32) -> Float32:
    """Scale dot products of raw int8 rows to cosines, in place, with the arrays broadcast.

    The dots are integers, and below 2**24 (D <= 1040) float32 holds them exactly, so the
    score of a pair is the same bits whatever the block, the BLAS or the other rows were.
    """
    dots *= row_inverse
    dots *= query_inverse
    np.clip(dots, -1.0, 1.0, out=dots)
    return dots


def rank_in_query(query: Int64) -> Int64:
    """Place of each row among the rows of its query; `query` is ascending."""
    return np.arange(len(query)) - np.searchsorted(query, query, side="left")


def cut(found: Neighbours, k: int) -> Neighbours:
    """The best k per query; equal scores go to the lower row."""
    order = np.lexsort((found.row, -found.score, found.query))
    order = order[rank_in_query(found.query[order]) < k]
    return Neighbours(found.query[order], found.row[order], found.score[order])


def pair_scores(queries: Int8, rows: Int8, query: Int64, row: Int64) -> Float32:
    """Cosine of `queries[query[i]]` with `rows[row[i]]` for every i."""
    scores = np.empty(len(query), np.float32)
    for start in range(0, len(query), ROWS_PER_BLOCK):
        span = slice(start, start + ROWS_PER_BLOCK)
        left = queries[query[span]].astype(np.float32)
        right = rows[row[span]].astype(np.float32)
        dots = np.einsum("ij,ij->i", left, right)
        scores[span] = cosine(dots, inverse_norms(left), inverse_norms(right))
    return scores


def nearest(
    queries: Int8,
    rows: Int8,
    *,
    k: int,
    min_similarity: float,
    alive: Bool | None = None,
) -> Neighbours:
    """The best k of `rows` [N, D] for each of `queries` [Q, D] with cosine >= min_similarity.

    Rows where `alive` [N] is False are passed over before the cut. Memory is bounded by the
    block sizes, so `rows` may be a memory map larger than RAM.
    """
    blocks = [
        _QueryBlock(start, queries[start : start + QUERIES_PER_BLOCK], k, min_similarity)
        for start in range(0, len(queries), QUERIES_PER_BLOCK)
    ]
    for start in range(0, len(rows), ROWS_PER_BLOCK):
        span = slice(start, start + ROWS_PER_BLOCK)
        part = rows[span].astype(np.float32)
        inverse = inverse_norms(part)
        dead = None if alive is None else ~alive[span]
        for block in blocks:
            block.look_at(start, part, inverse, dead)
    return concat([block.result() for block in blocks])


class _QueryBlock:
    """A few queries and the best rows seen so far."""

    def __init__(self, first: int, queries: Int8, k: int, min_similarity: float) -> None:
        self._first = first
        self._queries = queries.astype(np.float32)
        self._inverse = inverse_norms(self._queries)[:, None]
        self._k = k
        self._best = empty_neighbours()
        self._floor = np.full(len(queries), min_similarity, np.float32)

    def look_at(self, first_row: int, rows: Float32, inverse: Float32, dead: Bool | None) -> None:
        scores = cosine(self._queries @ rows.T, self._inverse, inverse[None, :])
        if dead is not None:
            scores[:, dead] = -np.inf
        wanted = scores >= self._floor[:, None]
        crowded = np.flatnonzero(np.count_nonzero(wanted, axis=1) > self._k)
        if len(crowded):
            # Only ties with the k-th value are kept above k, so the sort below stays small.
            place = scores.shape[1] - self._k
            kth = np.partition(scores[crowded], place, axis=1)[:, place]
            wanted[crowded] = scores[crowded] >= kth[:, None]
        # On two axes `nonzero` takes longer than the matrix product itself.
        flat = np.flatnonzero(wanted)
        if not len(flat):
            return
        query, row = np.divmod(flat, wanted.shape[1])
        new = Neighbours(query, row + first_row, scores[query, row])
        self._best = cut(concat([self._best, new]), self._k)
        self._raise_floor()

    def _raise_floor(self) -> None:
        counts = np.bincount(self._best.query, minlength=len(self._floor))
        full = counts == self._k
        self._floor[full] = self._best.score[np.cumsum(counts)[full] - 1]

    def result(self) -> Neighbours:
        return self._best._replace(query=self._best.query + self._first)
