"""What happens to pictures in uploads: a few edits at once, drawn at random for each view.

The menu is that of the image similarity challenges (Douze et al., ISC2021; Pizzi et al., SSCD
2022): parts of the picture, the picture inside another, things laid over it, its colours, and what
scaling and coding leave. Strengths are drawn from ranges, never from a benchmark's steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from avm_core.models.video import Pixels
from avm_core.train import picture_edits as edits

Foreign = Callable[[], Image.Image]
_Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class PictureEditConfig:
    """Probability of each edit, and ranges: `area` kept by a crop, `degrees` either way, `inset`
    share of the picture's width and height when it is inside another, `pasted` that of another
    over it. Between 1 and `most` edits are done to a view, in the order of the fields."""

    p_crop: float = 0.5
    p_mirror: float = 0.25
    p_rotate: float = 0.2
    p_colour: float = 0.4
    p_grey: float = 0.12
    p_blur: float = 0.2
    p_logo: float = 0.25
    p_caption: float = 0.25
    p_pasted: float = 0.15
    p_boxed: float = 0.2
    p_inset: float = 0.25
    p_rescale: float = 0.2
    p_noise: float = 0.15
    p_compress: float = 0.5
    most: int = 4
    area: tuple[float, float] = (0.4, 0.95)
    degrees: float = 15.0
    inset: tuple[float, float] = (0.4, 0.85)
    pasted: tuple[float, float] = (0.2, 0.5)


def edited(
    picture: Image.Image, foreign: Foreign, config: PictureEditConfig, rng: _Rng, size: int
) -> Pixels:
    """A view uint8 [size, size, 3] of an RGB picture; `foreign` gives another picture."""
    for name in _drawn(config, rng):
        picture = _EDITS[name](picture, foreign, config, rng)
    return squeezed(picture, size)


def squeezed(picture: Image.Image, size: int) -> Pixels:
    """uint8 [size, size, 3], as the decoder hands pictures over: the shape is not kept."""
    made = picture.resize((size, size), Image.Resampling.BOX)
    return np.array(made, dtype=np.uint8)


def _drawn(config: PictureEditConfig, rng: _Rng) -> list[str]:
    names = list(_EDITS)
    chances = np.array([getattr(config, f"p_{name}") for name in names])
    happens = np.flatnonzero(rng.random(len(names)) < chances)
    if len(happens) == 0 and chances.sum() > 0:
        happens = rng.choice(len(names), 1, p=chances / chances.sum())
    most = int(rng.integers(1, config.most + 1))
    kept = rng.permutation(happens)[:most]
    return [names[number] for number in sorted(kept)]


# --- edits with random strengths, in the order in which they happen ---------------------------


def _crop(image: Image.Image, _: Foreign, config: PictureEditConfig, rng: _Rng) -> Image.Image:
    area, stretch = rng.uniform(*config.area), np.exp(rng.uniform(-0.25, 0.25))
    side = area**0.5
    return edits.cropped(image, min(side * stretch, 1.0), min(side / stretch, 1.0), *_at(rng))


def _mirror(image: Image.Image, _: Foreign, __: PictureEditConfig, ___: _Rng) -> Image.Image:
    return edits.mirrored(image)


def _rotate(image: Image.Image, _: Foreign, config: PictureEditConfig, rng: _Rng) -> Image.Image:
    degrees = rng.uniform(-config.degrees, config.degrees)
    return edits.rotated(image, degrees, _dark(rng), zoom=bool(rng.random() < 0.4))


def _colour(image: Image.Image, _: Foreign, __: PictureEditConfig, rng: _Rng) -> Image.Image:
    if rng.random() < 0.3:
        red, green, blue = np.exp(rng.uniform(-0.5, 0.5) + rng.uniform(-0.25, 0.25, 3))
        return edits.curved(image, (float(red), float(green), float(blue)))
    hue = rng.uniform(-0.12, 0.12) if rng.random() < 0.5 else 0.0
    strength = rng.uniform(0.5, 1.5), rng.uniform(0.6, 1.6), rng.uniform(0.2, 1.8)
    return edits.coloured(image, *strength, hue)


def _grey(image: Image.Image, _: Foreign, __: PictureEditConfig, ___: _Rng) -> Image.Image:
    return edits.greyed(image)


def _blur(image: Image.Image, _: Foreign, __: PictureEditConfig, rng: _Rng) -> Image.Image:
    return edits.blurred(image, rng.uniform(0.003, 0.02))


def _logo(image: Image.Image, _: Foreign, __: PictureEditConfig, rng: _Rng) -> Image.Image:
    for _number in range(int(rng.integers(1, 4))):
        sign = edits.emblem(
            64, int(rng.integers(1, 9)), _any(rng), _any(rng), rng.uniform(0.5, 1.0)
        )
        tall = rng.uniform(0.08, 0.38)
        image = edits.pasted(image, sign, tall * image.height / image.width, tall, *_at(rng))
    return image


def _caption(image: Image.Image, _: Foreign, __: PictureEditConfig, rng: _Rng) -> Image.Image:
    for _number in range(int(rng.integers(1, 4))):
        bar = _any(rng) if rng.random() < 0.5 else None
        # Mostly near the lower or the upper edge.
        y = float(rng.beta(0.4, 0.4))
        image = edits.captioned(image, _words(rng), rng.uniform(0.05, 0.25), y, _any(rng), bar)
    return image


def _paste(
    image: Image.Image, foreign: Foreign, config: PictureEditConfig, rng: _Rng
) -> Image.Image:
    share = rng.uniform(*config.pasted)
    return edits.pasted(image, foreign(), share, share * rng.uniform(0.8, 1.2), *_at(rng))


def _box(image: Image.Image, _: Foreign, __: PictureEditConfig, rng: _Rng) -> Image.Image:
    one, both = rng.uniform(0.5, 0.95), rng.random() < 0.4
    other = one * rng.uniform(0.85, 1.1) if both else 1.0
    shares = (one, min(other, 1.0)) if rng.random() < 0.5 else (min(other, 1.0), one)
    place = (0.5, 0.5) if rng.random() < 0.7 else _at(rng)
    return edits.boxed(image, *shares, *place, _dark(rng))


def _inset(
    image: Image.Image, foreign: Foreign, config: PictureEditConfig, rng: _Rng
) -> Image.Image:
    share = rng.uniform(*config.inset)
    high = min(share * rng.uniform(0.85, 1.15), 1.0)
    return edits.inset(image, foreign(), share, high, *_at(rng))


def _rescale(image: Image.Image, _: Foreign, __: PictureEditConfig, rng: _Rng) -> Image.Image:
    return edits.rescaled(image, int(rng.integers(40, 160)))


def _noise(image: Image.Image, _: Foreign, __: PictureEditConfig, rng: _Rng) -> Image.Image:
    return edits.noisy(image, rng.uniform(3.0, 30.0), rng)


def _compress(image: Image.Image, _: Foreign, __: PictureEditConfig, rng: _Rng) -> Image.Image:
    return edits.compressed(image, int(rng.integers(6, 60)), int(rng.integers(120, 260)))


_Edit = Callable[[Image.Image, Foreign, PictureEditConfig, _Rng], Image.Image]
_EDITS: dict[str, _Edit] = {
    "crop": _crop,
    "mirror": _mirror,
    "rotate": _rotate,
    "colour": _colour,
    "grey": _grey,
    "blur": _blur,
    "logo": _logo,
    "caption": _caption,
    "pasted": _paste,
    "boxed": _box,
    "inset": _inset,
    "rescale": _rescale,
    "noise": _noise,
    "compress": _compress,
}


def _at(rng: _Rng) -> tuple[float, float]:
    return float(rng.random()), float(rng.random())


def _any(rng: _Rng) -> edits.Colour:
    red, green, blue = (int(level) for level in rng.integers(0, 256, 3))
    return red, green, blue


def _dark(rng: _Rng) -> edits.Colour:
    return (0, 0, 0) if rng.random() < 0.7 else _any(rng)


def _words(rng: _Rng) -> str:
    lengths = rng.integers(2, 9, int(rng.integers(1, 6)))
    words = ("".join(rng.choice(list("aeiourtnsdlmkpgbvzh"), n)) for n in lengths)
    return " ".join(word.upper() if rng.random() < 0.4 else word for word in words)
