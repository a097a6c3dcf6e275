"""The order of a listing, where a server has one of its own."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

from avm_core.types import ObjectInfo


def in_key_order(infos: Iterable[ObjectInfo], prefix: str) -> Iterator[ObjectInfo]:
    """Sort a listing below `prefix` that came in the order of path parts, as SeaweedFS lists.

    That order has `a/x` before `a-b`, the order of keys has it after. Holds the objects of one
    folder directly below `prefix` at a time.
    """
    start = prefix.rfind("/") + 1
    held: list[tuple[str, ObjectInfo]] = []
    for info in infos:
        name, slash, _ = info.key[start:].partition("/")
        # No later key is smaller: their parts compare greater, beginning with this name.
        while held and held[0][0] < info.key[:start] + name:
            yield heapq.heappop(held)[1]
        if slash:
            heapq.heappush(held, (info.key, info))
        else:
            yield info
    while held:
        yield heapq.heappop(held)[1]
