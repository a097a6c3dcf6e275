"""Plots of benchmark results: one picture says which system loses which edit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

_OVERALL = ("final", "f1", "iou", "vcsl_f1", "found")


def write_plots(results: Mapping[str, dict[str, Any]], folder: Path) -> list[Path]:
    """`overall.png` (metrics with 95 % intervals) and `edits.png` (final per edit and system).

    Missing systems are left out; without any system nothing is written.
    """
    present = {name: result for name, result in results.items() if "missing" not in result}
    if not present:
        return []
    return [_overall(present, folder / "overall.png"), _edits(present, folder / "edits.png")]


def _figure(width: float, height: float) -> Any:
    # The object interface: pyplot would keep every figure open, and wants a display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _overall(results: Mapping[str, dict[str, Any]], path: Path) -> Path:
    figure = _figure(9, 0.5 + 0.45 * len(results) + 1.5)
    axes = figure.subplots()
    for place, metric in enumerate(_OVERALL):
        for row, (_, result) in enumerate(results.items()):
            value = result["overall"][metric]
            if value is None:
                continue
            interval = result["overall"]["intervals"].get(metric) or [value, value]
            spread = [[max(0.0, value - interval[0])], [max(0.0, interval[1] - value)]]
            level = row + (place - len(_OVERALL) / 2) * 0.12
            label = metric if row == 0 else None
            axes.errorbar(value, level, xerr=spread, fmt="o", color=f"C{place}", label=label)
    axes.set_yticks(range(len(results)), list(results))
    axes.set_xlim(-0.02, 1.02)
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.3)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(_OVERALL))
    figure.savefig(path, dpi=110)
    return path


def _edits(results: Mapping[str, dict[str, Any]], path: Path) -> Path:
    edits = list(
        dict.fromkeys(
            edit
            for result in results.values()
            for edit, scores in result["edits"].items()
            if scores["truth_segments"]
        )
    )
    values = np.array(
        [[_final(result, edit) for result in results.values()] for edit in edits]
    ).reshape(len(edits), len(results))
    figure = _figure(3 + 1.1 * len(results), 1.5 + 0.26 * len(edits))
    axes = figure.subplots()
    image = axes.imshow(values, vmin=0, vmax=1, cmap="RdYlGn", aspect="auto")
    for row, column in np.ndindex(values.shape):
        if np.isfinite(values[row, column]):
            axes.text(column, row, f"{values[row, column]:.2f}", ha="center", va="center", size=8)
    axes.set_xticks(range(len(results)), list(results), rotation=30, ha="right")
    axes.set_yticks(range(len(edits)), edits)
    figure.colorbar(image, label="final")
    figure.savefig(path, dpi=110)
    return path


def _final(result: dict[str, Any], edit: str) -> float:
    scores = result["edits"].get(edit)
    return float(scores["final"]) if scores and scores["truth_segments"] else float("nan")
