"""Draw a match: both media on one time line, and the evidence that carries it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from avm_core.types import Float64, Match, Modality

_COLOURS: dict[Modality, str] = {"audio": "#1f6fb4", "video": "#d9822b"}
_MATCHED, _PLANTED = "#3a9d5d", "#555555"


@dataclass(frozen=True, slots=True)
class TimelineSignals:
    """Evidence [g] per modality on `grid` [g] seconds of the upload (similarity above the bar,
    NaN where there is nothing to compare), and both durations in seconds."""

    grid: Float64
    evidence: Mapping[Modality, Float64]
    ugc_duration: float
    licensed_duration: float


def plot_timeline(
    match: Match,
    signals: TimelineSignals,
    path: Path,
    *,
    names: tuple[str, str],
    planted: Sequence[tuple[float, float]] = (),
) -> None:
    """Write a PNG: evidence over the upload above, and below it the upload and the title as
    bars with the copied stretch joined. `planted` are true (start, end) in the upload."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, height_ratios=(3, 2))
    _draw_evidence(above, match, signals, planted)
    _draw_bars(below, match, signals, names)
    figure.suptitle(
        f"{names[0]} copies {names[1]}: {match.ugc_start:.1f} to {match.ugc_end:.1f} s "
        f"(speed {match.speed:.3f}, score {match.score:.2f}, {match.modality})"
    )
    figure.savefig(path, dpi=110, metadata={"Software": None})


def _draw_evidence(
    axes: object, match: Match, signals: TimelineSignals, planted: Sequence[tuple[float, float]]
) -> None:
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes), "subplots gives Axes"
    axes.axvspan(match.ugc_start, match.ugc_end, color=_MATCHED, alpha=0.15, label="found")
    for number, (start, end) in enumerate(planted):
        label = "planted" if number == 0 else None
        axes.axvline(start, color=_PLANTED, linestyle="--", label=label)
        axes.axvline(end, color=_PLANTED, linestyle="--")
    for modality, values in signals.evidence.items():
        axes.plot(signals.grid, values, color=_COLOURS[modality], label=modality)
    axes.axhline(0.0, color="black", linewidth=0.6)
    axes.set_xlim(0, signals.ugc_duration)
    axes.set_xlabel("seconds of the upload")
    axes.set_ylabel("similarity above the bar")
    axes.legend(loc="lower right", ncols=4)


def _draw_bars(
    axes: object, match: Match, signals: TimelineSignals, names: tuple[str, str]
) -> None:
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes), "subplots gives Axes"
    axes.barh([1, 0], [signals.ugc_duration, signals.licensed_duration], height=0.3, color="#ccd")
    spans = ((1, match.ugc_start, match.ugc_end), (0, match.licensed_start, match.licensed_end))
    for row, start, end in spans:
        axes.barh(row, end - start, left=start, height=0.3, color=_MATCHED)
        axes.text(start, row + 0.2, f"{start:.2f}", fontsize=8)
        axes.text(end, row + 0.2, f"{end:.2f}", fontsize=8, ha="right")
    for upper, lower in zip(spans[0][1:], spans[1][1:], strict=True):
        axes.plot([upper, lower], [0.85, 0.15], color=_MATCHED, linewidth=1)
    axes.set_yticks([1, 0], ["upload", "title"])
    axes.set_ylim(-0.4, 1.6)
    axes.set_xlabel(f"seconds of {names[0]} (above) and {names[1]} (below)")
