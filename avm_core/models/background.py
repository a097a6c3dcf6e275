"""Descriptors of pictures that nobody looks for: what a similarity must beat.

Score normalisation of the Video Similarity Challenge (Pizzi et al. 2023): a query that resembles
the background resembles much, so its similarity to the nearest of the background is taken off.
Written into one more dimension, that still is an inner product.
"""

from __future__ import annotations

import numpy as np

from avm_core.types import Float32, Int8

_BLOCK = 4_096  # queries at once


class Background:
    """`stored` int8 [M, D]: each row a unit vector scaled so that its largest magnitude is 127."""

    def __init__(self, stored: Int8) -> None:
        self.stored = stored
        self._unit = unit(stored.astype(np.float32))

    @classmethod
    def of(cls, vectors: Float32) -> Background:
        """From vectors [M, D] of any length."""
        largest = np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-12)
        return cls(np.rint(vectors / largest * 127).astype(np.int8))

    def __len__(self) -> int:
        return len(self.stored)

    def nearest(self, vectors: Float32) -> Float32:
        """Cosine float32 [n] of each unit vector [n, D] with the nearest of the background; 0
        where there is no background."""
        if len(self) == 0:
            return np.zeros(len(vectors), dtype=np.float32)
        parts = [
            (vectors[first : first + _BLOCK] @ self._unit.T).max(axis=1)
            for first in range(0, len(vectors), _BLOCK)
        ]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)


def normalised_queries(vectors: Float32, nearest: Float32, beta: float = 1.2) -> Float32:
    """[n, D + 1]: its inner product with `normalised_references` is the cosine less `beta` times
    `nearest` [n]; no longer of unit length."""
    return np.concatenate([vectors, -beta * nearest[:, None]], axis=1).astype(np.float32)


def normalised_references(vectors: Float32) -> Float32:
    """[n, D + 1]; see `normalised_queries`."""
    return np.concatenate([vectors, np.ones((len(vectors), 1))], axis=1).astype(np.float32)


def unit(vectors: Float32) -> Float32:
    """Rows [n, D] with unit norm; a zero row stays zero."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
