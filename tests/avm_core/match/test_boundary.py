"""The cut is where the climb of similarity fits best."""

import numpy as np
import pytest

from avm_core.match.boundary import find_cut
from avm_core.match.calibration import CLIMB_AT, calibration
from avm_core.match.evidence import Track
from avm_core.types import FingerprinterId

CLIMB = calibration(FingerprinterId("audio_logmel.dct", "")).climb

INSIDE, OUTSIDE = 0.85, 0.05


def track(modality="audio", window=4.0, step=0.25):
    """Only its usual bar, window and climb matter here."""
    none = np.empty((0, 4), np.float32)
    bar, blank = np.array([0.5], np.float32), (np.empty((0, 2)), np.empty((0, 2)))
    times = np.empty(0), np.empty(0)
    return Track(modality, *times, none, none, bar, bar, 0.5, step, window, CLIMB, blank)


def climb(times, cut, window=4.0):
    """What real windows show around a cut, before anything is added."""
    if window == 0:
        return np.where(times >= cut, INSIDE, OUTSIDE)
    shape = np.interp((times - cut) / (window / 2), CLIMB_AT, CLIMB, left=0.0)
    return OUTSIDE + (INSIDE - OUTSIDE) * shape


AUDIO = np.arange(2.0, 58.0, 0.25)
VIDEO = np.arange(0.5, 60.0, 1.0)


@pytest.mark.parametrize("cut", [20.0, 20.13, 23.7])
@pytest.mark.parametrize("off", [-2.0, 0.4, 1.8])
def test_the_cut_of_an_ideal_climb_is_found(cut, off):
    found = find_cut(AUDIO, climb(AUDIO, cut), cut + off, 30.0, track())
    assert found == pytest.approx(cut, abs=0.1)


def test_noise_moves_the_cut_little():
    errors = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        noisy = climb(AUDIO, 20.0) + rng.normal(0, 0.05, len(AUDIO))
        errors.append(find_cut(AUDIO, noisy, 20.8, 30.0, track()) - 20.0)
    assert abs(np.mean(errors)) < 0.3
    assert np.abs(errors).max() < 1.0


def test_an_end_is_a_mirrored_start():
    for end in (30.0, 41.4):
        falling = climb(-AUDIO[::-1], -end)
        found = find_cut(-AUDIO[::-1], falling, -(end - 0.9), 25.0, track())
        assert -found == pytest.approx(end, abs=0.1)


@pytest.mark.parametrize("cut", [20.0, 21.3, 25.9])
def test_pictures_cut_between_the_last_foreign_and_the_first_own(cut):
    found = find_cut(VIDEO, climb(VIDEO, cut, 0), cut + 0.7, 20.0, track("video", 0.0, 1.0))
    first = min(time for time in VIDEO if time >= cut)
    assert first - 1 <= found <= first


def test_a_copy_from_the_first_window_on_starts_as_early_as_it_may():
    for times, kind in ((AUDIO, track()), (VIDEO, track("video", 0.0, 1.0))):
        rough = float(times[0])
        found = find_cut(times, np.full(len(times), INSIDE), rough, 40.0, kind)
        assert found == rough - 3.0


def test_a_modality_that_does_not_carry_the_copy_says_nothing():
    low = np.full(len(AUDIO), 0.3)
    assert find_cut(AUDIO, low, 20.0, 30.0, track()) is None
    assert find_cut(AUDIO, np.full(len(AUDIO), np.nan), 20.0, 30.0, track()) is None
    lone = np.where(np.abs(AUDIO - 20.5) < 0.2, 0.9, np.nan)
    assert find_cut(AUDIO, lone, 20.0, 30.0, track()) is None


def test_unknown_windows_are_skipped():
    similarity = climb(AUDIO, 20.0)
    for seed in (1, 2):
        holes = np.random.default_rng(seed).random(len(AUDIO)) < 0.3
        found = find_cut(AUDIO, np.where(holes, np.nan, similarity), 20.5, 30.0, track())
        assert found == pytest.approx(20.0, abs=0.15)
