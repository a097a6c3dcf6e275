"""Pictures to train on: stills, and a few moments of each short clip."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from avm_core.errors import BadMedia

# Twice the network's input: what an edit cuts out still has pixels enough.
_SHORT_SIDE = 320
_BEHIND = (128, 128, 128)  # of what is transparent


@dataclass(frozen=True, slots=True)
class PictureChoice:
    """What counts as a picture: pixels of the shorter side, longest by shortest side; `moments`
    of a clip and pictures in all, at `most`; one of `held_every` files validates and is never
    trained on."""

    min_side: int = 96
    max_aspect: float = 3.0
    moments: int = 4
    most: int = 6_000
    held_every: int = 10


@dataclass(frozen=True, slots=True)
class Shot:
    """A still, or frame number `frame` of a clip. `key` is a hash of its content; shots of one
    `group` (moments of a clip) are no negatives of each other."""

    path: Path
    key: str
    group: str
    package: str
    frame: int = 0
    held: bool = False


def shots(path: Path, content: str, package: str, choice: PictureChoice) -> Iterator[Shot]:
    """The pictures of a file, of which `content` is the sha256; none if it is too small or cannot
    be read."""
    try:
        with Image.open(path) as image:
            short, long = sorted(image.size)
            frames = int(getattr(image, "n_frames", 1))
    except (OSError, ValueError, Image.DecompressionBombError):
        return
    if short < choice.min_side or long > choice.max_aspect * short:
        return
    held = int(content[:8], 16) % choice.held_every == 0
    count = min(frames, choice.moments)
    for number in range(count):
        frame = (2 * number + 1) * frames // (2 * count)
        key = hashlib.sha256(f"{content} {frame}".encode()).hexdigest()[:32]
        yield Shot(path, key, content, package, frame, held)


def read_shot(shot: Shot, min_deviation: float = 0.0) -> Image.Image:
    """The picture, RGB, its shorter side 320 pixels at most. Raises `BadMedia` if it cannot be
    read or is flat."""
    try:
        with Image.open(shot.path) as image:
            # JPEG alone can leave out pixels while it decodes.
            image.draft("RGB", (2 * _SHORT_SIDE, 2 * _SHORT_SIDE))
            image.seek(shot.frame)
            shrink = max(min(image.size) / _SHORT_SIDE, 1.0)
            size = round(image.width / shrink), round(image.height / shrink)
            made = _opaque(image).resize(size, Image.Resampling.BOX, reducing_gap=2.0)
    except (OSError, ValueError, EOFError, UnidentifiedImageError, SyntaxError) as error:
        raise BadMedia(f"{shot.path.name} cannot be read as a picture: {error}") from error
    if np.asarray(made.convert("L")).std() < min_deviation:
        raise BadMedia(f"{shot.path.name} is flat")
    return made


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode not in ("RGBA", "LA", "PA") and "transparency" not in image.info:
        return image.convert("RGB")
    whole = Image.new("RGBA", image.size, (*_BEHIND, 255))
    return Image.alpha_composite(whole, image.convert("RGBA")).convert("RGB")
