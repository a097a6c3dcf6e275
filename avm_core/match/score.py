"""Turn the evidence inside a segment into a score in [0, 1]."""

from __future__ import annotations

import numpy as np

from avm_core.types import Float64, Modality

# A modality supports a segment if it clears its bar in at least this share of it.
_MIN_SUPPORT = 0.35
# Logistic on mean evidence (similarity above the bar) and length in seconds. Set by hand: 15 s
# with evidence 0.09 score one half, and true copies have 0.2 to 0.45.
_BIAS, _PER_EVIDENCE, _PER_LOG_SECOND = -2.2, 25.0, 1.2
_REFERENCE_SECONDS = 15.0


def modality_scores(
    by_modality: dict[Modality, Float64], first: int, last: int
) -> dict[Modality, float]:
    """Mean evidence of each modality over grid samples [first, last); 0 without support."""
    scores: dict[Modality, float] = {}
    for modality, signal in by_modality.items():
        inside = signal[first:last]
        known = inside[~np.isnan(inside)]
        supported = len(known) and np.mean(known > 0) >= _MIN_SUPPORT
        covered = len(known) >= _MIN_SUPPORT * len(inside)
        value = float(np.clip(known, -0.1, None).mean()) if supported and covered else 0.0
        scores[modality] = max(value, 0.0)
    return scores


def calibrate(scores: dict[Modality, float], length: float) -> float:
    """Score of a segment of `length` seconds: both modalities add up, length helps."""
    evidence = sum(scores.values())
    if evidence <= 0:
        return 0.0
    logit = (
        _BIAS
        + _PER_EVIDENCE * evidence
        + _PER_LOG_SECOND * float(np.log(length / _REFERENCE_SECONDS))
    )
    return float(1.0 / (1.0 + np.exp(-logit)))
