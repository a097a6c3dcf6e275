"""Share out work: items in turn, in groups of a bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

_Item = TypeVar("_Item")


def in_groups(
    items: Iterable[_Item],
    *,
    size: Callable[[_Item], float],
    limit: float,
    count: int | None = None,
) -> list[list[_Item]]:
    """The items in their order, in groups of at most `limit` in summed `size` and of at most
    `count` items; one that is larger than the limit is in a group of its own (but for items of
    size 0 before it). No items, no groups."""
    groups: list[list[_Item]] = []
    load = 0.0
    for item in items:
        more = size(item)
        full = count is not None and bool(groups) and len(groups[-1]) >= count
        if not groups or full or (load and load + more > limit):
            groups.append([])
            load = 0.0
        groups[-1].append(item)
        load += more
    return groups
