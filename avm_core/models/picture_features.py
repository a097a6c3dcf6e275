"""Features of pictures from a frozen timm backbone: GeM-pooled maps of more than one depth.

The last maps say what is in a picture; an earlier layer keeps edges and textures, which survive
an edit together with their places. GeM is Radenović et al., "Fine-tuning CNN Image Retrieval with
No Human Annotation" (TPAMI 2018).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from avm_core.models.video import Pixels, as_input, class_subspace, gem, load_backbone
from avm_core.models.weights import LITE0_IMAGENET, WeightsSpec
from avm_core.types import Float32


@dataclass(frozen=True, slots=True)
class FeatureConfig:
    """Which backbone, at which size, and the modules (`taps`) whose outputs, none below 0, are
    pooled beside the last maps; preprocessing travels with it."""

    backbone: str = "tf_efficientnet_lite0"
    size: int = 160
    taps: tuple[str, ...] = ("blocks.3.0.bn1", "blocks.5.0.bn1")
    mean: float = 0.5
    std: float = 0.5
    gem_power: float = 3.0


class PictureFeatures:
    """Pictures to features; `weights` None gives random weights (for tests)."""

    def __init__(
        self,
        config: FeatureConfig,
        weights: WeightsSpec | None = LITE0_IMAGENET,
        device: str = "cpu",
    ) -> None:
        self.config = config
        self._device = torch.device(device)
        network = load_backbone(config.backbone, weights)
        fold_batch_norms(network)
        self._network = network.to(self._device, memory_format=torch.channels_last)
        # Files are fingerprinted in threads, with one network for all: each keeps its own maps.
        self._tapped = threading.local()
        for name in config.taps:
            network.get_submodule(name).register_forward_hook(self._keep)
        blank = torch.zeros(1, 3, 64, 64, device=self._device)
        self.widths = tuple(part.shape[1] for part in self._parts(blank))

    @property
    def size(self) -> int:
        """Pixels of a side."""
        return self.config.size

    @property
    def count(self) -> int:
        """Features of a picture."""
        return sum(self.widths)

    def preprocess(self, pixels: Pixels) -> torch.Tensor:
        """Pictures uint8 RGB [n, h, w, 3] as the network takes them, float32 [n, 3, h, w]."""
        return as_input(pixels, self.config.mean, self.config.std, self._device)

    def pool(self, pictures: torch.Tensor) -> torch.Tensor:
        """Features float32 [n, count]: the last maps', then those of the taps in the order in
        which the network passes them, each part with unit norm."""
        return torch.cat([nn.functional.normalize(p, dim=1) for p in self._parts(pictures)], dim=1)

    def describe(self, pixels: Pixels) -> Float32:
        """Features [n, count] of pictures uint8 RGB [n, h, w, 3]."""
        return self.pool(self.preprocess(pixels)).cpu().numpy()

    def class_subspace(self, dims: int) -> torch.Tensor:
        """[count, dims]: that of `models/video.py`; it reads the last maps alone."""
        wide = torch.zeros(self.count, dims)
        wide[: self.widths[0]] = class_subspace(self._network, dims)
        return wide

    @torch.inference_mode()
    def _parts(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        self._tapped.maps = []
        maps = [self._network.forward_features(pictures), *self._tapped.maps]
        return [gem(part, self.config.gem_power) for part in maps]

    def _keep(self, module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        del module, inputs
        self._tapped.maps.append(output)


@torch.no_grad()
def fold_batch_norms(module: nn.Module) -> None:
    """Put each batch norm into the convolution registered before it; what it did afterwards
    (timm's activation) stays in its place. The network in eval mode gives the same, faster."""
    children = list(module.named_children())
    for (first, convolution), (second, norm) in pairwise(children):
        if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            setattr(module, first, fuse_conv_bn_eval(convolution, norm))
            setattr(module, second, getattr(norm, "act", nn.Identity()))
    for _, child in children:
        fold_batch_norms(child)
