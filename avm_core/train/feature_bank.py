"""Pictures and edited views of them, as features of a frozen backbone: made once, trained on often.

A backbone costs milliseconds a picture and a projection on top of it microseconds. So each
picture and each view passes through the backbone once, in processes that can be killed at any
time, and what is kept are the features.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cache, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from avm_core.errors import BadMedia, BadSettings
from avm_core.models.picture_features import FeatureConfig, PictureFeatures
from avm_core.models.weights import LITE0_IMAGENET
from avm_core.train.making import Progress, make_missing, write_array
from avm_core.train.picture_recipes import PictureEditConfig, edited, squeezed
from avm_core.train.pictures import Shot, read_shot

_VERSION = 1  # raise it when a picture's features would differ
_FOREIGN = 96  # pictures that are laid over or behind others


@dataclass(frozen=True, slots=True)
class BankConfig:
    """Everything that shapes the features; a picture whose grey levels (of 255) deviate less than
    `min_deviation` is flat; `weights` False: random ones, for tests."""

    views: int = 6
    min_deviation: float = 14.0
    features: FeatureConfig = field(default_factory=FeatureConfig)
    edits: PictureEditConfig = field(default_factory=PictureEditConfig)
    weights: bool = True

    def digest(self) -> str:
        """First 8 hex digits of the sha256 of the values."""
        text = json.dumps([asdict(self), _VERSION], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class FeatureBank:
    """`features` float16 [N, 1 + views, F] of N pictures: as it is, then its edited views."""

    shots: tuple[Shot, ...]
    features: npt.NDArray[np.float16]

    def digest(self) -> str:
        """Hash of the pictures' content."""
        return hashlib.sha256(" ".join(shot.key for shot in self.shots).encode()).hexdigest()[:32]

    def choose(self, *, held: bool) -> list[int]:
        """Numbers of the pictures that train, or of those that validate."""
        return [number for number, shot in enumerate(self.shots) if shot.held == held]


def open_bank(
    shots: Sequence[Shot], folder: Path, config: BankConfig, tell: Progress
) -> tuple[FeatureBank, list[str]]:
    """The bank of `shots`, made in `folder` where it is not there yet, and the files of pictures
    that cannot be read or are flat. Raises `BadSettings` if nothing is left."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{shot.key}-{config.digest()}.npy" for shot in shots]
    make = partial(_extract, config, _foreign(shots))
    kept, missing = make_missing(shots, paths, make, partial(tell, "extract"), chunk=4)
    if not kept:
        raise BadSettings("no training picture can be read: check the sources")
    arrays = np.stack([np.load(path) for _, path in kept])
    return FeatureBank(tuple(shot for shot, _ in kept), arrays), [s.path.name for s in missing]


def _foreign(shots: Sequence[Shot]) -> tuple[Shot, ...]:
    # A view with a held picture behind it would rightly find that picture, and count as wrong.
    trains = [shot for shot in shots if not shot.held]
    return tuple(sorted(trains, key=lambda shot: shot.key)[:_FOREIGN])


def _extract(config: BankConfig, foreign: tuple[Shot, ...], job: tuple[Shot, Path]) -> None:
    shot, path = job
    try:
        pixels = views(shot, config, _readable(foreign))
    except BadMedia:
        return  # reported by its absence
    write_array(path, _backbone(config).describe(pixels).astype(np.float16))


def views(shot: Shot, config: BankConfig, foreign: Sequence[Image.Image]) -> npt.NDArray[np.uint8]:
    """Pictures uint8 [1 + views, size, size, 3]: the shot, then its views, always the same."""
    picture = read_shot(shot, config.min_deviation)
    rng = np.random.default_rng(int(shot.key[:16], 16))
    size = config.features.size

    def other() -> Image.Image:
        return foreign[int(rng.integers(len(foreign)))] if foreign else picture

    made = (edited(picture, other, config.edits, rng, size) for _ in range(config.views))
    return np.stack([squeezed(picture, size), *made])


@cache
def _backbone(config: BankConfig) -> PictureFeatures:
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return PictureFeatures(config.features, LITE0_IMAGENET if config.weights else None)


@cache
def _readable(foreign: tuple[Shot, ...]) -> tuple[Image.Image, ...]:
    pictures = []
    for shot in foreign:
        try:
            pictures.append(read_shot(shot))
        except BadMedia:
            continue
    return tuple(pictures)
