"""Loss and scores of a training run, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def write_curves(history: Sequence[dict[str, float]], path: Path) -> None:
    """One panel per quantity of `history` over its `step`."""
    from matplotlib.figure import Figure

    if not history:
        return
    names = [name for name in history[0] if name != "step"]
    figure = Figure(figsize=(4.5 * len(names), 3), layout="constrained")
    for place, name in enumerate(names):
        axes = figure.add_subplot(1, len(names), place + 1)
        axes.plot([row["step"] for row in history], [row[name] for row in history])
        axes.set_title(name)
        axes.set_xlabel("step")
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
