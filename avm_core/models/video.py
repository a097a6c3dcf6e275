"""`video_lite0.imagenet`: EfficientNet-Lite0 features, GeM-pooled, on the class subspace.

The projection needs no training data: the right singular vectors of the (centred) ImageNet
classifier span the directions in which pictures of different things differ, and leave out the
component common to all pictures. GeM pooling is Radenović et al., "Fine-tuning CNN Image
Retrieval with No Human Annotation" (TPAMI 2018).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import timm
import torch

from avm_core.models.weights import LITE0_IMAGENET, WeightsSpec, load_in_order
from avm_core.types import Bool, Float32, Frames

Pixels = npt.NDArray[np.uint8]
# A batch on its way through the network, and which of its pictures are valid.
Checked = tuple[torch.Tensor, Bool]


@dataclass(frozen=True, slots=True)
class GemConfig:
    """Shape of a GeM descriptor over a timm backbone; preprocessing travels with it."""

    backbone: str = "tf_efficientnet_lite0"
    size: int = 224
    mean: float = 0.5
    std: float = 0.5
    gem_power: float = 3.0
    dims: int = 256
    flat_deviation: float = 6.0  # of 255: black, white and single-colour pictures


class GemDescriber:
    """Pictures to descriptors; `weights` None gives random weights (for tests)."""

    def __init__(
        self, config: GemConfig, weights: WeightsSpec | None = LITE0_IMAGENET, device: str = "cpu"
    ) -> None:
        self.config = config
        self._device = torch.device(device)
        network = load_backbone(config.backbone, weights)
        self._projection = class_subspace(network, config.dims).to(self._device)
        self._network: Any = network.to(self._device)

    def describe(self, batches: Iterable[Frames]) -> Iterator[tuple[Float32, Bool]]:
        """Descriptors float32 [n, D] with unit norm and validity [n], batch by batch.

        Pictures are uint8 RGB [n, size, size, 3]; flat ones are not valid. The three methods
        below, one after the other, are all that happens here.
        """
        return self.pool(self.embed(self.preprocess(batches)))

    @torch.inference_mode()
    def preprocess(self, batches: Iterable[Frames]) -> Iterator[Checked]:
        """Pictures as the network takes them, float32 [n, 3, size, size], and validity [n]."""
        config = self.config
        for frames in batches:
            pictures = as_input(frames.pixels, config.mean, config.std, self._device)
            yield pictures, textured(frames.pixels, config.flat_deviation)

    @torch.inference_mode()
    def embed(self, pictures: Iterable[Checked]) -> Iterator[Checked]:
        """Context embeddings: the network's maps [n, features, h, w]."""
        for batch, textured in pictures:
            yield self._network.forward_features(batch), textured

    @torch.inference_mode()
    def pool(self, contexts: Iterable[Checked]) -> Iterator[tuple[Float32, Bool]]:
        """Interval embeddings: what `describe` gives, from the maps; an interval is a picture."""
        for maps, textured in contexts:
            vectors = gem(maps, self.config.gem_power) @ self._projection
            unit = torch.nn.functional.normalize(vectors, dim=1)
            yield unit.cpu().numpy(), textured


def load_backbone(name: str, weights: WeightsSpec | None) -> Any:
    """A timm network on the CPU, in eval mode; `weights` None gives random weights."""
    network: Any = timm.create_model(name, pretrained=False)
    if weights is not None:
        load_in_order(network, weights)
    return network.eval()


def class_subspace(network: Any, dims: int) -> torch.Tensor:
    """[features, dims]: top right singular vectors of the centred classifier weights."""
    classifier = network.get_classifier().weight.detach().cpu().double()
    centred = classifier - classifier.mean(dim=0)
    # eigh of the Gram matrix: unlike SVD, its result does not depend on the thread count.
    _, vectors = torch.linalg.eigh(centred.T @ centred)
    return vectors[:, -dims:].float()


def as_input(pixels: Pixels, mean: float, std: float, device: torch.device) -> torch.Tensor:
    """Pictures uint8 RGB [n, h, w, 3] as a network takes them, float32 [n, 3, h, w]."""
    # RGB [n, h, w, 3] permuted is what channels_last means: no copy.
    pictures = torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2)
    return pictures.float().div_(255).sub_(mean).div_(std)


def gem(maps: torch.Tensor, power: float) -> torch.Tensor:
    """Generalised mean [n, features] of maps [n, features, h, w]."""
    return maps.clamp_min(1e-6).pow(power).mean(dim=(2, 3)).pow(1 / power)


def textured(pixels: np.ndarray, deviation: float) -> Bool:
    """Which pictures uint8 [n, h, w, 3] are more than one colour: bool [n]."""
    # Every fourth pixel is plenty to tell a picture from a flat field.
    luma = pixels[:, ::4, ::4].mean(axis=3, dtype=np.float32)
    return luma.std(axis=(1, 2)) > deviation
