"""Networks of others: small ones with random weights stand in for them."""

import numpy as np
import pytest
import timm
import torch
from torch import nn

from avm_core.errors import BadSettings
from avm_core.models import foreign
from avm_core.types import Frames


def frames(size, count=3):
    rng = np.random.default_rng(1)
    return Frames(rng.integers(0, 256, (count, size, size, 3)).astype(np.uint8), np.arange(3.0))


def test_a_timm_backbone_by_name(monkeypatch):
    made = timm.create_model("test_resnet", pretrained=False, num_classes=0)
    asked = []

    def create(name, *, pretrained, num_classes):
        asked.append((name, pretrained, num_classes))
        return made

    monkeypatch.setattr(timm, "create_model", create)
    model = foreign.timm_describer("test_resnet.r160_in1k")
    assert asked == [("test_resnet.r160_in1k", True, 0)]
    [(vectors, valid)] = model.describe([frames(model.config.size)])
    assert vectors.shape == (3, model.config.dims) == (3, made.num_features)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert valid.all()


def test_a_backbone_that_timm_does_not_have_says_what_to_do():
    with pytest.raises(BadSettings, match=r"list_models"):
        foreign.timm_describer("no_such_backbone")


def test_a_torchscript_file(tmp_path, monkeypatch):
    """The network sees pictures less the mean of ImageNet, in its deviations."""
    monkeypatch.setattr(foreign, "_SSCD_SIZE", 8)
    path = tmp_path / "sscd.pt"
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    torch.jit.script(network).save(str(path))
    model = foreign.torchscript_describer(path)
    given = frames(8)
    [(vectors, _)] = model.describe([given])
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    wanted = (given.pixels.mean(axis=(1, 2)) / 255 - mean) / std
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors, wanted, atol=1e-4)


def test_a_file_that_is_none_says_so(tmp_path):
    path = tmp_path / "sscd.pt"
    path.write_bytes(b"no network")
    with pytest.raises(BadSettings, match="no TorchScript"):
        foreign.torchscript_describer(path)
