"""Several segments built at once, each on one thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Job = TypeVar("_Job")
_Made = TypeVar("_Made")


def side_by_side(
    build: Callable[[_Job], _Made], jobs: Iterable[_Job], *, threads: int
) -> list[_Made]:
    """`build(job)` of every job, in their order; the first error ends it once what runs is done.

    Threads suffice: USearch and the store let go of the interpreter. A job is taken from `jobs`
    only when a thread is about to be free, so at most `threads` + 1 of them are in memory.
    """
    made: list[_Made] = []
    running: deque[Future[_Made]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="segment") as pool:
        for job in jobs:
            if len(running) == threads:
                made.append(running.popleft().result())
            running.append(pool.submit(build, job))
        made += [future.result() for future in running]
    return made
