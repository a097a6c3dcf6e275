"""Is a match's score a probability? The logistic of `match/score.py`, fitted and judged on a set.

Platt scaling (Platt, "Probabilistic Outputs for Support Vector Machines", 1999) over the evidence
of both modalities and the length, with a small ridge: a set has few false matches.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from avm_core.benchmark.rivals.avm import AvmSearcher, AvmSystem
from avm_core.benchmark.rivals.base import Printed
from avm_core.evaluate.spans import pair_of
from avm_core.evaluate.truth import TruthSegment
from avm_core.match.score import features, probability
from avm_core.types import Bool, Float64, Match, Modality

# Of the squared weights: 1 false match that is sure does not turn a slope around.
_RIDGE = 0.01
_EDGES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.97, 1.0)


class UnfilteredSystem(AvmSystem):
    """AVM with every match that it can align, whatever its score. What titles share is found as
    ever."""

    def index(self, licensed: Sequence[Printed]) -> AvmSearcher:
        searcher = super().index(licensed)
        searcher.config = searcher.config.model_copy(update={"min_score": 0.0})
        return searcher


def judge_scores(matches: Sequence[Match], truth: Iterable[TruthSegment]) -> dict[str, Any]:
    """Reliability of the scores of `matches`, found with the lowest score 0, and what a fit to
    them would give.

    True is a match of a title that the upload shows: where in it, among repeats, is not what a
    score tells. Returns counts, `now` and `fitted` with their Brier score, log loss and
    reliability by bins of the score, and the `weights` of the fit.
    """
    shown = {pair_of(segment) for segment in truth}
    true = np.array([pair_of(match) in shown for match in matches], np.bool_)
    rows = np.array([_features(match) for match in matches], np.float64).reshape(len(matches), -1)
    weights = fit_logistic(rows, true)
    return {
        "matches": len(matches),
        "false": int((~true).sum()),
        "now": _reliability(np.array([match.score for match in matches]), true),
        "fitted": _reliability(probability(rows, weights), true),
        "weights": [round(float(weight), 3) for weight in weights],
    }


def _features(match: Match) -> Float64:
    scores: dict[Modality, float] = {"audio": match.audio_score, "video": match.video_score}
    return features(scores, match.ugc_end - match.ugc_start)


def fit_logistic(rows: Float64, true: Bool) -> Float64:
    """Weights, bias first, of P(true | row [n, d]): ridge logistic regression by Newton's steps."""
    design = np.hstack([np.ones((len(rows), 1)), rows])
    ridge = np.diag([0.0, *[_RIDGE] * rows.shape[1]])
    weights = np.zeros(design.shape[1])
    for _ in range(50):
        guess = probability(rows, weights)
        slope = design.T @ (guess - true) + ridge @ weights
        bend = (design * (guess * (1.0 - guess))[:, None]).T @ design + ridge
        step = np.linalg.solve(bend + 1e-9 * np.eye(len(bend)), slope)
        weights -= step
        if np.abs(step).max() < 1e-8:
            break
    return weights


def _reliability(scores: Float64, true: Bool) -> dict[str, Any]:
    guess = np.clip(scores, 1e-6, 1.0 - 1e-6)
    loss = -np.where(true, np.log(guess), np.log(1.0 - guess))
    which = np.clip(np.digitize(scores, _EDGES) - 1, 0, len(_EDGES) - 2)
    return {
        "brier": float(np.mean((scores - true) ** 2)),
        "log_loss": float(np.mean(loss)),
        "bins": {
            f"{_EDGES[bin_]}-{_EDGES[bin_ + 1]}": {
                "count": int(inside.sum()),
                "mean_score": float(scores[inside].mean()),
                "true": float(true[inside].mean()),
            }
            for bin_ in range(len(_EDGES) - 1)
            if (inside := which == bin_).any()
        },
    }
