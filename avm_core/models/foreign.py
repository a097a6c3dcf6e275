"""Networks that others trained: any timm backbone, and SSCD as TorchScript.

Their weights are not ours to ship. timm downloads what it is asked for, when it is first used; the
copy-detection network of Meta (Pizzi et al., "A Self-Supervised Descriptor for Image Copy
Detection", CVPR 2022) is a file that its user has.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import timm
import torch
from torch import nn

from avm_core.errors import BadSettings
from avm_core.models.projection import PictureDescriber
from avm_core.models.video import Pixels

# SSCD is used at 288 pixels or, with the shape of the picture given up, at 320.
_SSCD_SIZE = 320
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class _Foreign:
    """`Features` of a network that gives one vector a picture."""

    network: Any
    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    device: str

    def preprocess(self, pixels: Pixels) -> torch.Tensor:
        pictures = torch.from_numpy(pixels).to(self.device).permute(0, 3, 1, 2).float().div_(255)
        mean, std = (torch.tensor(v, device=self.device) for v in (self.mean, self.std))
        return (pictures - mean[:, None, None]) / std[:, None, None]

    def pool(self, pictures: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.network(pictures)
        return features.float()


def timm_describer(backbone: str, device: str = "cpu") -> PictureDescriber:
    """Pooled features of a timm backbone with timm's weights for it. Raises `BadSettings` if timm
    has no such backbone or cannot get its weights."""
    try:
        network = timm.create_model(backbone, pretrained=True, num_classes=0)
    except Exception as error:
        raise BadSettings(
            f"timm cannot give {backbone!r} with its weights ({error}): choose a name of "
            "timm.list_models(pretrained=True) and let this machine reach the hub once"
        ) from error
    data = cast(Any, timm.data).resolve_model_data_config(network)
    return _describer(network, data["input_size"][1], data["mean"], data["std"], device)


def torchscript_describer(path: Path, device: str = "cpu") -> PictureDescriber:
    """A TorchScript network that takes pictures as ImageNet networks do, such as SSCD's
    `sscd_disc_mixup.torchscript.pt`. Raises `BadSettings` if it cannot be read."""
    try:
        network = cast(Any, torch.jit).load(str(path), map_location=device)
    except (OSError, RuntimeError, ValueError) as error:
        raise BadSettings(f"{path} is no TorchScript network: {error}") from error
    return _describer(network, _SSCD_SIZE, _IMAGENET_MEAN, _IMAGENET_STD, device)


def _describer(
    network: Any, size: int, mean: tuple[float, ...], std: tuple[float, ...], device: str
) -> PictureDescriber:
    foreign = _Foreign(network.eval().to(device), size, mean, std, device)
    with torch.inference_mode():
        dims = foreign.pool(torch.zeros(1, 3, size, size, device=device)).shape[1]
    return PictureDescriber(foreign, nn.functional.normalize, dims)
