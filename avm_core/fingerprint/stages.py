"""The four stages of a fingerprint by name, and how to look on while they run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Protocol, TypeVar

from avm_core.fingerprint.codec import quantise
from avm_core.types import Bool, Float32, Int8

T = TypeVar("T")
Stage = Literal["normalise", "preprocess", "context", "interval"]
STAGES: tuple[Stage, ...] = ("normalise", "preprocess", "context", "interval")


class Watch(Protocol):
    """Hands on the stream that a stage gives, unchanged. A stage is lazy and pulls its input
    from the stage before it, so that who measures must subtract the time of that one."""

    def __call__(self, stage: Stage, parts: Iterator[T], /) -> Iterator[T]: ...


def unwatched(stage: Stage, parts: Iterator[T], /) -> Iterator[T]:
    """The `Watch` of everyday work: no one looks, nothing is added."""
    del stage
    return parts


def quantised(described: Iterator[tuple[Float32, Bool]]) -> Iterator[tuple[Int8, Bool]]:
    """The end of the last stage: descriptors int8 [n, D] and validity [n], part by part."""
    for vectors, valid in described:
        yield quantise(vectors), valid
