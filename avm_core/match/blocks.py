"""Similarities of two long sides in blocks, so that memory does not follow their lengths."""

from __future__ import annotations

from collections.abc import Iterator

from avm_core.types import Float32

# Similarities held at a time: what a processor keeps near.
_AT_ONCE = 1 << 20


def blocks(query: Float32, ref: Float32) -> Iterator[slice]:
    """Slices of `query` [n, D] so that the similarities of each with `ref` [m, D] are few."""
    if not len(ref):
        return
    size = max(_AT_ONCE // len(ref), 16)
    for first in range(0, len(query), size):
        yield slice(first, first + size)
