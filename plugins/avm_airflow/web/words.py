"""Numbers and times as people read them: filters of the templates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

NONE = "–"


def clock(seconds: float | None, *, tenths: bool = True) -> str:
    """`1:02:03.4`; sign and hours only where they are needed."""
    if seconds is None:
        return NONE
    unit = 10 if tenths else 1
    whole, fraction = divmod(round(abs(seconds) * unit), unit)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    text = f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
    return ("-" if seconds < 0 else "") + text + (f".{fraction}" if tenths else "")


def span(seconds: float | None) -> str:
    """A length: `42 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds is None:
        return NONE
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, second = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {second} s" if second else f"{minutes} min"
    hours, minute = divmod(minutes, 60)
    return f"{hours:,} h {minute} min" if minute else f"{hours:,} h"


def percent(share: float | None) -> str:
    """`37 %`; a share that is little but not nothing says so."""
    if share is None:
        return NONE
    return "< 1 %" if 0 < share < 0.01 else f"{share * 100:.0f} %"


def number(value: float | None) -> str:
    """Thousands apart."""
    return NONE if value is None else f"{value:,.0f}".replace(",", "\u202f")


def day(when: datetime | None) -> str:
    """`2026-03-01`."""
    return NONE if when is None else f"{when.astimezone(UTC):%Y-%m-%d}"


def moment(when: datetime | None) -> str:
    """`2026-03-01 12:30 UTC`."""
    return NONE if when is None else f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def pace(speed: float | None) -> str:
    """How much faster than the title an upload runs, "" for as fast."""
    if speed is None or abs(speed - 1) <= 0.005:
        return ""
    return f"{(speed - 1) * 100:+.1f} %"


FILTERS: dict[str, Any] = {
    "clock": clock,
    "span": span,
    "percent": percent,
    "number": number,
    "day": day,
    "moment": moment,
    "pace": pace,
}
