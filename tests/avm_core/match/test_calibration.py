"""Every vector space has its own scale, and settings go first."""

import pytest

from avm_core.config import MatchConfig
from avm_core.match.calibration import CLIMB_AT, calibration, least_hit
from avm_core.types import FingerprinterId


@pytest.mark.parametrize(
    "name",
    ["audio_logmel.dct", "audio_conv.v2", "audio_new.v1", "video_gem.v1", "video_new.v1"],
)
def test_a_climb_rises_from_foreign_to_own(name):
    found = calibration(FingerprinterId(name, "0"))
    assert len(found.climb) == len(CLIMB_AT)
    assert list(found.climb) == sorted(found.climb)
    assert found.climb[0] < 0.2 < found.climb[-1] <= 1.0
    assert 0 < found.hit < 1
    assert 0 < found.floor < 1


def test_unknown_fingerprinters_take_their_modality_s():
    assert calibration(FingerprinterId("video_new.v1", "0")) != calibration(
        FingerprinterId("audio_new.v1", "0")
    )


def test_settings_decide_about_hits():
    audio = FingerprinterId("audio_logmel.dct", "0")
    video = FingerprinterId("video_lite0.imagenet", "0")
    assert least_hit(audio, MatchConfig()) == calibration(audio).hit
    assert least_hit(audio, MatchConfig(min_similarity_audio=0.0)) == 0.0
    assert least_hit(video, MatchConfig(min_similarity_audio=0.0)) == calibration(video).hit
