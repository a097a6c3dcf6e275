"""Edits of pictures, each at three strengths, for uploads that keep the film's sound."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

from avm_core.benchmark.edits import Edit
from avm_core.benchmark.edits.picture import (
    Caption,
    InsertedFrames,
    Logo,
    PictureInPicture,
    blur,
    colours,
    crop,
    grain,
    grey,
    letterbox,
    low_resolution,
    mirror,
    rotate,
)
from avm_core.benchmark.edits.sound import Mixed, highpass
from avm_core.benchmark.edits.types import PictureStep
from avm_core.benchmark.sets.cases import PLAIN_PICTURE, Beds, Case, Shape
from avm_core.benchmark.sets.manifest import STRENGTHS

_Chains = tuple[tuple[PictureStep, ...], tuple[PictureStep, ...], tuple[PictureStep, ...]]


def picture_cases(beds: Beds, rng: random.Random) -> Iterator[Case]:
    """Every edit of the menu for pictures, once at each strength."""
    yield from _shapes()
    for name, chains in _stepped(beds, rng).items():
        for strength, chain in zip(STRENGTHS, chains, strict=True):
            yield Case(Edit(name, picture=chain), strength, True)
    yield from _formats()
    yield from _streams(beds)
    yield from _combined(beds, rng)


def _shapes() -> Iterator[Case]:
    lengths = ((40.0, 55.0), (28.0, 36.0), (18.0, 22.0))
    shapes: tuple[tuple[str, Shape, int], ...] = (
        ("excerpt", "bare", 1),
        ("inside_foreign", "inside", 1),
        ("several_excerpts", "several_excerpts", 2),
        ("several_titles", "several_titles", 2),
        ("shared_intro", "shared", 1),
    )
    for name, shape, count in shapes:
        for strength, seconds in zip(STRENGTHS, lengths, strict=True):
            own = (18.0, 22.0) if count > 1 else seconds
            yield Case(Edit(f"film_{name}"), strength, True, shape, count, own)


def _stepped(beds: Beds, rng: random.Random) -> dict[str, _Chains]:
    seed = rng.randrange(1 << 16)
    x, y, tilt = rng.uniform(0.2, 0.8), rng.uniform(0.2, 0.8), rng.choice((1, -1))
    corner = rng.choice((0.03, 0.8))
    return {
        "crop": _three(lambda share: (crop(share, x, y),), (0.9, 0.75, 0.6)),
        "letterbox": _three(lambda share: (letterbox(share),), (0.9, 0.75, 0.6)),
        "mirror": ((mirror(),), (mirror(), crop(0.9)), (mirror(), crop(0.75))),
        "rotation": _three(lambda degrees: (rotate(tilt * degrees),), (3, 6, 10)),
        "picture_in_picture": _three(
            lambda share: (PictureInPicture(beds.footage, share, x, y),), (0.75, 0.55, 0.35)
        ),
        "logo": _three(lambda share: (Logo(share, corner, 0.05, 0.9, seed),), (0.12, 0.25, 0.4)),
        "caption": _three(
            lambda share: (Caption("WATCH THE WHOLE FILM HERE", share, 0.9),), (0.1, 0.2, 0.3)
        ),
        "colours": (
            (colours(0.08, 1.1, 1.2, 5),),
            (colours(-0.15, 1.25, 0.6, 15),),
            (colours(0.22, 0.7, 1.6, 40),),
        ),
        "grey": (
            (colours(0.0, 1.0, 0.4, 0),),
            (grey(),),
            (grey(), colours(-0.08, 1.4, 1.0, 0)),
        ),
        "blur": _three(lambda sigma: (blur(sigma),), (1.5, 3, 6)),
        "grain": _three(lambda amount: (grain(amount),), (12, 25, 50)),
        "low_resolution": _three(lambda height: (low_resolution(height),), (180, 144, 90)),
        "inserted_frames": _three(lambda every: (InsertedFrames(every, seed),), (75, 40, 15)),
    }


def _three(make: Callable[[Any], tuple[PictureStep, ...]], values: tuple[Any, ...]) -> _Chains:
    first, second, third = (make(value) for value in values)
    return first, second, third


def _formats() -> Iterator[Case]:
    forms = {
        "low_bitrate": [
            replace(PLAIN_PICTURE, bitrate=b, gop=250) for b in (120_000, 60_000, 30_000)
        ],
        "scale": [
            replace(PLAIN_PICTURE, width=1920, height=1080, bitrate=1_200_000),
            replace(PLAIN_PICTURE, width=640, height=360),
            replace(PLAIN_PICTURE, width=256, height=144, bitrate=80_000),
        ],
        "frame_rate": [replace(PLAIN_PICTURE, frame_rate=Fraction(r)) for r in (30, 15, 8)],
    }
    for name, three in forms.items():
        for strength, form in zip(STRENGTHS, three, strict=True):
            yield Case(Edit(name), strength, True, video=form)
    for strength, speed in zip(STRENGTHS, (1.05, 0.893, 1.25), strict=True):
        yield Case(Edit("film_speed", speed=speed), strength, True)


def _streams(beds: Beds) -> Iterator[Case]:
    for strength, seconds in zip(
        STRENGTHS, ((45.0, 60.0), (28.0, 36.0), (18.0, 22.0)), strict=True
    ):
        yield Case(Edit("new_sound", new_sound=beds.song), strength, True, seconds=seconds)
        yield Case(Edit("new_picture", new_picture=beds.footage), strength, True, seconds=seconds)


def _combined(beds: Beds, rng: random.Random) -> Iterator[Case]:
    """A repost with logo and caption, a reaction with a presenter, a copy made to evade."""
    seed = rng.randrange(1 << 16)
    for level, strength in enumerate(STRENGTHS):
        repost = (
            crop((0.95, 0.85, 0.75)[level]),
            Logo((0.1, 0.18, 0.25)[level], 0.75, 0.05, 0.9, seed),
            Caption("SUBSCRIBE", (0.08, 0.12, 0.2)[level], 0.8),
        )
        form = replace(PLAIN_PICTURE, bitrate=(120_000, 80_000, 50_000)[level])
        yield Case(Edit("repost", picture=repost), strength, True, video=form)
        share, snr = (0.75, 0.6, 0.5)[level], (10.0, 5.0, 2.0)[level]
        reaction = Edit(
            "reaction",
            picture=(PictureInPicture(beds.footage, share, 0.1, 0.1),),
            sound=(Mixed(beds.speech, 2.0, snr),),
        )
        yield Case(reaction, strength, True)
        evasion = Edit(
            "evasion",
            speed=(1.03, 1.06, 1.1)[level],
            pitch="coupled",
            picture=(mirror(), crop((0.95, 0.9, 0.85)[level]), colours(0.05, 1.1, 0.8, 8)),
            sound=(highpass(200.0),),
        )
        yield Case(evasion, strength, True)
