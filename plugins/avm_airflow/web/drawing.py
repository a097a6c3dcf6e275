"""Places of what is drawn: the strict content policy allows no styles in the page, SVG it does."""

from __future__ import annotations

from typing import Any

from avm_core.pipeline.previews import extent

HEAT_BINS = 120
WIDTH = 1000.0  # of the time line, in units of its drawing


def shown(match: dict[str, Any]) -> dict[str, float]:
    """The stretch of both sides that the match page shows, and where the match is in it."""
    found = extent(match)
    whole = found.ugc_end - found.ugc_start
    first = (match["ugc_start"] - found.ugc_start) / whole
    last = (match["ugc_end"] - found.ugc_start) / whole
    return {
        "ugc_from": found.ugc_start,
        "ugc_to": found.ugc_end,
        "licensed_from": found.licensed_start,
        "licensed_to": found.licensed_end,
        "left": first * WIDTH,
        "right": last * WIDTH,
        "width": (last - first) * WIDTH,
    }


def heat(claims: dict[int, int]) -> list[dict[str, float]]:
    """Bars [0, 100] of how often each part was copied; the root tells many from few and one
    from none."""
    most = max(claims.values(), default=0)
    step = WIDTH / HEAT_BINS
    return [
        {
            "x": number * step,
            "width": step,
            "height": 100 * (count / most) ** 0.5,
            "claims": count,
        }
        for number, count in sorted(claims.items())
    ]
