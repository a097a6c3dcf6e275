"""Sound descriptors: the same windows from any blocks, near for copies, far for other music."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from avm_core.media.decode import decode_audio
from avm_core.models.audio import LogmelConfig, LogmelDct
from avm_core.models.device import resolve_device

MEDIA = Path(__file__).resolve().parents[3] / "local" / "media"
CONFIG = LogmelConfig()
RATE = CONFIG.sample_rate
STEP = round(CONFIG.step * RATE)
MODEL = LogmelDct(CONFIG)


def describe(samples, sizes=None):
    """All descriptors and their validity; `sizes` are the lengths of the blocks."""
    edges = np.cumsum(sizes) if sizes else []
    blocks = np.split(samples.astype(np.float32), edges)
    parts = list(MODEL.describe(blocks))
    if not parts:
        return np.empty((0, CONFIG.dims), np.float32), np.empty(0, bool)
    return np.concatenate([v for v, _ in parts]), np.concatenate([v for _, v in parts])


def similarity(left, right):
    count = min(len(left), len(right))
    return (left[:count] * right[:count]).sum(axis=1)


def tone(hertz, seconds, level=0.1):
    return level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)


def noise(seconds, *, seed=0, level=0.1):
    """Noise whose loudness moves, as that of any real sound does."""
    rng = np.random.default_rng(seed)
    samples = rng.normal(0, level, int(seconds * RATE))
    knots = rng.uniform(0.1, 1.0, int(seconds * 8) + 2)
    return samples * np.interp(np.arange(len(samples)) / RATE * 8, np.arange(len(knots)), knots)


@pytest.fixture(scope="module")
def music():
    """Thirty seconds of each of four pieces of real sound."""
    names = (
        "music/chaos_god.m4a",
        "titles/bunny_trailer.mp4",
        "titles/city_reel.mp4",
        "titles/fish_fillets_intro.mp4",
    )
    found = {}
    for name in names:
        blocks = decode_audio(MEDIA / name, sample_rate=RATE)
        found[name] = np.concatenate(list(blocks))[5 * RATE : 35 * RATE]
    return found


# --- shape ------------------------------------------------------------------------------------


def test_windows_follow_the_config():
    assert (CONFIG.window, CONFIG.step, CONFIG.dims) == (4.0, 0.25, 96)
    for seconds in (4.1, 10.0, 31.3):
        vectors, valid = describe(noise(seconds))
        assert vectors.dtype == np.float32
        assert vectors.shape == (len(valid), 96)
        assert len(valid) == pytest.approx((seconds - 4) / 0.25 + 1, abs=1)
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
        assert valid.all()


def test_too_little_sound_has_no_window():
    for seconds in (0.0, 0.01, 1.0, 3.9):
        vectors, valid = describe(noise(seconds))
        assert vectors.shape == (0, 96)
        assert len(valid) == 0


# --- streaming --------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 40_000), max_size=12))
def test_blocks_of_any_size_give_the_same_windows(sizes):
    samples = noise(9.0, seed=4)
    wanted, lively = describe(samples)
    found, valid = describe(samples, sizes)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, atol=2e-4)
    np.testing.assert_array_equal(valid, lively)


@pytest.mark.parametrize("level", [0.9, 0.003])
def test_validity_of_a_window_does_not_depend_on_its_block(level):
    rng = np.random.default_rng(8)
    # Close to the bar: its loudness moves a little.
    drone = tone(440, 12) * (1 + 0.05 * np.sin(np.arange(12 * RATE) / RATE * 5))
    samples = np.concatenate([rng.normal(0, level, 12 * RATE), drone, tone(440, 12)])
    _, wanted = describe(samples)
    for size in (RATE, 5 * RATE, 17 * RATE):
        _, valid = describe(samples, [size] * (len(samples) // size))
        np.testing.assert_array_equal(valid, wanted)


def test_one_step_of_shift_moves_the_windows_by_one():
    samples = noise(12.0, seed=2)
    wanted, _ = describe(samples)
    for steps in (1, 5):
        found, _ = describe(samples[steps * STEP :])
        # The first window of a stream sees some silence before it.
        assert similarity(found, wanted[steps:])[1:] == pytest.approx(1.0, abs=1e-4)
        assert similarity(found, wanted[steps:])[0] > 0.99


def test_memory_is_bounded_by_the_block(monkeypatch):
    seen = {"samples": [], "features": []}
    frames, pool = LogmelDct._frames, LogmelDct._pool

    def watched_frames(self, samples):
        seen["samples"].append(len(samples))
        return frames(self, samples)

    def watched_pool(self, features):
        seen["features"].append(features.shape[1])
        return pool(self, features)

    monkeypatch.setattr(LogmelDct, "_frames", watched_frames)
    monkeypatch.setattr(LogmelDct, "_pool", watched_pool)
    block = noise(1.0).astype(np.float32)
    count = sum(len(v) for v, _ in MODEL.describe(block for _ in range(60)))
    assert count == pytest.approx(56 * 4 + 1, abs=1)
    # One block and what a window of analysis overlaps.
    assert max(seen["samples"]) <= RATE + 2 * CONFIG.n_fft
    assert max(seen["features"]) <= CONFIG.window_frames + RATE // CONFIG.hop + CONFIG.step_frames
    assert np.ptp(seen["features"][5:]) <= CONFIG.step_frames


def test_a_click_shows_in_the_windows_that_cover_it():
    quiet = np.full(12 * RATE, 0.0)
    quiet += np.random.default_rng(0).normal(0, 1e-3, len(quiet))
    for second in (6.0, 7.1):
        loud = quiet.copy()
        loud[round(second * RATE) : round(second * RATE) + 200] = 0.9
        before, _ = describe(quiet)
        after, _ = describe(loud)
        touched = np.flatnonzero(similarity(before, after) < 0.98)
        starts = np.arange(len(before)) * CONFIG.step
        covering = np.flatnonzero((starts <= second) & (second < starts + CONFIG.window))
        assert abs(touched[0] - covering[0]) <= 1
        assert abs(touched[-1] - covering[-1]) <= 1
        assert len(touched) == pytest.approx(16, abs=1)


def test_sound_played_backwards_has_the_mirrored_windows():
    for seed in (1, 2):
        samples = noise(12.0, seed=seed)
        found, _ = describe(samples[::-1].copy())
        wanted, _ = describe(samples)
        # Odd temporal orders change their sign under a mirror in the middle of a window.
        mirrored = found.reshape(len(found), -1, CONFIG.time_orders).copy()
        mirrored[:, :, ::2] *= -1
        mirrored = mirrored.reshape(found.shape)
        last = round((12.0 - CONFIG.window) / CONFIG.step)
        pairs = [
            (i, last - i) for i in range(last + 1) if last - i < len(wanted) and i < len(found)
        ]
        alike = [float(mirrored[i] @ wanted[j]) for i, j in pairs]
        assert len(alike) > 25
        assert min(alike[1:-1]) > 0.998


# --- what counts as a sound -------------------------------------------------------------------


@pytest.mark.parametrize("gain", [0.05, 0.5, 4.0])
def test_loudness_does_not_matter(music, gain):
    for samples in music.values():
        wanted, valid = describe(samples[: 10 * RATE])
        found, lively = describe(samples[: 10 * RATE] * gain)
        assert similarity(found, wanted)[valid & lively].min() > 0.9999
        assert lively[valid].mean() > 0.9


def test_silence_is_not_valid():
    hiss = np.random.default_rng(1).normal(0, 1e-4, 10 * RATE)
    for samples in (np.zeros(10 * RATE), hiss):
        vectors, valid = describe(samples)
        assert len(valid) == 24 or len(valid) == 25
        assert not valid.any()
        assert np.isfinite(vectors).all()


@pytest.mark.parametrize("hertz", [200.0, 440.0, 997.3, 3001.7, 5000.1])
def test_a_steady_tone_is_not_valid(hertz):
    hiss = np.random.default_rng(1).normal(0, 1e-4, 12 * RATE)
    for samples in (tone(hertz, 12, 0.9), tone(hertz, 12, 0.01), tone(hertz, 12) + hiss):
        _, valid = describe(samples)
        # The first windows hear the tone begin.
        assert not valid[2:].any()


def test_real_sound_is_valid(music):
    for samples in music.values():
        _, valid = describe(samples)
        assert valid.mean() > 0.9


def test_silence_around_a_sound_is_dropped_and_the_sound_kept():
    samples = np.concatenate([np.zeros(10 * RATE), noise(10.0), np.zeros(10 * RATE)])
    _, valid = describe(samples)
    starts = np.arange(len(valid)) * CONFIG.step
    inside = (starts > 6.5) & (starts < 19.5)
    outside = (starts + CONFIG.window < 9.9) | (starts > 20.1)
    assert valid[inside].all()
    assert not valid[outside].any()


# --- what is near -----------------------------------------------------------------------------


def test_a_noisy_copy_is_nearer_than_other_music(music):
    described = {name: describe(samples)[0] for name, samples in music.items()}
    for name, samples in music.items():
        rng = np.random.default_rng(len(name))
        loudness = np.sqrt(np.mean(samples**2))
        medians = []
        for decibels in (20, 10, 5):
            hiss = rng.normal(0, loudness * 10 ** (-decibels / 20), len(samples))
            medians.append(np.median(similarity(describe(samples + hiss)[0], described[name])))
        others = [
            np.quantile(described[name] @ other.T, 0.99)
            for key, other in described.items()
            if key != name
        ]
        assert medians[0] > medians[1] > medians[2] > max(others)
        assert medians[0] > 0.8


def test_half_a_step_of_shift_stays_near(music):
    for samples in music.values():
        wanted, valid = describe(samples)
        found, _ = describe(samples[STEP // 2 :])
        near = similarity(found, wanted)[valid[: len(found)]]
        assert np.median(near) > 0.8


def test_equal_sound_gives_equal_bits(music):
    for samples in music.values():
        first, second = describe(samples), describe(samples)
        np.testing.assert_array_equal(first[0], second[0])
        np.testing.assert_array_equal(first[1], second[1])


# --- device -----------------------------------------------------------------------------------


def test_the_device_is_checked(monkeypatch):
    from avm_core.errors import BadSettings

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == "cpu"
    assert resolve_device("cpu") == "cpu"
    for name in ("cuda", "cuda:1"):
        with pytest.raises(BadSettings, match="no CUDA device"):
            resolve_device(name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto") == "cuda"
    assert resolve_device("cuda:1") == "cuda:1"
