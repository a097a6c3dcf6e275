"""A window passes through the network by itself: what surrounds it changes nothing."""

import numpy as np
import pytest
import torch

from avm_core.errors import BadSettings
from avm_core.models.spectra import mel_frames
from avm_core.models.window_encoder import WindowConfig, WindowEncoder, WindowStream
from tests.sounds import chords

TINY = WindowConfig(mels=16, channels=(4, 6, 8), hidden=4, dims=16)
RATE = TINY.sample_rate


def tiny(config=TINY):
    torch.manual_seed(3)
    return WindowStream(WindowEncoder(config))


def describe(stream, samples, block=None):
    size = block or max(len(samples), 1)
    parts = list(stream.describe(samples[i : i + size] for i in range(0, len(samples), size)))
    vectors = [vector for vector, _ in parts] or [np.empty((0, TINY.dims), np.float32)]
    return np.concatenate(vectors), np.concatenate([valid for _, valid in parts] or [[]])


def test_windows_of_a_second_every_half_second_have_unit_norm():
    vectors, valid = describe(tiny(), chords(20, RATE))
    assert vectors.shape == (39, TINY.dims)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(39), abs=1e-5)
    assert valid.all()
    assert (TINY.window, TINY.step) == (1.0, 0.5)
    defaults = WindowEncoder(WindowConfig())
    assert sum(p.numel() for p in defaults.parameters()) < 500_000


def test_a_window_alone_is_what_it_is_in_a_stream():
    stream, samples = tiny(), chords(90, RATE)  # longer than the network's own batches
    whole, _ = describe(stream, samples)
    mel = torch.cat(list(mel_frames([samples], stream._encoder.filters, TINY.hop)), dim=1)
    for number in (0, 1, 37, 130, len(whole) - 1):
        own = mel[None, :-1, 16 * number : 16 * number + 32]
        with torch.inference_mode():
            alone = stream._encoder.windows(own, torch.zeros(1, 1, dtype=torch.long), 8)
        assert np.abs(alone[0, 0].numpy() - whole[number]).max() < 1e-5


@pytest.mark.parametrize("block", [1_000, 7_777, 64_000])
def test_blocks_of_any_size_give_the_same_descriptors(block):
    whole, valid = describe(tiny(), chords(70, RATE))
    parts, valid_parts = describe(tiny(), chords(70, RATE), block)
    assert np.abs(whole - parts).max() < 1e-5
    assert (valid == valid_parts).all()


def test_only_the_windows_that_are_asked_for():
    encoder = tiny()._encoder
    mel = torch.rand(3, TINY.mels, 80)
    at = torch.tensor([[0, 5], [12, 0], [3, 3]])
    with torch.inference_mode():
        vectors = encoder.windows(mel, at, 8)
        assert vectors.shape == (3, 2, TINY.dims)
        one = encoder.windows(mel[1:2, :, 48:80], at[:1, :1], 8)
        assert torch.allclose(vectors[1, 0], one[0, 0], atol=1e-5)
        assert torch.allclose(vectors[2, 0], vectors[2, 1], atol=1e-6)
        with pytest.raises(BadSettings, match="windows of 8 contexts, not of 16"):
            encoder.windows(mel, at, 16)


def test_the_input_is_decibels_below_the_maximum_and_blind_to_loudness():
    encoder = tiny()._encoder
    mel = torch.full((1, TINY.mels, 32), 1e-3)
    mel[0, 3, 7], mel[0, 5, 9] = 1.0, 1e-12
    seen = encoder.normalise(mel)[0, 0]
    assert [float(seen[3, 7]), float(seen[5, 9])] == pytest.approx([1.0, -1.0])
    assert float(seen[0, 0]) == pytest.approx(1 - 30 / 40)
    assert torch.allclose(encoder.normalise(mel * 1e-4)[0, 0], seen, atol=1e-4)
    assert (encoder.normalise(torch.zeros(1, TINY.mels, 32)) == -1).all()


@pytest.mark.parametrize("level", [0.0, 1e-4])
def test_silence_is_not_valid(level):
    vectors, valid = describe(tiny(), np.full(10 * RATE, level, np.float32))
    assert len(valid) == 19
    assert not valid.any()
    assert np.isfinite(vectors).all()


def test_broken_samples_do_not_spread():
    samples = chords(20, RATE)
    plain, _ = describe(tiny(), samples)
    samples[10 * RATE : 10 * RATE + 50] = np.nan
    vectors, _ = describe(tiny(), samples)
    assert np.isfinite(vectors).all()
    away = np.r_[0:18, 22:39]
    assert np.abs(vectors - plain)[away].max() < 1e-5


def test_less_than_a_window_has_no_descriptor():
    for seconds in (0.0, 0.01, 0.95):
        vectors, valid = describe(tiny(), np.zeros(int(seconds * RATE), np.float32) + 0.01)
        assert len(vectors) == len(valid) == 0


def test_features_that_cannot_be_divided_are_refused():
    with pytest.raises(BadSettings, match="64 features cannot be divided among 24"):
        WindowEncoder(WindowConfig(mels=16, channels=(4, 6, 8), dims=24))
