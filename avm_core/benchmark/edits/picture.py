"""Changes of a clip's pictures. Steps keep size and number: a copy stays on its grid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from avm_core.errors import BadSettings
from avm_core.media.filters import Filter, filter_pictures, read_pictures
from avm_core.media.probe import probe
from avm_core.media.write import Picture
from avm_core.types import Float64


@dataclass(frozen=True, slots=True)
class PictureFilters:
    """A chain of FFmpeg filters; whatever size it ends in is scaled back to the copy's."""

    filters: tuple[Filter, ...]

    def __call__(self, pictures: Iterator[Picture], times: Float64) -> Iterator[Picture]:
        del times
        first = next(pictures, None)
        if first is None:
            return
        back = (("scale", f"{first.shape[1]}:{first.shape[0]}:flags=area"),)
        yield from filter_pictures(chain([first], pictures), (*self.filters, *back))


def crop(share: float, x: float = 0.5, y: float = 0.5) -> PictureFilters:
    """`share` of width and height, scaled back; x, y in 0..1 say where (0.5: the middle)."""
    _check_share("crop", share)
    place = f"(iw-ow)*{x:.4f}:(ih-oh)*{y:.4f}"
    return PictureFilters((("crop", f"iw*{share}:ih*{share}:{place}"),))


def _check_share(name: str, share: float) -> None:
    if not 0.1 <= share <= 1:
        raise BadSettings(f"{name} {share} is outside 0.1..1: choose a share inside")


def mirror() -> PictureFilters:
    """Left and right exchanged."""
    return PictureFilters((("hflip", ""),))


def letterbox(share: float) -> PictureFilters:
    """Shrunk to `share` of width and height inside black."""
    _check_share("letterbox", share)
    size = f"trunc(iw*{share}/2)*2:trunc(ih*{share}/2)*2:flags=area"
    inverse = f"trunc(iw/{share}/2)*2:trunc(ih/{share}/2)*2:(ow-iw)/2:(oh-ih)/2"
    return PictureFilters((("scale", size), ("pad", inverse)))


def rotate(degrees: float) -> PictureFilters:
    """Turned clockwise inside the frame, corners black."""
    return PictureFilters((("rotate", f"{degrees}*PI/180:fillcolor=black"),))


def colours(brightness: float, contrast: float, saturation: float, hue: float) -> PictureFilters:
    """`brightness` adds (-1..1), `contrast` and `saturation` multiply, `hue` turns by degrees."""
    luma = f"clip((val-126)*{contrast}+126+{brightness}*219,16,235)"
    filters: list[Filter] = [("format", "pix_fmts=yuv420p"), ("lutyuv", f"y='{luma}'")]
    if saturation != 1.0 or hue != 0.0:
        filters.append(("hue", f"h={hue}:s={saturation}"))
    return PictureFilters(tuple(filters))


def grey() -> PictureFilters:
    """No colour left."""
    return PictureFilters((("hue", "s=0"),))


def blur(sigma: float) -> PictureFilters:
    """Gaussian, in pixels of the copy."""
    return PictureFilters((("gblur", f"sigma={sigma}"),))


def grain(amount: int) -> PictureFilters:
    """New noise in every picture; `amount` 1..100."""
    return PictureFilters((("noise", f"alls={amount}:allf=t:all_seed=7"),))


def low_resolution(height: int) -> PictureFilters:
    """Down to `height` lines and back."""
    return PictureFilters((("scale", f"-2:{height}:flags=area"),))


@dataclass(frozen=True, slots=True)
class PictureInPicture:
    """The clip shrunk to `share` of width and height over the running pictures of `path`.

    `x`, `y` in 0..1 place it: 0 is left and top, 1 right and bottom.
    """

    path: Path
    share: float
    x: float
    y: float

    def __call__(self, pictures: Iterator[Picture], times: Float64) -> Iterator[Picture]:
        first = next(pictures, None)
        if first is None:
            return
        height, width = first.shape[:2]
        inner = (round(width * self.share) & ~1, round(height * self.share) & ~1)
        small = filter_pictures(
            chain([first], pictures), (("scale", f"{inner[0]}:{inner[1]}:flags=area"),)
        )
        left, top = round((width - inner[0]) * self.x), round((height - inner[1]) * self.y)
        behind = looped(self.path, times, (width, height))
        for inset, background in zip(small, behind, strict=True):
            made = background.copy()
            made[top : top + inner[1], left : left + inner[0]] = inset
            yield made


@dataclass(frozen=True, slots=True)
class Logo:
    """A drawn emblem `share` of the picture's height high, at (x, y) in 0..1 of the free room."""

    share: float
    x: float
    y: float
    opacity: float
    seed: int

    def __call__(self, pictures: Iterator[Picture], times: Float64) -> Iterator[Picture]:
        del times
        patch: np.ndarray | None = None
        for picture in pictures:
            if patch is None:
                patch = _emblem(round(picture.shape[0] * self.share), self.seed)
            room = (picture.shape[0] - patch.shape[0], picture.shape[1] - patch.shape[1])
            top, left = round(room[0] * self.y), round(room[1] * self.x)
            yield _laid_over(picture, patch, self.opacity, top, left)


@dataclass(frozen=True, slots=True)
class Caption:
    """`text` in a dark bar over the lowest `height_share` of the picture."""

    text: str
    height_share: float
    opacity: float

    def __call__(self, pictures: Iterator[Picture], times: Float64) -> Iterator[Picture]:
        del times
        bar: np.ndarray | None = None
        for picture in pictures:
            height, width = picture.shape[:2]
            if bar is None:
                bar = _bar(self.text, width, max(8, round(height * self.height_share)))
            yield _laid_over(picture, bar, self.opacity, height - bar.shape[0], 0)


@dataclass(frozen=True, slots=True)
class InsertedFrames:
    """About one picture in `every` overwritten by noise or a flat colour; time does not move."""

    every: int
    seed: int

    def __call__(self, pictures: Iterator[Picture], times: Float64) -> Iterator[Picture]:
        del times
        rng = np.random.default_rng(self.seed)
        for picture in pictures:
            if rng.random() >= 1 / self.every:
                yield picture
            elif rng.random() < 0.5:
                yield rng.integers(0, 256, picture.shape, dtype=np.uint8)
            else:
                yield np.broadcast_to(rng.integers(0, 256, 3, dtype=np.uint8), picture.shape).copy()


def fit(size: tuple[int, int]) -> list[Filter]:
    """FFmpeg filters into `size` (width, height): aspect ratio kept, filled up with black."""
    width, height = size
    return [
        ("scale", f"{width}:{height}:force_original_aspect_ratio=decrease:flags=area"),
        ("pad", f"{width}:{height}:(ow-iw)/2:(oh-ih)/2"),
    ]


def pictures_at(path: Path, times: Float64, size: tuple[int, int]) -> Iterator[Picture]:
    """The pictures of `path` at `times`, fitted to `size`; black where it has none."""
    if probe(path).video is None:
        black = np.zeros((size[1], size[0], 3), dtype=np.uint8)
        yield from (black for _ in times)
    else:
        yield from read_pictures(path, times, filters=fit(size))


def looped(path: Path, times: Float64, size: tuple[int, int]) -> Iterator[Picture]:
    """As `pictures_at`, from the file's beginning again whenever it ends."""
    period = probe(path).duration
    # One picture for each time: rounding may put a time at a lap's edge into either lap, but
    # never into none.
    laps = np.floor(times / period + 1e-9)
    for lap in np.unique(laps):
        inside = np.maximum(times[laps == lap] - lap * period, 0.0)
        yield from pictures_at(path, inside, size)


def _laid_over(picture: Picture, patch: np.ndarray, opacity: float, top: int, left: int) -> Picture:
    """`patch` float32 RGBA [h, w, 4] in 0..255 blended onto a copy of the picture."""
    made = picture.copy()
    area = made[top : top + patch.shape[0], left : left + patch.shape[1]]
    alpha = patch[..., 3:] * (opacity / 255)
    area[:] = np.clip(area * (1 - alpha) + patch[..., :3] * alpha + 0.5, 0, 255).astype(np.uint8)
    return made


def _emblem(side: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    ink, ground = (tuple(int(v) for v in rng.integers(0, 256, 3)) for _ in range(2))
    image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((0, 0, side - 1, side - 1), fill=(*ground, 255))
    corners = [(side * (0.5 + 0.45 * np.cos(a)), side * (0.5 + 0.45 * np.sin(a))) for a in _STAR]
    draw.polygon(corners, fill=(*ink, 255))
    return np.asarray(image, dtype=np.float32)


_STAR = tuple(np.arange(5) * 4 * np.pi / 5 - np.pi / 2)


def _bar(text: str, width: int, height: int) -> np.ndarray:
    image = Image.new("RGBA", (width, height), (20, 20, 20, 200))
    font = ImageFont.load_default(size=max(6, round(height * 0.6)))
    draw = ImageDraw.Draw(image)
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    place = ((width - right - left) / 2, (height - bottom - top) / 2)
    draw.text(place, text, font=font, fill=(255, 240, 120, 255))
    return np.asarray(image, dtype=np.float32)
