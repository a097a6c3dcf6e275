"""Several files at once: one file decodes on one core, however many there are."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from avm_core.models.device import limit_threads

T = TypeVar("T")
R = TypeVar("R")

_TURN = threading.Lock()


def for_each(work: Callable[[T], R], items: Sequence[T], workers: int = 0) -> list[R]:
    """Results of `work` in the order of `items`, up to `workers` at a time (0: one per core).

    Threads, not processes: decoders and networks let go of the interpreter while they work, and
    the networks are loaded once. The first error stops what has not begun, and is raised.
    """
    workers = min(workers or os.cpu_count() or 1, max(len(items), 1))
    # A core belongs to a file: networks that spread over all cores would only wait for each other.
    threads = max((os.cpu_count() or 1) // workers, 1)
    with ThreadPoolExecutor(workers, initializer=limit_threads, initargs=(threads,)) as pool:
        try:
            return list(pool.map(work, items))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def in_turn(parts: Iterator[T]) -> Iterator[T]:
    """The same parts, made by one thread at a time.

    For sound: its decoder takes the interpreter and gives it back for every packet of 20 ms, and
    two threads that do so together are slower than one after the other. Networks run meanwhile.
    """
    while True:
        with _TURN:
            try:
                part = next(parts)
            except StopIteration:
                return
        yield part
