"""Which network a weights file holds is written in the file."""

import numpy as np
import pytest
import torch

from avm_core.errors import BadSettings, ChecksumMismatch
from avm_core.models.audio_encoder import EncoderConfig, StreamEncoder
from avm_core.models.audio_networks import load_network, new_network, stream_of
from avm_core.models.checkpoint import write_weights
from avm_core.models.window_encoder import WindowConfig, WindowStream

CONV = EncoderConfig(mels=16, channels=(4, 4, 4), width=8, dims=12)
WINDOW = WindowConfig(mels=16, channels=(4, 6, 8), dims=16)


def sound():
    return [np.random.default_rng(1).normal(0, 0.1, 40_000).astype(np.float32)]


@pytest.mark.parametrize(("config", "kind"), [(CONV, StreamEncoder), (WINDOW, WindowStream)])
def test_weights_say_which_network_they_are_of(tmp_path, config, kind):
    network = new_network(config)
    path = tmp_path / "some.safetensors"
    digest = write_weights(path, network.state_dict(), {config.section: config.to_dict()})
    again = load_network(path, digest)
    assert again.config == config
    stream = stream_of(again)
    assert isinstance(stream, kind)
    made, twice = (next(s.describe(sound()))[0] for s in (stream_of(network), stream))
    assert np.abs(made - twice).max() == 0


def test_only_one_of_them_takes_windows_of_any_length():
    assert stream_of(new_network(CONV), window=1.0).config.window == 1.0
    with pytest.raises(BadSettings, match="audio_window has windows of one length"):
        stream_of(new_network(WINDOW), window=2.0)


def test_weights_of_something_else_are_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    write_weights(path, {"w": torch.ones(2)}, {"picture_encoder": {}})
    with pytest.raises(ChecksumMismatch, match="no audio network"):
        load_network(path)
