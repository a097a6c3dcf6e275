"""Features of a backbone: the same after folding, one part of each depth, and with the real
weights the same as the baseline's."""

import numpy as np
import pytest
import timm
import torch
from torch import nn

from avm_core.fingerprint.parallel import for_each
from avm_core.models.picture_features import FeatureConfig, PictureFeatures, fold_batch_norms
from avm_core.models.video import GemConfig, GemDescriber
from avm_core.types import Frames

SMALL = FeatureConfig(size=64)


def pictures(count, size=64, seed=0):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, 8, 8, 3)).astype(np.uint8)
    return coarse.repeat(size // 8, axis=1).repeat(size // 8, axis=2)


@pytest.fixture(scope="module")
def untrained():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return PictureFeatures(SMALL, weights=None)


def test_folding_changes_nothing_but_the_norms():
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 1.5)
        batch = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        wanted = network.forward_features(batch)
        fold_batch_norms(network)
        found = network.forward_features(batch)
    assert not [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    torch.testing.assert_close(found, wanted, atol=1e-3, rtol=1e-3)


def test_every_depth_is_a_part_of_unit_norm(untrained):
    features = untrained.describe(pictures(3))
    assert untrained.widths == (1280, 240, 672)
    assert features.shape == (3, untrained.count)
    assert features.dtype == np.float32
    for part in (features[:, :1280], features[:, 1280:1520], features[:, 1520:]):
        assert np.linalg.norm(part, axis=1) == pytest.approx(1.0, abs=1e-4)


def test_taps_are_a_choice(untrained):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        alone = PictureFeatures(FeatureConfig(size=64, taps=()), weights=None)
    assert alone.count == 1280
    found, both = alone.describe(pictures(2)), untrained.describe(pictures(2))
    np.testing.assert_allclose(found, both[:, :1280], atol=1e-5)


def test_the_class_subspace_gives_the_baseline():
    pixels = pictures(4)
    features = PictureFeatures(SMALL)
    mine = features.describe(pixels) @ features.class_subspace(256).numpy()
    mine /= np.linalg.norm(mine, axis=1, keepdims=True)
    baseline = GemDescriber(GemConfig(size=64)).describe([Frames(pixels, np.arange(4.0))])
    [(wanted, _)] = baseline
    assert np.einsum("nd,nd->n", mine, wanted) == pytest.approx(1.0, abs=1e-3)


def test_threads_share_a_network_and_not_its_maps(untrained):
    batches = [pictures(3, seed=seed) for seed in range(8)]
    wanted = [untrained.describe(batch) for batch in batches]
    found = for_each(untrained.describe, batches * 4, workers=4)
    for one, other in zip(found, wanted * 4, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
