"""Every form of the network says the same; only its time may differ."""

import pytest
import torch

from avm_core.benchmark.network_speed import measure_network
from avm_core.models.audio_encoder import AudioEncoder, EncoderConfig

SMALL = EncoderConfig(mels=32, channels=(6, 8, 8), width=16, dims=16, surround_frames=33)


def test_all_forms_agree_with_the_plain_one():
    torch.manual_seed(3)
    encoder = AudioEncoder(SMALL).train()
    with torch.no_grad():  # statistics of batch norm that are not those of a fresh network
        encoder.contexts(encoder.normalise(torch.rand(4, 32, 200)))
    found = measure_network(encoder, repeats=2)
    assert set(found) == {"plain", "batch norm fused", "fused, channels last", "bfloat16"}
    assert found["plain"]["vs_plain"] == 1
    for name, values in found.items():
        assert values["x"] > 0
        assert values["cosine"] == pytest.approx(1, abs=2e-2 if name == "bfloat16" else 1e-5)
