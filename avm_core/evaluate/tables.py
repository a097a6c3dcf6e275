"""Results of several systems as Markdown tables, which no hand needs to touch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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

# A system's numbers by name, or {"missing": why it could not run}.
Results = Mapping[str, dict[str, Any]]


def to_markdown(
    results: Results,
    *,
    metrics: Sequence[str] = METRICS,
    per_edit: str = "final",
    at_strength: tuple[str, str] = ("f1", "medium"),
) -> str:
    """A table of the overall `metrics` with 95 % intervals, then one of `per_edit` per edit, and
    one of `at_strength` (a metric and the one strength that counts) per edit. A table that would
    have no edits is left out.

    `results` maps a system to a result of `score_by_edit`, or to {"missing": reason}. Raises
    `BadSettings` for a metric that is not one of `METRICS`.
    """
    tables = [overall_table(results, metrics)]
    for metric, strength in ((per_edit, None), at_strength):
        if planted_edits(results, strength):
            tables.append(edits_table(results, metric, strength))
    return "\n\n".join(tables) + "\n" + missing_notes(results)


def overall_table(results: Results, metrics: Sequence[str] = METRICS) -> str:
    """One row per system."""
    columns = [_column(metric) for metric in metrics]
    return systems_table(
        results,
        [heading for _, heading, _ in columns],
        lambda result: [_cell(result["overall"], metric, digits) for metric, _, digits in columns],
    )


def planted_edits(results: Results, strength: str | None = None) -> list[str]:
    """Edits with something planted in their uploads (of `strength`, if one is given), in order
    of appearance."""
    return list(
        dict.fromkeys(
            edit
            for result in results.values()
            for edit, scores in _by_edit(result, strength).items()
            if scores["truth_segments"]
        )
    )


def edits_table(results: Results, metric: str = "final", strength: str | None = None) -> str:
    """One row per edit of `planted_edits`, one column per system."""
    digits = _column(metric)[2]

    def cell(result: dict[str, Any], edit: str) -> str:
        if "missing" in result:
            return "missing"
        scores = _by_edit(result, strength).get(edit)
        return _number(scores[metric], digits) if scores and scores["truth_segments"] else "–"

    rows = [
        [f"`{edit}`", *(cell(result, edit) for result in results.values())]
        for edit in planted_edits(results, strength)
    ]
    kind = metric if strength is None else f"{metric}, {strength}"
    return markdown_table([f"edit ({kind})", *results], rows)


# --- for other reports ------------------------------------------------------------------------


def systems_table(
    results: Results, columns: Sequence[str], cells: Callable[[dict[str, Any]], Sequence[str]]
) -> str:
    """One row per system: the `cells` of its result, or "missing" in every column."""
    rows = [
        [name, *(["missing"] * len(columns) if "missing" in result else cells(result))]
        for name, result in results.items()
    ]
    return markdown_table(["system", *columns], rows)


def missing_notes(results: Results) -> str:
    """A list of the systems that could not run and why, after an empty line; "" without any."""
    lines = [
        f"- {name}: missing, {result['missing']}"
        for name, result in results.items()
        if "missing" in result
    ]
    return "\n" + "\n".join(lines) + "\n" if lines else ""


def markdown_table(header: list[str], rows: list[list[str]]) -> str:
    """A table whose columns line up in the source too; without a newline at its end."""
    # A system named after a file may have a bar in its name, which would end the cell.
    header, *rows = ([cell.replace("|", "\\|") for cell in line] for line in (header, *rows))
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |"
        for line in lines
    )


# --- cells ------------------------------------------------------------------------------------


def _by_edit(result: dict[str, Any], strength: str | None) -> dict[str, dict[str, Any]]:
    """Scores by edit, over all strengths or of one; nothing for a missing system."""
    if strength is None:
        return result.get("edits", {})
    edits = result.get("strengths", {})
    return {edit: scores[strength] for edit, scores in edits.items() if strength in scores}


def _column(metric: str) -> tuple[str, str, int]:
    for column in _COLUMNS:
        if column[0] == metric:
            return column
    raise BadSettings(f"no column for metric {metric!r}: use {', '.join(METRICS)}")


def _cell(scores: dict[str, Any], metric: str, digits: int) -> str:
    text = _number(scores[metric], digits)
    interval = scores.get("intervals", {}).get(metric)
    if interval is None:
        return text
    return f"{text} [{_number(interval[0], digits)}, {_number(interval[1], digits)}]"


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
