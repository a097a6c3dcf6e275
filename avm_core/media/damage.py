"""What of a sound stream is lost, and where: gathered while it is decoded, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from avm_core.types import Bool, Float32, Float64

# No sample of any sound is as large, and the square of one that is may not be a number.
_ABSURD = 1e4
_JOINED = 0.1  # seconds between spans that are kept as one


@dataclass(slots=True)
class Damage:
    """Spans of seconds that hold no sound, though they should, and what was wrong with them."""

    spans: list[tuple[float, float]] = field(default_factory=list)
    causes: dict[str, int] = field(default_factory=dict)

    def add(self, cause: str, count: int, start: float, end: float) -> None:
        """The seconds [start, end) are lost to `count` things that `cause` names in the plural."""
        self.causes[cause] = self.causes.get(cause, 0) + count
        if self.spans and 0 <= start - self.spans[-1][1] < _JOINED:
            start = self.spans.pop()[0]
        self.spans.append((start, end))

    def reason(self) -> str:
        """What is lost in a sentence; "" where nothing is."""
        if not self.causes:
            return ""
        lost = sum(end - start for start, end in self.spans)
        first, last = min(s for s, _ in self.spans), max(e for _, e in self.spans)
        causes = ", ".join(f"{count} {cause}" for cause, count in self.causes.items())
        return f"{lost:.1f} s of sound between {first:.1f} s and {last:.1f} s are lost: {causes}"

    def share(self, starts: Float64, window: float) -> Float64:
        """The share that is lost of each window [start, start + window)."""
        lost = np.zeros(len(starts))
        for start, end in self.spans:
            touched = slice(*np.searchsorted(starts, (start - window, end)))
            overlap = np.minimum(starts[touched] + window, end) - np.maximum(starts[touched], start)
            lost[touched] += np.maximum(overlap, 0.0)
        return lost / window

    def mend(self, samples: Float32, second: float, rate: int) -> Float32:
        """`samples`, of which the first is at `second`, with 0 for those that are no numbers."""
        good: Bool = np.abs(samples) < _ABSURD  # not for NaN either
        if good.all():
            return samples
        bad = np.flatnonzero(~good)
        start = second + float(bad[0]) / rate
        self.add("samples that are not numbers", len(bad), start, start + len(bad) / rate)
        return np.where(good, samples, np.float32(0))
