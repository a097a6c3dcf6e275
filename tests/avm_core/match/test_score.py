"""Scores grow with evidence, with length and with a second modality, inside [0, 1]."""

import numpy as np
import pytest

from avm_core.config import MatchConfig
from avm_core.match.score import calibrate, modality_scores
from avm_core.match.version import matcher_version

NAN = np.nan


def test_more_evidence_scores_higher():
    for length in (15.0, 60.0, 3600.0):
        scores = [calibrate({"audio": e}, length) for e in (0.0, 0.02, 0.1, 0.2, 0.4)]
        assert scores == sorted(scores)
        assert len(set(scores)) == len(scores)
        assert scores[0] == 0.0
        assert scores[-1] <= 1.0


def test_a_longer_match_scores_higher():
    for evidence in (0.03, 0.08):
        scores = [calibrate({"video": evidence}, length) for length in (5, 15, 60, 600)]
        assert scores == sorted(scores)
        assert len(set(scores)) == 4


def test_a_second_modality_adds():
    for one in (0.05, 0.1):
        assert calibrate({"audio": one, "video": 0.05}, 20.0) > calibrate({"audio": one}, 20.0)
        assert calibrate({"audio": one, "video": 0.0}, 20.0) == calibrate({"audio": one}, 20.0)
    assert calibrate({}, 20.0) == 0.0


def test_the_score_of_a_modality_is_its_mean_evidence():
    signal = np.array([9.0, 0.1, 0.2, 0.3, 9.0])
    assert modality_scores({"audio": signal}, 1, 4) == {"audio": pytest.approx(0.2)}
    assert modality_scores({"audio": signal, "video": -signal}, 0, 5)["video"] == 0.0


@pytest.mark.parametrize(
    "signal",
    [
        [NAN] * 10,
        [-0.2] * 7 + [0.3] * 3,  # supports too little of it
        [NAN] * 7 + [0.3] * 3,  # known in too little of it
        [-5.0] * 5 + [0.05] * 5,  # contradicts more than it supports
    ],
)
def test_a_modality_without_support_scores_nothing(signal):
    other = np.full(10, 0.2)
    found = modality_scores({"audio": np.array(signal), "video": other}, 0, 10)
    assert found == {"audio": 0.0, "video": pytest.approx(0.2)}


def test_the_version_changes_with_every_setting():
    versions = {matcher_version(MatchConfig())}
    for field, value in (("min_duration", 10.0), ("max_gap", 5.0), ("min_score", 0.6), ("k", 20)):
        versions.add(matcher_version(MatchConfig(**{field: value})))
    assert len(versions) == 5
    assert matcher_version(MatchConfig()) == matcher_version(MatchConfig())
