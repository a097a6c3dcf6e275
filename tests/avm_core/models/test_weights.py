"""Weights are data: found in their package, checked by sha256, refused if they do not fit."""

import dataclasses
import hashlib

import numpy as np
import pytest
import torch

from avm_core.errors import BadSettings, ChecksumMismatch
from avm_core.models.weights import LITE0_IMAGENET, WeightsSpec, load_in_order, weights_path


@pytest.fixture
def packaged(tmp_path, monkeypatch):
    """Puts tensors into a package of their own and says what they are."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name, tensors):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
        path = tmp_path / name / "w.pth"
        torch.save(tensors, path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return WeightsSpec(name, "w.pth", digest, "CC0-1.0", "made here")

    return write


def layer(width):
    return torch.nn.Linear(3, width)


def test_the_shipped_weights_are_the_recorded_ones():
    path = weights_path(LITE0_IMAGENET)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == LITE0_IMAGENET.sha256
    assert LITE0_IMAGENET.licence == "Apache-2.0"


def test_another_checksum_is_refused(packaged):
    specs = [LITE0_IMAGENET, packaged("weights_a", {"a": torch.zeros(1)})]
    for spec in specs:
        wrong = dataclasses.replace(spec, sha256="0" * 64)
        with pytest.raises(ChecksumMismatch, match=f"reinstall {spec.package}"):
            weights_path(wrong)


def test_a_missing_package_or_file_says_what_to_install(packaged):
    for spec in (LITE0_IMAGENET, packaged("weights_b", {"a": torch.zeros(1)})):
        with pytest.raises(BadSettings, match="no_such_weights"):
            weights_path(dataclasses.replace(spec, package="no_such_weights"))
        with pytest.raises(BadSettings, match=r"gone\.pth"):
            weights_path(dataclasses.replace(spec, file="gone.pth"))


def test_tensors_are_taken_in_order_whatever_their_names(packaged):
    for width in (2, 5):
        rng = np.random.default_rng(width)
        first = torch.tensor(rng.normal(size=(width, 3)), dtype=torch.float32)
        second = torch.tensor(rng.normal(size=width), dtype=torch.float32)
        spec = packaged(f"weights_c{width}", {"any.name": first, "other": second})
        module = layer(width)
        load_in_order(module, spec)
        assert torch.equal(module.weight.data, first)
        assert torch.equal(module.bias.data, second)


def test_tensors_of_another_shape_or_number_are_refused(packaged):
    short = packaged("weights_d", {"a": torch.zeros(2, 3)})
    narrow = packaged("weights_e", {"a": torch.zeros(1, 3), "b": torch.zeros(1)})
    for spec in (short, narrow):
        with pytest.raises(ChecksumMismatch, match="does not fit Linear"):
            load_in_order(layer(2), spec)
