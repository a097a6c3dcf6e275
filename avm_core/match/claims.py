"""Which moments of an upload the matches with one title have claimed already."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import numpy as np

from avm_core.match.blanks import within
from avm_core.types import Bool, Float64, Match


class Claims:
    """The matches of one pair, which do not overlap in the upload. Asking costs the logarithm of
    their number: an upload may have thousands."""

    def __init__(self) -> None:
        self._matches: list[Match] = []

    @property
    def matches(self) -> list[Match]:
        """All, by start in the upload."""
        return list(self._matches)

    def __len__(self) -> int:
        return len(self._matches)

    def add(self, match: Match) -> None:
        """Claim a match; it must not overlap those there are."""
        self._matches.insert(bisect_left(self._matches, match.ugc_start, key=_start), match)

    def cover(self, at: Float64) -> Bool:
        """Whether each of the seconds [n] of the upload is claimed."""
        spans = np.array([(match.ugc_start, match.ugc_end) for match in self._matches])
        return within(spans.reshape(-1, 2), at)

    def apart(self, extent: tuple[float, float], middle: float) -> tuple[float, float]:
        """`extent` without what is claimed before and after its `middle`, which no match covers."""
        after = bisect_right(self._matches, middle, key=_start)
        start, end = extent
        if after > 0:
            start = max(start, self._matches[after - 1].ugc_end)
        if after < len(self._matches):
            end = min(end, self._matches[after].ugc_start)
        return start, end


def _start(match: Match) -> float:
    return match.ugc_start
