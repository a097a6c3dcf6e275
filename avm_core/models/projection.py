"""`video_gem.*`: features of a frozen backbone on a trained projection, trained for copies.

The recipe is that of SSCD (Pizzi et al., CVPR 2022) with the backbone left as it is: what is
trained is the map from its features to descriptors. A file of weights holds that map, what it was
trained with, and the background against which similarities are judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from avm_core.models.background import Background
from avm_core.models.checkpoint import read_weights
from avm_core.models.picture_features import FeatureConfig, PictureFeatures
from avm_core.models.video import Checked, Pixels, textured
from avm_core.models.weights import LITE0_IMAGENET, WeightsSpec
from avm_core.types import Bool, Float32, Frames


@dataclass(frozen=True, slots=True)
class ProjectionConfig:
    """`hidden` is the width of a layer beside the linear map; 0: linear alone."""

    features: int
    dims: int = 256
    hidden: int = 0


class Projection(nn.Module):
    """Features [n, F] to unit vectors [n, dims]: standardised, mapped, normalised."""

    centre: torch.Tensor
    spread: torch.Tensor

    def __init__(self, config: ProjectionConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("centre", torch.zeros(config.features))
        self.register_buffer("spread", torch.ones(config.features))
        self.linear = nn.Linear(config.features, config.dims, bias=False)
        self.beside: nn.Module | None = None
        if config.hidden:
            last = nn.Linear(config.hidden, config.dims)
            # It begins as the linear map alone.
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
            first = nn.Linear(config.features, config.hidden)
            self.beside = nn.Sequential(first, nn.ReLU(), last)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Unit vectors [n, dims]."""
        standard = (features - self.centre) / self.spread
        vectors = self.linear(standard)
        if self.beside is not None:
            vectors = vectors + self.beside(standard)
        return nn.functional.normalize(vectors, dim=1)


class Features(Protocol):
    """A frozen network: pictures uint8 RGB [n, size, size, 3] to features [n, F]."""

    @property
    def size(self) -> int: ...

    def preprocess(self, pixels: Pixels) -> torch.Tensor: ...

    def pool(self, pictures: torch.Tensor) -> torch.Tensor: ...


@dataclass(frozen=True, slots=True)
class DescriberConfig:
    """What a fingerprinter asks: pixels of a side, size of a descriptor, and what counts as flat
    (see `GemConfig`)."""

    size: int
    dims: int
    flat_deviation: float = 6.0


class PictureDescriber:
    """Pictures to descriptors, in the stages of `GemDescriber`; `project` maps features to unit
    vectors [n, dims]."""

    def __init__(
        self,
        features: Features,
        project: Callable[[torch.Tensor], torch.Tensor],
        dims: int,
        background: Background | None = None,
    ) -> None:
        self.config = DescriberConfig(features.size, dims)
        self.background = background
        self._features = features
        self._project = project

    def describe(self, batches: Iterable[Frames]) -> Iterator[tuple[Float32, Bool]]:
        """Descriptors float32 [n, D] with unit norm and validity [n], batch by batch."""
        return self.pool(self.embed(self.preprocess(batches)))

    @torch.inference_mode()
    def preprocess(self, batches: Iterable[Frames]) -> Iterator[Checked]:
        """Pictures as the network takes them, and validity [n]."""
        for frames in batches:
            pictures = self._features.preprocess(frames.pixels)
            yield pictures, textured(frames.pixels, self.config.flat_deviation)

    @torch.inference_mode()
    def embed(self, pictures: Iterable[Checked]) -> Iterator[Checked]:
        """Context embeddings: pooled features [n, F]."""
        for batch, valid in pictures:
            yield self._features.pool(batch), valid

    @torch.inference_mode()
    def pool(self, contexts: Iterable[Checked]) -> Iterator[tuple[Float32, Bool]]:
        """Interval embeddings: what `describe` gives; an interval is a picture."""
        for features, valid in contexts:
            yield self._project(features).cpu().numpy(), valid


def weights_of(
    projection: Projection, background: Background, features: FeatureConfig
) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Tensors and the part of the card that `load_describer` needs."""
    tensors = {**projection.state_dict(), "background": torch.from_numpy(background.stored)}
    return tensors, {"features": asdict(features), "projection": asdict(projection.config)}


def load_describer(
    path: Path,
    sha256: str | None = None,
    device: str = "cpu",
    backbone: WeightsSpec | None = LITE0_IMAGENET,
) -> PictureDescriber:
    """The describer in a file of weights; raises as `read_weights` does."""
    tensors, card = read_weights(path, sha256)
    taps = tuple(card["features"].pop("taps"))
    features = PictureFeatures(FeatureConfig(taps=taps, **card["features"]), backbone, device)
    background = Background(tensors.pop("background").numpy())
    projection = Projection(ProjectionConfig(**card["projection"]))
    projection.load_state_dict(tensors)
    project = projection.eval().to(device)
    return PictureDescriber(features, project, projection.config.dims, background)


def load_background(path: Path) -> Background:
    """The background alone; raises as `read_weights` does."""
    tensors, _ = read_weights(path)
    return Background(tensors["background"].numpy())
