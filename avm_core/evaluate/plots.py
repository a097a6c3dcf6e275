"""Plots of benchmark results: one picture says which system loses which edit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from avm_core.evaluate.tables import Results, planted_edits

_OVERALL = ("final", "f1", "iou", "vcsl_f1", "found")
# From left to right in the curves; other strengths follow in order of appearance.
_STRENGTHS = ("light", "medium", "heavy")
_CURVES_PER_ROW = 6


def write_plots(results: Results, folder: Path) -> list[Path]:
    """`overall.png` (metrics with 95 % intervals), `edits.png` (final per edit and system) and
    `strengths.png` (final over the strengths of each edit that has several).

    Missing systems are left out, and so is a picture that would show nothing.
    """
    present = {name: result for name, result in results.items() if "missing" not in result}
    written = []
    if present:
        written.append(_overall(present, folder / "overall.png"))
    if edits := planted_edits(present):
        written.append(_edits(present, edits, folder / "edits.png"))
    strengths = {edit: _strengths(present, edit) for edit in edits}
    curves = {edit: names for edit, names in strengths.items() if len(names) > 1}
    if curves:
        written.append(_curves(present, curves, folder / "strengths.png"))
    return written


def _figure(width: float, height: float) -> Any:
    # The object interface: pyplot would keep every figure open, and wants a display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Any, path: Path) -> Path:
    figure.savefig(path, dpi=110, metadata={"Software": None})
    return path


def _overall(results: Results, path: Path) -> Path:
    figure = _figure(9, 0.5 + 0.45 * len(results) + 1.5)
    axes = figure.subplots()
    for place, metric in enumerate(_OVERALL):
        points = [
            (row, float(value), result["overall"].get("intervals", {}).get(metric))
            for row, result in enumerate(results.values())
            if (value := result["overall"][metric]) is not None
        ]
        values = [value for _, value, _ in points]
        ranges = [interval or (value, value) for _, value, interval in points]
        spread = [
            [max(0.0, value - low) for value, (low, _) in zip(values, ranges, strict=True)],
            [max(0.0, high - value) for value, (_, high) in zip(values, ranges, strict=True)],
        ]
        levels = [row + (place - len(_OVERALL) / 2) * 0.12 for row, _, _ in points]
        axes.errorbar(values, levels, xerr=spread, fmt="o", color=f"C{place}", label=metric)
    axes.set_yticks(range(len(results)), list(results))
    axes.set_xlim(-0.02, 1.02)
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.3)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(_OVERALL))
    return _save(figure, path)


def _edits(results: Results, edits: Sequence[str], path: Path) -> Path:
    values = np.array(
        [[_final(result["edits"].get(edit)) for result in results.values()] for edit in edits]
    )
    figure = _figure(3 + 1.1 * len(results), 1.5 + 0.26 * len(edits))
    axes = figure.subplots()
    image = axes.imshow(values, vmin=0, vmax=1, cmap="RdYlGn", aspect="auto")
    for row, column in np.ndindex(values.shape):
        if np.isfinite(values[row, column]):
            axes.text(column, row, f"{values[row, column]:.2f}", ha="center", va="center", size=8)
    axes.set_xticks(range(len(results)), list(results), rotation=30, ha="right")
    axes.set_yticks(range(len(edits)), edits)
    figure.colorbar(image, label="final")
    return _save(figure, path)


def _strengths(results: Results, edit: str) -> list[str]:
    """The strengths of an edit at which something was planted, light before heavy."""
    planted = dict.fromkeys(
        strength
        for result in results.values()
        for strength, scores in result["strengths"].get(edit, {}).items()
        if scores["truth_segments"]
    )
    return sorted(planted, key=lambda s: _STRENGTHS.index(s) if s in _STRENGTHS else math.inf)


def _curves(results: Results, strengths: Mapping[str, list[str]], path: Path) -> Path:
    columns = min(_CURVES_PER_ROW, len(strengths))
    rows = math.ceil(len(strengths) / columns)
    figure = _figure(1.5 + 2 * columns, 1 + 1.8 * rows)
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    for axes in panels[len(strengths) :]:
        axes.set_axis_off()
    for axes, (edit, names) in zip(panels, strengths.items(), strict=False):
        for number, result in enumerate(results.values()):
            of_edit = result["strengths"].get(edit, {})
            finals = [_final(of_edit.get(name)) for name in names]
            axes.plot(finals, marker="o", markersize=3, color=f"C{number}")
        axes.set_xticks(range(len(names)), names, fontsize=7)
        axes.set_ylim(-0.05, 1.05)
        axes.set_title(edit, fontsize=9)
        axes.grid(alpha=0.3)
    figure.supylabel("final")
    figure.legend(panels[0].lines, list(results), loc="outside upper center", ncols=4, fontsize=8)
    return _save(figure, path)


def _final(scores: dict[str, Any] | None) -> float:
    """NaN, which no plot shows, where nothing was planted."""
    return float(scores["final"]) if scores and scores["truth_segments"] else float("nan")
