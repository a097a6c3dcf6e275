"""The task: views of one moment, negatives that are none, and a network that learns."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from avm_core.errors import BadSettings
from avm_core.models.audio_encoder import EncoderConfig
from avm_core.models.window_encoder import WindowConfig
from avm_core.train.audio import AudioTask, AudioTaskConfig, _Views
from avm_core.train.loop import LoopConfig, train
from avm_core.train.sound_edits import EditConfig
from avm_core.train.spectrum_bank import Piece, SpectrumBank, magnitudes
from tests.sounds import chords

ENCODER = EncoderConfig(mels=32, channels=(6, 8, 8), width=16, dims=16, surround_frames=33)
WINDOW = WindowConfig(mels=32, channels=(6, 8, 8), hidden=4, dims=16)
SMALL = AudioTaskConfig(pieces=6, moments=2, seconds=5.0, lengths=(8, 16), validation_batches=2)


@pytest.fixture(scope="module")
def bank():
    kinds = ("music", "music", "music", "speech", "music", "music")
    pieces = tuple(
        Piece(f"p{n}", kind, (Path(f"p{n}"),), str(n), held=n > 3) for n, kind in enumerate(kinds)
    )
    spectra = tuple(
        magnitudes(chords(40, ENCODER.sample_rate, n), ENCODER)[None] for n in range(len(pieces))
    )
    return SpectrumBank(64.0, pieces, spectra)


def make(bank, task=SMALL, edits=None, network=ENCODER):
    return AudioTask(network, task, edits or EditConfig(), bank, seed=4)


def test_views_show_the_same_moment_whatever_the_speed(bank):
    """The pooled windows of both views, put back on the source's clock, agree within the jitter."""
    task = make(bank)
    speed = torch.tensor([0.77, 1.0, 1.3])
    at, moments = task._moments(61, speed, torch.Generator().manual_seed(1))
    clean, edited = (at - 30).float().chunk(2)
    seconds = ENCODER.context_seconds
    assert torch.allclose(clean * seconds, moments, atol=seconds)
    source = edited * seconds * speed[:, None]
    assert (source - moments).abs().max() <= SMALL.jitter + 1.3 * seconds
    assert at.min() >= 0
    assert at.max() <= 60


def test_windows_of_one_piece_that_overlap_are_no_negatives():
    empty = torch.zeros(6, 2)
    owners = torch.tensor([2, 2, 2, 2, 1, 1])
    views = _Views(empty, empty, owners, torch.tensor([1.0, 5.0, 2.0, 9.0, 1.0, 5.0]))
    expected = np.eye(6, dtype=bool)
    expected[0, 2] = expected[2, 0] = True  # 1 s and 2 s of piece 2
    assert (views.near(1.5).numpy() == expected).all()


def test_a_batch_depends_on_its_generator_alone(bank):
    losses = [
        float(make(bank).loss(step, torch.Generator().manual_seed(seed)).detach())
        for step, seed in ((1, 5), (9, 5), (1, 6))
    ]
    assert losses[0] == losses[1] != losses[2]


def test_training_learns_to_recognise(bank, tmp_path):
    task = make(bank)
    task.network.eval()
    before = task.validate()["top1_warped"]
    config = LoopConfig(steps=60, warm_up=5, validate_every=30, save_every=30, learning_rate=5e-3)
    history = train(task, config, tmp_path, {}, lambda *_: None)
    assert history[-1]["loss"] < history[0]["loss"]
    assert history[-1]["top1_warped"] >= 2 * before > 0


def test_a_network_of_single_windows_learns_by_the_same_task(bank, tmp_path):
    """Its own recipe knows no speed and no pitch."""
    edits = EditConfig(p_speed=0, p_pitch=0, p_coded=0, p_filter=0)
    task = make(bank, replace(SMALL, lengths=(8,)), edits, WINDOW)
    config = LoopConfig(steps=60, warm_up=5, validate_every=20, save_every=60, learning_rate=5e-3)
    history = train(task, config, tmp_path, {}, lambda *_: None)
    assert history[-1]["loss"] < 0.7 * history[0]["loss"]


def test_a_network_of_single_windows_is_shown_its_own_length_alone(bank):
    generator = torch.Generator().manual_seed(1)
    with pytest.raises(BadSettings, match=r"set lengths in section \[task\]"):
        make(bank, replace(SMALL, lengths=(16,)), None, WINDOW).loss(0, generator)


def test_data_without_speech_still_trains(bank):
    music = SpectrumBank(64.0, bank.pieces[:3], bank.spectra[:3])
    assert torch.isfinite(make(music).loss(0, torch.Generator().manual_seed(1)))
