"""Edits of sound, each at three strengths, for uploads without a picture."""

from __future__ import annotations

import random
from collections.abc import Iterator

from avm_core.benchmark.edits import Edit
from avm_core.benchmark.edits.sound import (
    Hissed,
    Mixed,
    Pitched,
    Resampled,
    Reverberant,
    Silenced,
    compress,
    equalise,
    highpass,
    lowpass,
    volume,
)
from avm_core.benchmark.edits.types import SoundStep
from avm_core.benchmark.sets.cases import Beds, Case, Shape
from avm_core.benchmark.sets.manifest import STRENGTHS
from avm_core.media.write import AudioFormat

_Three = tuple[tuple[SoundStep, ...], tuple[SoundStep, ...], tuple[SoundStep, ...]]

SPEEDS = (1.05, 1.12, 1.25)
SNRS = (10.0, 5.0, 0.0)


def sound_cases(beds: Beds, rng: random.Random) -> Iterator[Case]:
    """Every edit of the menu for sound, once at each strength; `rng` picks signs and seeds."""
    yield from _shapes()
    yield from _stepped(beds, rng)
    yield from _speeds(rng)
    yield from _codecs()
    yield from _combined(beds, rng)


def _shapes() -> Iterator[Case]:
    lengths = ((50.0, 70.0), (28.0, 40.0), (18.0, 22.0))
    shapes: tuple[tuple[str, Shape, int], ...] = (
        ("excerpt", "bare", 1),
        ("inside_foreign", "inside", 1),
        ("several_excerpts", "several_excerpts", 3),
        ("several_titles", "several_titles", 3),
        ("shared_jingle", "shared", 1),
    )
    for name, shape, count in shapes:
        for strength, seconds in zip(STRENGTHS, lengths, strict=True):
            own = (18.0, 24.0) if count > 1 else seconds
            yield Case(Edit(f"sound_{name}"), strength, False, shape, count, own)


def _stepped(beds: Beds, rng: random.Random) -> Iterator[Case]:
    sign = rng.choice((1, -1))
    seed = rng.randrange(1 << 16)
    start = round(rng.uniform(0, 20), 1)
    menu: dict[str, _Three] = {
        "pitch": _three(lambda n: Pitched(sign * n), (1, 2, 4)),
        "volume": _three(volume, (-6.0, -15.0, -25.0)),
        "compression": _three(lambda t: compress(threshold_db=t, ratio=8.0), (-18.0, -28.0, -38.0)),
        "equaliser": _three(
            lambda g: equalise(((120.0, g), (1_000.0, -g), (5_000.0, g))), (4.0, 8.0, 12.0)
        ),
        "lowpass": _three(lowpass, (5_000.0, 3_000.0, 1_500.0)),
        "highpass": _three(highpass, (250.0, 600.0, 1_200.0)),
        "resample": _three(Resampled, (22_050, 11_025, 8_000)),
        "noise": _three(lambda s: Hissed(s, seed, "pink"), SNRS),
        "speech_over": _three(lambda s: Mixed(beds.speech, start, s), SNRS),
        "music_over": _three(lambda s: Mixed(beds.song, start, s), SNRS),
        "reverb": _three(lambda r: Reverberant(r[0], r[1], seed), _ROOMS),
        "silences": _three(lambda g: Silenced(g[0], g[1], seed), _GAPS),
    }
    for name, steps in menu.items():
        for strength, chain in zip(STRENGTHS, steps, strict=True):
            yield Case(Edit(name, sound=chain), strength, False)


_ROOMS = ((0.3, 0.3), (0.7, 0.45), (1.4, 0.6))  # seconds of decay, share of reverberation
_GAPS = ((2, 0.4), (3, 0.8), (4, 1.5))  # how many, seconds of each


def _three(make, values) -> _Three:  # type: ignore[no-untyped-def]
    first, second, third = ((make(value),) for value in values)
    return first, second, third


def _speeds(rng: random.Random) -> Iterator[Case]:
    for strength, speed in zip(STRENGTHS, SPEEDS, strict=True):
        faster = rng.random() < 0.5
        factor = speed if faster else round(1 / speed, 4)
        yield Case(Edit("tempo", speed=factor, pitch="kept"), strength, False)
        yield Case(Edit("speed", speed=factor, pitch="coupled"), strength, False)


def _codecs() -> Iterator[Case]:
    menu = {
        "mp3": (
            ("libmp3lame", 44_100, 128_000),
            ("libmp3lame", 32_000, 48_000),
            ("libmp3lame", 22_050, 24_000),
            ".mp3",
        ),
        "aac": (("aac", 44_100, 128_000), ("aac", 44_100, 48_000), ("aac", 22_050, 24_000), ".m4a"),
        "opus": (
            ("libopus", 48_000, 128_000),
            ("libopus", 48_000, 48_000),
            ("libopus", 48_000, 24_000),
            ".mkv",
        ),
    }
    for name, (*forms, suffix) in menu.items():
        for strength, (codec, rate, bitrate) in zip(STRENGTHS, forms, strict=True):
            form = AudioFormat(codec=codec, sample_rate=rate, bitrate=bitrate)
            yield Case(Edit(name), strength, False, audio=form, suffix=suffix)


def _combined(beds: Beds, rng: random.Random) -> Iterator[Case]:
    """What uploaders really do: a phone in a room, a presenter over music, a disguised song."""
    seed = rng.randrange(1 << 16)
    for level, strength in enumerate(STRENGTHS):
        room = Reverberant(_ROOMS[level][0], _ROOMS[level][1], seed)
        phone = (room, highpass(200.0 + 100 * level), Hissed(SNRS[level] + 5, seed, "pink"))
        yield Case(Edit("phone_in_a_room", sound=phone), strength, False, audio=_FORMS[level])
        over = (compress(threshold_db=-24.0, ratio=4.0), Mixed(beds.speech, 3.0, SNRS[level] + 2))
        yield Case(
            Edit("presenter", sound=over),
            strength,
            False,
            audio=AudioFormat(codec="libopus", sample_rate=48_000, bitrate=48_000),
            suffix=".mkv",
        )
        hidden = (Pitched((0.5, 1, 2)[level]), equalise(((300.0, 5.0), (4_000.0, -5.0))))
        speed = (1.03, 1.06, 1.12)[level]
        yield Case(Edit("disguised_song", speed=speed, sound=hidden), strength, False)


_FORMS = (
    AudioFormat(bitrate=96_000),
    AudioFormat(bitrate=64_000),
    AudioFormat(sample_rate=32_000, bitrate=32_000),
)
