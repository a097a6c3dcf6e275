"""Fingerprinters of pictures whose frames can be compared one by one, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from avm_core.benchmark.rivals.avm import AvmPrinter
from avm_core.benchmark.rivals.base import Printer
from avm_core.benchmark.rivals.pdq import PdqPrinter, parse_prints
from avm_core.benchmark.rivals.sscd import NAME, SscdPrinter
from avm_core.config import Settings, load_settings
from avm_core.errors import BadSettings
from avm_core.fingerprint import codec, registry
from avm_core.match.calibration import Calibration, calibration
from avm_core.models.background import Background
from avm_core.models.checkpoint import trained
from avm_core.models.projection import load_background
from avm_core.types import FingerprinterId, Float32, Float64


@dataclass(frozen=True, slots=True)
class Pictures:
    """The valid pictures of one media: seconds [n], ascending, and unit vectors [n, D]."""

    times: Float64
    vectors: Float32


@dataclass(frozen=True, slots=True)
class FrameSource:
    """A printer and how to `read` a print that it made, which is not empty; the `background` and
    the `scale` of its similarities are None where it has none."""

    name: str
    printer: Printer
    read: Callable[[bytes], Pictures]
    background: Background | None = None
    scale: Calibration | None = None


def frame_sources(names: Sequence[str] | None = None) -> list[FrameSource]:
    """All that AVM has, the configured one, `pdq` and `sscd`; or those named, among them any
    `video_…` that AVM can make. Raises `BadSettings` for a name that is not there."""
    settings = load_settings()
    if names is None:
        configured = (settings.video_fingerprinter,) if settings.video_fingerprinter else ()
        ours = [name for name in registry.names() if name.startswith("video_")]
        names = [*dict.fromkeys((*ours, *configured)), "pdq", "sscd"]
    return [_source(name, settings) for name in names]


def _source(name: str, settings: Settings) -> FrameSource:
    if name == "pdq":
        return FrameSource(name, PdqPrinter(), pdq_pictures)
    if name == "sscd":
        scale = calibration(FingerprinterId(NAME, ""))
        return FrameSource(name, SscdPrinter(settings), artefact_pictures, scale=scale)
    if not name.startswith("video_"):
        raise BadSettings(f"{name!r} describes no pictures: choose a video_… one, pdq or sscd")
    identity = registry.identify(name, settings.decode)
    printer = AvmPrinter("video", settings.model_copy(update={"video_fingerprinter": name}))
    weights = trained(name)
    background = load_background(weights) if weights.is_file() else None
    return FrameSource(name, printer, artefact_pictures, background, calibration(identity))


def artefact_pictures(data: bytes) -> Pictures:
    """Of an encoded Fingerprint."""
    made = codec.decode(data).whole()
    return Pictures(made.starts[made.valid] + made.window / 2, made.unit_vectors()[made.valid])


def pdq_pictures(data: bytes) -> Pictures:
    """Bits as ±1, so that the cosine is 1 - distance / 128."""
    times, bits = parse_prints(data)
    return Pictures(times, (bits / np.sqrt(bits.shape[1])).astype(np.float32))
