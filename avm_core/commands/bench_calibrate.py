"""`avm bench calibrate`: the numbers behind `match/calibration.py`, for any sound fingerprinter."""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from avm_core.benchmark.calibrate import MIN_SECONDS, measure_calibration
from avm_core.benchmark.sets.build import SEED
from avm_core.benchmark.sources.catalogue import Source, sources
from avm_core.config import load_settings
from avm_core.errors import BadSettings
from avm_core.fingerprint.registry import Fingerprinter, create, create_from_weights


def calibrate(arguments: argparse.Namespace) -> dict[str, Any]:
    """Cosines of the fingerprinters named by `--only` (`name@1`: windows of 1 s) and of the
    weights files of `--weights` (`FILE@1`), on `--count` tracks of music of the train split."""
    makers = _makers(arguments)
    cache = Path(arguments.sources)
    music = [s for s in _found(cache, "music", MIN_SECONDS) if s.audio]
    if len(music) < arguments.count:
        raise BadSettings(
            f"there are {len(music)} tracks of a minute: choose a smaller --count, "
            "or check `avm bench sources`"
        )
    rng = random.Random(SEED if arguments.seed is None else arguments.seed)
    tracks = [source.path for source in rng.sample(music, arguments.count)]
    # Speech is looped where it is shorter than a track's copy: the longest repeats least.
    speech = sorted(_found(cache, "speech", 0.0), key=lambda s: -s.duration)
    return measure_calibration(makers, tracks, [s.path for s in speech[: arguments.count]])


def _found(cache: Path, kind: str, min_seconds: float) -> list[Source]:
    return sources("train", cache, kinds=(kind,), min_seconds=min_seconds)[0]


def _makers(arguments: argparse.Namespace) -> dict[str, Fingerprinter]:
    names, files = arguments.only, arguments.weights
    if not names and not files:
        names = load_settings().audio_fingerprinter
    makers = {text: _windowed(text, _registered) for text in _words(names)}
    return makers | {text: _windowed(text, _unregistered) for text in _words(files)}


def _words(text: str | None) -> list[str]:
    return text.split(",") if text else []


def _windowed(text: str, build: Callable[[str, float | None], Fingerprinter]) -> Fingerprinter:
    """Of `NAME[@SECONDS]`."""
    name, _, window = text.partition("@")
    try:
        seconds = float(window) if window else None
    except ValueError as error:
        raise BadSettings(f"{text!r}: after @ comes a window in seconds") from error
    maker = build(name, seconds)
    if maker.id.modality != "audio":
        raise BadSettings(f"{name} describes pictures: a calibration is of sound alone")
    return maker


def _registered(name: str, window: float | None) -> Fingerprinter:
    settings = load_settings()
    return create(name, settings.decode, device=settings.device, window=window)


def _unregistered(name: str, window: float | None) -> Fingerprinter:
    return create_from_weights(Path(name), device=load_settings().device, window=window)
