"""Turn the evidence inside a segment into a score in [0, 1]."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from avm_core.types import MODALITIES, Float64, Modality

# A modality supports a segment if it clears its bar in at least this share of it.
_MIN_SUPPORT = 0.35
# Weights of P(true | evidence of sound, of pictures, logarithm of the length), bias first: `all` of
# `avm bench scores --set dev`.
_WEIGHTS = np.array([-1.78, 14.05, 14.35, 0.58])
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
    """Score of a segment of `length` seconds: the probability that the upload shows the title,
    as matches of the set `dev` were true (`avm bench scores`). 0 without evidence."""
    if sum(scores.values()) <= 0:
        return 0.0
    return float(probability(features(scores, length), _WEIGHTS))


def features(scores: Mapping[Modality, float], length: float) -> Float64:
    """What the score looks at [3]: the evidence of both modalities, and the length in seconds."""
    evidence = [scores.get(modality, 0.0) for modality in MODALITIES]
    return np.array([*evidence, np.log(length / _REFERENCE_SECONDS)])


def probability(rows: Float64, weights: Float64) -> Float64:
    """Of features [..., 3] by weights [4], bias first."""
    return np.asarray(1.0 / (1.0 + np.exp(-(weights[0] + rows @ weights[1:]))))
