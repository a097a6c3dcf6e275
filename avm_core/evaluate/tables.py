"""Results of several systems as Markdown tables, which no hand needs to touch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from avm_core.errors import BadSettings

# Metric, its heading, and digits after the point.
_COLUMNS = (
    ("final", "final", 3),
    ("f1", "F1", 3),
    ("iou", "IoU", 3),
    ("vcsl_f1", "VCSL F1", 3),
    ("micro_ap", "µAP", 3),
    ("found", "found", 3),
    ("match_ratio", "match ratio", 2),
    ("boundary_median_s", "boundary median s", 2),
    ("boundary_p90_s", "boundary p90 s", 2),
    ("speed_error_median", "speed error", 4),
    ("fp_per_clean_hour", "FP per clean h", 2),
)
METRICS = tuple(name for name, _, _ in _COLUMNS)


def to_markdown(
    results: Mapping[str, dict[str, Any]],
    *,
    metrics: Sequence[str] = METRICS,
    per_edit: str = "final",
) -> str:
    """A table of the overall `metrics` with 95 % intervals, then one of `per_edit` per edit
    (left out where no edit has anything planted).

    `results` maps a system to a result of `score_by_edit`, or to {"missing": reason}. Raises
    `BadSettings` for a metric that is not one of `METRICS`.
    """
    tables = [overall_table(results, metrics)]
    if planted_edits(results):
        tables.append(edits_table(results, per_edit))
    return "\n\n".join(tables) + f"\n{_missing(results)}"


def overall_table(results: Mapping[str, dict[str, Any]], metrics: Sequence[str] = METRICS) -> str:
    """One row per system."""
    columns = [_column(metric) for metric in metrics]
    rows = []
    for name, result in results.items():
        if "missing" in result:
            rows.append([name, *["missing"] * len(columns)])
        else:
            rows.append([name, *(_cell(result["overall"], m, d) for m, _, d in columns)])
    return _table(["system", *(heading for _, heading, _ in columns)], rows)


def planted_edits(results: Mapping[str, dict[str, Any]]) -> list[str]:
    """Edits with something planted in their uploads, in order of appearance."""
    return list(
        dict.fromkeys(
            edit
            for result in results.values()
            for edit, scores in result.get("edits", {}).items()
            if scores["truth_segments"]
        )
    )


def edits_table(results: Mapping[str, dict[str, Any]], metric: str = "final") -> str:
    """One row per edit with something planted, one column per system."""
    digits = _column(metric)[2]
    rows = [
        [f"`{edit}`", *(_edit_cell(result, edit, metric, digits) for result in results.values())]
        for edit in planted_edits(results)
    ]
    return _table([f"edit ({metric})", *results], rows)


def _column(metric: str) -> tuple[str, str, int]:
    for column in _COLUMNS:
        if column[0] == metric:
            return column
    raise BadSettings(f"no column for metric {metric!r}: use {', '.join(METRICS)}")


def _edit_cell(result: dict[str, Any], edit: str, metric: str, digits: int) -> str:
    if "missing" in result:
        return "missing"
    scores = result["edits"].get(edit)
    return _number(scores[metric], digits) if scores and scores["truth_segments"] else "–"


def _cell(scores: dict[str, Any], metric: str, digits: int) -> str:
    text = _number(scores[metric], digits)
    interval = scores.get("intervals", {}).get(metric)
    if interval is None:
        return text
    return f"{text} [{_number(interval[0], digits)}, {_number(interval[1], digits)}]"


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _table(header: list[str], rows: list[list[str]]) -> str:
    # A system named after a file may have a bar in its name, which would end the cell.
    header, *rows = ([cell.replace("|", "\\|") for cell in line] for line in (header, *rows))
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |"
        for line in lines
    )


def _missing(results: Mapping[str, dict[str, Any]]) -> str:
    lines = [
        f"- {name}: missing, {result['missing']}"
        for name, result in results.items()
        if "missing" in result
    ]
    return "\n" + "\n".join(lines) + "\n" if lines else ""
