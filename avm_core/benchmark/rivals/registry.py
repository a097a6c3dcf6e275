"""The systems of the table, by name and in its order."""

from __future__ import annotations

from collections.abc import Sequence

from avm_core.benchmark.rivals.avm import AvmSystem
from avm_core.benchmark.rivals.base import System
from avm_core.benchmark.rivals.chromaprint import ChromaprintSystem
from avm_core.benchmark.rivals.landmarks import LandmarkSystem
from avm_core.benchmark.rivals.origin import OriginSystem
from avm_core.benchmark.rivals.pdq import PdqSystem
from avm_core.benchmark.rivals.sscd import SscdSystem
from avm_core.config import Settings, load_settings
from avm_core.errors import BadSettings
from avm_core.fingerprint import registry as fingerprinters


def other_sounds(settings: Settings) -> dict[str, Settings]:
    """Settings with each audio fingerprinter that is not the configured one, by its name."""
    return {
        name: settings.model_copy(update={"audio_fingerprinter": name})
        for name in fingerprinters.names()
        if name.startswith("audio_") and name != settings.audio_fingerprinter
    }


def systems(names: Sequence[str] | None = None) -> list[System]:
    """All systems, or those named. Raises `BadSettings` for a name that is not there."""
    settings = load_settings()
    others = other_sounds(settings)
    every: list[System] = [
        *(AvmSystem(task, settings) for task in ("both", "audio", "video")),
        *(AvmSystem("audio", other, label) for label, other in others.items()),
        *(OriginSystem(modality, settings) for modality in ("audio", "video")),
        *(OriginSystem("audio", other, label=label) for label, other in others.items()),
        ChromaprintSystem(),
        LandmarkSystem(),
        PdqSystem(),
        SscdSystem(settings),
    ]
    if names is None:
        return every
    by_name = {system.name: system for system in every}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise BadSettings(f"unknown system {unknown[0]!r}: choose from {', '.join(by_name)}")
    return [by_name[name] for name in names]
