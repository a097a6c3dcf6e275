"""How many segments an index has, and how much a night's compaction rewrites.

Follows from the rules of `index.compaction` alone; `avm bench year` holds it to a simulation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IndexShape:
    """An index after its nightly compaction. `rewritten` windows per night are its cost."""

    windows: float
    segments: int
    rewritten: float


def library_shape(
    first: float, daily: float, days: int, publishes: int, limit: float
) -> IndexShape:
    """The licensed index: `first` windows on the first day, `daily` more on each of `days`.

    Small segments merge every night until the result has half of `limit` and stays. So they
    settle at the first multiple of a day's windows that has.
    """
    total = first + daily * days
    settled = _pieces(first, limit) if first >= limit / 2 else 0
    if not daily:
        return IndexShape(total, max(settled, 1 if total else 0), 0.0)
    open_first = 0.0 if settled else first
    half = limit / 2
    nights = max(1, math.ceil(half / daily))
    grown, rest = divmod(days + open_first / daily, nights)
    pieces = _pieces(daily, limit) if daily >= half else 1
    # A night rewrites what is open: on average half of what will settle. The first night of a
    # run only merges the day's own publishes.
    average = daily * (nights + 1) / 2
    rewritten = 0.0 if daily / publishes >= half else average
    if publishes == 1 and nights > 1:
        rewritten -= daily / nights
    return IndexShape(total, settled + int(grown) * pieces + bool(rest), rewritten)


def uploads_shape(daily: float, days: int, publishes: int, limit: float) -> IndexShape:
    """The index of uploads of the last `days`, one partition per day."""
    each = daily / publishes
    if each >= limit / 2:
        return IndexShape(daily * days, days * publishes * _pieces(each, limit), 0.0)
    # Publishes of a day are merged in the order in which they came, up to the limit.
    merged = math.ceil(publishes / max(1, math.floor(limit / each)))
    rewritten = daily if publishes > 1 else 0.0
    return IndexShape(daily * days, days * merged, rewritten)


def _pieces(windows: float, limit: float) -> int:
    return max(1, math.ceil(windows / limit))
