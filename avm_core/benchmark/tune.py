"""Every rival gets the threshold that suits it best on a set: tune on dev, report on test."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from avm_core.benchmark.quality import Progress, find_matches, score_system
from avm_core.benchmark.rivals.base import System, missing
from avm_core.benchmark.rivals.chromaprint import ChromaprintSystem
from avm_core.benchmark.rivals.landmarks import LandmarkSystem
from avm_core.benchmark.rivals.origin import OriginSystem
from avm_core.benchmark.rivals.pdq import PdqSystem
from avm_core.benchmark.rivals.registry import other_sounds
from avm_core.benchmark.sets.manifest import SetManifest
from avm_core.config import load_settings
from avm_core.errors import BadSettings

_COSINES = (0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)


def _menus() -> dict[str, tuple[Callable[[Any], System], tuple[float, ...]]]:
    settings = load_settings()
    origins = {"audio": settings, **other_sounds(settings)}
    return {
        **{
            f"origin ({label})": (partial(OriginSystem, "audio", made, label=label), _COSINES)
            for label, made in origins.items()
        },
        "origin (video)": (partial(OriginSystem, "video", settings), _COSINES),
        "chromaprint": (ChromaprintSystem, (3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 7.0, 8.0, 9.0)),
        "landmarks": (LandmarkSystem, (5, 8, 12, 16, 24, 32)),
        "pdq": (PdqSystem, (31, 40, 50, 60, 70, 80)),
    }


def tune(
    name: str, manifest: SetManifest, folder: Path, prints: Path, tell: Progress
) -> dict[str, float]:
    """`final` on the system's own task for each threshold of its menu.

    Raises `BadSettings` for a system that has no threshold to tune, or cannot run here.
    """
    menus = _menus()
    if name not in menus:
        raise BadSettings(f"nothing to tune in {name!r}: choose from {', '.join(menus)}")
    build, values = menus[name]
    found: dict[str, float] = {}
    for value in values:
        system = build(value)
        reason = missing(system)
        if reason:
            raise BadSettings(f"{name} cannot run here: {reason}")
        matches = find_matches(system, manifest, folder, prints, tell)
        scores = score_system(matches, manifest, system.task)["overall"]
        found[str(value)] = round(float(scores["final"]), 4)
    return found
