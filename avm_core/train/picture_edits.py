"""Single edits of a picture as uploads have them, each told exactly what to do.

Shares and places are parts of the picture's width and height: x, y in 0..1 of the free room, 0
left and top. Recipes of `picture_recipes` draw them at random.
"""

from __future__ import annotations

import io
import math

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

Colour = tuple[int, int, int]


def cropped(image: Image.Image, width: float, height: float, x: float, y: float) -> Image.Image:
    """The part of `width` and `height` shares at (x, y)."""
    wide, high = max(round(image.width * width), 8), max(round(image.height * height), 8)
    left, top = _place(image, (wide, high), x, y)
    return image.crop((left, top, left + wide, top + high))


def mirrored(image: Image.Image) -> Image.Image:
    """Left and right exchanged."""
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def rotated(image: Image.Image, degrees: float, fill: Colour, *, zoom: bool) -> Image.Image:
    """Turned about its middle; corners filled, or with `zoom` cut away."""
    turned = image.rotate(degrees, Image.Resampling.BILINEAR, fillcolor=fill)
    if not zoom:
        return turned
    angle = math.radians(abs(degrees))
    ratio = max(image.width / image.height, image.height / image.width)
    share = 1 / (math.cos(angle) + ratio * math.sin(angle))
    return cropped(turned, share, share, 0.5, 0.5)


def inset(
    image: Image.Image, behind: Image.Image, width: float, height: float, x: float, y: float
) -> Image.Image:
    """The picture shrunk to shares of its size over `behind`, which is stretched to that size."""
    whole = behind.resize(image.size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    return pasted(whole, image, width, height, x, y)


def boxed(
    image: Image.Image, width: float, height: float, x: float, y: float, fill: Colour
) -> Image.Image:
    """The picture shrunk inside a frame of one colour: letterbox, pillarbox, window box."""
    return pasted(Image.new("RGB", image.size, fill), image, width, height, x, y)


def pasted(
    image: Image.Image, patch: Image.Image, width: float, height: float, x: float, y: float
) -> Image.Image:
    """`patch` at shares of the picture's size over a copy of the picture; its alpha counts."""
    size = max(round(image.width * width), 4), max(round(image.height * height), 4)
    small = patch.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    made = image.copy()
    made.paste(small, _place(image, size, x, y), small if small.mode == "RGBA" else None)
    return made


def captioned(
    image: Image.Image, text: str, height: float, y: float, ink: Colour, bar: Colour | None
) -> Image.Image:
    """One line of text `height` high at `y`, on a bar over the whole width or bare."""
    tall = max(round(image.height * height), 8)
    top = _place(image, (image.width, tall), 0.0, y)[1]
    made = image.copy()
    draw = ImageDraw.Draw(made)
    if bar is not None:
        draw.rectangle((0, top, image.width, top + tall), fill=bar)
    font = ImageFont.load_default(size=round(tall * 0.7))
    wide = draw.textlength(text, font=font)
    edge: Colour = (0, 0, 0) if sum(ink) > 384 else (255, 255, 255)
    place = ((image.width - wide) / 2, top + tall * 0.1)
    draw.text(place, text, font=font, fill=ink, stroke_width=0 if bar else 2, stroke_fill=edge)
    return made


def emblem(side: int, corners: int, ink: Colour, ground: Colour, opacity: float) -> Image.Image:
    """An RGBA disc with a star of `corners` on it, or for fewer than 3 a face."""
    made = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(made)
    alpha = round(255 * opacity)
    draw.ellipse((0, 0, side - 1, side - 1), fill=(*ground, alpha))
    middle = side / 2
    if corners < 3:
        for x in (0.35, 0.65):
            eye = side * 0.07
            at = (side * x - eye, side * 0.35 - eye, side * x + eye, side * 0.35 + eye)
            draw.ellipse(at, fill=(*ink, alpha))
        mouth = (side * 0.25, side * 0.35, side * 0.75, side * 0.8)
        draw.arc(mouth, 20, 160, fill=(*ink, alpha), width=max(side // 14, 1))
        return made
    reach = [middle * (0.92 if number % 2 == 0 else 0.4) for number in range(2 * corners)]
    turn = [math.pi * number / corners for number in range(2 * corners)]
    star = [
        (middle + r * math.sin(a), middle - r * math.cos(a))
        for r, a in zip(reach, turn, strict=True)
    ]
    draw.polygon(star, fill=(*ink, alpha))
    return made


# --- light, sharpness and codecs --------------------------------------------------------------


def coloured(
    image: Image.Image, brightness: float, contrast: float, saturation: float, hue: float
) -> Image.Image:
    """Factors, and `hue` in turns of the colour circle."""
    if hue:
        bands = list(image.convert("HSV").split())
        bands[0] = bands[0].point([(level + round(256 * hue)) % 256 for level in range(256)])
        image = Image.merge("HSV", bands).convert("RGB")
    image = ImageEnhance.Color(image).enhance(saturation)
    image = ImageEnhance.Brightness(image).enhance(brightness)
    return ImageEnhance.Contrast(image).enhance(contrast)


def curved(image: Image.Image, gamma: tuple[float, float, float]) -> Image.Image:
    """Another gamma for each of red, green and blue."""
    table = [round(255 * (level / 255) ** power) for power in gamma for level in range(256)]
    return image.point(table)


def greyed(image: Image.Image) -> Image.Image:
    """No colour left."""
    return image.convert("L").convert("RGB")


def blurred(image: Image.Image, radius: float) -> Image.Image:
    """Gaussian; `radius` as a share of the height."""
    return image.filter(ImageFilter.GaussianBlur(radius * image.height))


def rescaled(image: Image.Image, height: int) -> Image.Image:
    """Down to `height` lines and back."""
    small = max(round(image.width * height / image.height), 4), max(height, 4)
    shrunk = image.resize(small, Image.Resampling.BILINEAR)
    return shrunk.resize(image.size, Image.Resampling.BICUBIC)


def compressed(image: Image.Image, quality: int, height: int) -> Image.Image:
    """JPEG at `height` lines, which coarse H.264 key frames resemble, and back."""
    small = max(round(image.width * height / image.height), 16), max(height, 16)
    buffer = io.BytesIO()
    image.resize(small, Image.Resampling.BILINEAR).save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as read:
        return read.convert("RGB").resize(image.size, Image.Resampling.BILINEAR)


def noisy(image: Image.Image, deviation: float, rng: np.random.Generator) -> Image.Image:
    """Grain of `deviation` in 0..255, half of it equal in all colours."""
    pixels = np.asarray(image, dtype=np.float32)
    grey = rng.standard_normal((*pixels.shape[:2], 1), dtype=np.float32)
    each = rng.standard_normal(pixels.shape, dtype=np.float32)
    made = pixels + deviation * 0.7 * (grey + each)
    return Image.fromarray(np.clip(made + 0.5, 0, 255).astype(np.uint8))


def _place(image: Image.Image, size: tuple[int, int], x: float, y: float) -> tuple[int, int]:
    return round((image.width - size[0]) * x), round((image.height - size[1]) * y)
