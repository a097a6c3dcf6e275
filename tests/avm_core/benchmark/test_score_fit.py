"""Scores against what is true: made matches of which it is known how often they are."""

from __future__ import annotations

import numpy as np
import pytest

from avm_core.benchmark.score_fit import fit_logistic, judge_scores
from avm_core.evaluate.truth import TruthSegment
from avm_core.match.score import features, probability
from avm_core.types import Match


def made(ugc: str, licensed: str, score: float, evidence: float = 0.2) -> Match:
    return Match(
        ugc_id=ugc,
        licensed_id=licensed,
        ugc_start=0.0,
        ugc_end=30.0,
        licensed_start=5.0,
        licensed_end=35.0,
        speed=1.0,
        score=score,
        modality="audio",
        audio_score=evidence,
        video_score=0.0,
    )


def planted(ugc: str, licensed: str) -> TruthSegment:
    return TruthSegment(ugc, licensed, 0.0, 30.0, 90.0, 120.0)


def test_the_weights_that_made_the_truth_are_found() -> None:
    rng = np.random.default_rng(3)
    rows = np.stack(
        [rng.uniform(0, 0.4, 80_000), rng.uniform(0, 0.4, 80_000), rng.normal(0.5, 0.5, 80_000)], 1
    )
    weights = np.array([-2.0, 12.0, 6.0, 0.8])
    true = rng.random(len(rows)) < probability(rows, weights)
    assert fit_logistic(rows, true) == pytest.approx(weights, abs=0.35)


@pytest.mark.parametrize("true", [True, False])
def test_matches_that_are_all_true_or_all_false_are_fitted_too(true: bool) -> None:
    rows = np.array([features({"audio": e}, 20.0) for e in (0.1, 0.2, 0.3)])
    guess = probability(rows, fit_logistic(rows, np.full(3, true)))
    assert np.isfinite(guess).all()
    assert ((guess > 0.5) == true).all()


def test_reliability_says_how_often_a_score_was_true() -> None:
    matches = [made(f"u{n}", "l", 0.8) for n in range(10)]
    matches += [made(f"v{n}", "l", 0.3, evidence=0.05) for n in range(4)]
    truth = [planted(f"u{n}", "l") for n in range(8)]  # the place is another: the title counts
    judged = judge_scores(matches, truth)
    assert (judged["matches"], judged["false"]) == (14, 6)
    bins = judged["now"]["bins"]
    assert bins["0.75-0.9"] == {"count": 10, "mean_score": pytest.approx(0.8), "true": 0.8}
    assert bins["0.25-0.5"] == {"count": 4, "mean_score": pytest.approx(0.3), "true": 0.0}
    assert judged["now"]["brier"] == pytest.approx((8 * 0.04 + 2 * 0.64 + 4 * 0.09) / 14)
    assert judged["fitted"]["log_loss"] < judged["now"]["log_loss"]
