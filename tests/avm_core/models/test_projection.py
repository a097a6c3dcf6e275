"""The trained projection: unit vectors, and a file of weights that gives the same vectors."""

import numpy as np
import pytest
import torch

from avm_core.errors import ChecksumMismatch
from avm_core.models.background import Background
from avm_core.models.checkpoint import write_weights
from avm_core.models.picture_features import FeatureConfig, PictureFeatures
from avm_core.models.projection import (
    PictureDescriber,
    Projection,
    ProjectionConfig,
    load_background,
    load_describer,
    weights_of,
)
from avm_core.types import Frames

FEATURES = FeatureConfig(size=32)


def make(hidden=0):
    torch.manual_seed(2)
    projection = Projection(ProjectionConfig(2192, dims=24, hidden=hidden))
    projection.spread.uniform_(0.5, 2.0)
    projection.centre.normal_(0, 0.01)
    background = Background.of(np.eye(24, dtype=np.float32)[:5])
    return projection, background


def frames():
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 256, (3, 32, 32, 3)).astype(np.uint8)
    pixels[1] = 90
    return Frames(pixels, np.arange(3.0))


@pytest.mark.parametrize("hidden", [0, 8])
def test_weights_come_back_as_the_same_describer(tmp_path, hidden):
    projection, background = make(hidden)
    path = tmp_path / "w.safetensors"
    digest = write_weights(path, *weights_of(projection, background, FEATURES))
    torch.manual_seed(0)
    wanted = PictureDescriber(PictureFeatures(FEATURES, None), projection, 24)
    torch.manual_seed(0)
    found = load_describer(path, digest, backbone=None)
    assert (found.config.size, found.config.dims) == (32, 24)
    for read in (found.background, load_background(path)):
        np.testing.assert_array_equal(read.stored, background.stored)
    [(one, valid)], [(two, _)] = found.describe([frames()]), wanted.describe([frames()])
    np.testing.assert_array_equal(one, two)
    assert valid.tolist() == [True, False, True]
    assert np.linalg.norm(one, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_weights_of_another_checksum_are_refused(tmp_path):
    projection, background = make()
    path = tmp_path / "w.safetensors"
    write_weights(path, *weights_of(projection, background, FEATURES))
    with pytest.raises(ChecksumMismatch):
        load_describer(path, "0" * 64)


def test_the_layer_beside_begins_as_nothing():
    with torch.inference_mode():
        projection, _ = make(hidden=8)
        features = torch.randn(4, 2192)
        both = projection(features)
        projection.beside = None
        torch.testing.assert_close(projection(features), both)
