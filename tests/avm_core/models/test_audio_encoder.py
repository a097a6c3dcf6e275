"""The network over a stream: places in time, blocks of any size, what it must not hear."""

import numpy as np
import pytest
import torch

from avm_core.errors import BadSettings, ChecksumMismatch
from avm_core.models.audio_encoder import (
    AudioEncoder,
    EncoderConfig,
    StreamEncoder,
    load_encoder,
)
from avm_core.models.checkpoint import read_weights, write_weights
from tests.sounds import chords

TINY = EncoderConfig(mels=16, channels=(4, 4, 4), width=8, dims=12)
RATE = TINY.sample_rate


def tiny(seed=0, config=TINY):
    torch.manual_seed(seed)
    encoder = AudioEncoder(config)
    # Fresh batch norms have unit statistics; real ones do not.
    for module in encoder.modules():
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    return StreamEncoder(encoder)


def describe(stream, samples, block=None):
    size = block or max(len(samples), 1)
    parts = list(stream.describe(samples[i : i + size] for i in range(0, len(samples), size)))
    vectors = [vector for vector, _ in parts] or [np.empty((0, TINY.dims), np.float32)]
    return np.concatenate(vectors), np.concatenate([valid for _, valid in parts] or [[]])


def test_windows_are_counted_from_second_zero_and_have_unit_norm():
    vectors, valid = describe(tiny(), chords(20, RATE))
    # 160 contexts, windows of 24 every 4.
    assert vectors.shape == ((160 - 24) // 4 + 1, TINY.dims)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(vectors)), abs=1e-5)
    assert valid.all()


@pytest.mark.parametrize("block", [1_000, 7_777, 64_000])
def test_blocks_of_any_size_give_the_same_descriptors(block):
    samples = chords(70, RATE)  # longer than the network's own blocks
    whole, valid = describe(tiny(), samples)
    parts, valid_parts = describe(tiny(), samples, block)
    assert np.abs(whole - parts).max() < 1e-5
    assert (valid == valid_parts).all()


def test_a_stream_gives_results_before_it_ends():
    given = 0

    def blocks():
        nonlocal given
        for _ in range(100):
            given += 1
            yield chords(1, RATE)

    stream = tiny().describe(blocks())
    next(stream)
    # A window and what its contexts see on either side, not the whole stream.
    assert given < 12


def test_a_delay_of_one_step_moves_everything_by_one_window():
    stream = tiny()
    samples = chords(30, RATE)
    plain, _ = describe(stream, samples)
    later, _ = describe(stream, np.concatenate([np.zeros(RATE // 2, np.float32), samples]))
    inside = slice(6, 40)  # away from the silence that was put in front
    assert np.abs(plain[inside] - later[1:][inside]).max() < 1e-4


def test_loudness_does_not_matter_and_a_steady_filter_little():
    stream = tiny()
    samples = chords(20, RATE)
    plain, _ = describe(stream, samples)
    soft, _ = describe(stream, samples * np.float32(0.05))
    assert (plain * soft).sum(axis=1).min() > 0.999
    darker = np.convolve(samples, [0.25, 0.5, 0.25], mode="same").astype(np.float32)
    filtered, _ = describe(stream, darker)
    strangers, _ = describe(stream, chords(20, RATE, 2))
    alike = (plain * filtered).sum(axis=1).mean()
    assert alike > (plain * strangers).sum(axis=1).mean()


def test_pooling_takes_windows_of_any_length():
    encoder = AudioEncoder(TINY)
    contexts = torch.randn(2, TINY.width, 40)
    for length, step in ((1, 1), (8, 3), (40, 5)):
        windows = encoder.pool(contexts, length, step)
        assert windows.shape == (2, TINY.dims, (40 - length) // step + 1)
        if windows.shape[2] > 1:
            alone = encoder.pool(contexts[:, :, step : step + length], length)
            assert torch.allclose(windows[:, :, 1], alone[:, :, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (np.zeros(10 * RATE, np.float32), False),
        (np.full(10 * RATE, 1e-4, np.float32), False),
        (0.3 * np.sin(2 * np.pi * 440 * np.arange(10 * RATE) / RATE).astype(np.float32), False),
        (chords(10, RATE), True),
    ],
    ids=["silence", "offset", "tone", "music"],
)
def test_what_says_nothing_is_not_valid(samples, expected):
    _, valid = describe(tiny(), samples)
    inside = valid[2:-2]  # where a tone begins and ends, there is something to hear
    assert len(inside) > 5
    assert (inside == expected).all()


def test_broken_samples_do_not_spread():
    samples = chords(20, RATE)
    broken = samples.copy()
    broken[10 * RATE : 10 * RATE + 50] = np.nan
    broken[12 * RATE] = np.inf
    vectors, _ = describe(tiny(), broken)
    assert np.isfinite(vectors).all()
    plain, _ = describe(tiny(), samples)
    assert np.abs(vectors[:8] - plain[:8]).max() < 1e-5


def test_less_than_a_window_has_no_descriptor():
    for seconds in (0.0, 0.01, 2.9):
        vectors, valid = describe(tiny(), np.zeros(int(seconds * RATE), np.float32) + 0.01)
        assert len(vectors) == len(valid) == 0


def test_bfloat16_on_cpu_is_close():
    exact, _ = describe(tiny(), chords(20, RATE))
    encoder = tiny()._encoder
    fast, _ = describe(StreamEncoder(encoder, dtype=torch.bfloat16), chords(20, RATE))
    assert (exact * fast).sum(axis=1).min() > 0.995


# --- weights ----------------------------------------------------------------------------------


def test_weights_carry_their_preprocessing(tmp_path):
    stream = tiny(seed=5)
    path = tmp_path / "tiny.safetensors"
    digest = write_weights(path, stream._encoder.state_dict(), {"encoder": TINY.to_dict()})
    again = load_encoder(path, digest)
    assert again.config == TINY
    samples = chords(10, RATE)
    assert (
        np.abs(describe(stream, samples)[0] - describe(StreamEncoder(again), samples)[0]).max() == 0
    )
    assert write_weights(path, stream._encoder.state_dict(), {"encoder": TINY.to_dict()}) == digest


def test_other_weights_are_refused(tmp_path):
    path = tmp_path / "tiny.safetensors"
    write_weights(path, {"w": torch.ones(2)}, {"encoder": TINY.to_dict()})
    with pytest.raises(ChecksumMismatch, match="expected 000000000000"):
        read_weights(path, "0" * 64)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ChecksumMismatch, match="holds no weights of AVM"):
        read_weights(path)
    with pytest.raises(BadSettings, match="there are no weights at"):
        read_weights(tmp_path / "none.safetensors")
