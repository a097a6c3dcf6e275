"""How far apart a fingerprinter keeps copies and strangers: cosines under real edits.

The floor of the matcher's evidence lies where unrelated windows thin out; a new fingerprinter
is first compared here with the baselines.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from avm_core.benchmark.cosines import best, fingerprint_of, same_moment
from avm_core.benchmark.edits import Clip, Edit, Planted, make_copy
from avm_core.benchmark.edits.picture import colours, crop, grey, letterbox, mirror
from avm_core.benchmark.edits.sound import volume
from avm_core.config import Settings
from avm_core.fingerprint.registry import Fingerprinter, create
from avm_core.media.write import AudioFormat, VideoFormat
from avm_core.types import MODALITIES, Fingerprint, Float32, Modality

# An odd start: the copy's windows must not fall on the title's by luck.
_START, _LENGTH = 10.11, 24.0
_LOW = VideoFormat(width=240, height=136, bitrate=60_000, gop=75)
_THIN = AudioFormat(bitrate=32_000)

EDITS: dict[Modality, tuple[Edit, ...]] = {
    "audio": (
        Edit(name="reencode"),
        Edit(name="volume -12 dB", sound=(volume(-12.0),)),
        Edit(name="speed 1.05", speed=1.05),
        Edit(name="speed 1.05, pitch too", speed=1.05, pitch="coupled"),
        Edit(name="speed 0.9", speed=0.9),
    ),
    "video": (
        Edit(name="reencode"),
        Edit(name="crop 75 %", picture=(crop(0.75),)),
        Edit(name="letterbox 80 %", picture=(letterbox(0.8),)),
        Edit(name="mirror", picture=(mirror(),)),
        Edit(name="grey", picture=(grey(),)),
        Edit(name="darker", picture=(colours(-0.2, 1.0, 1.0, 0.0),)),
    ),
}


def measure_separation(files: Sequence[Path], modality: Modality) -> dict[str, Any]:
    """{"unrelated": {"p50", "p99"}, "edits": {name: {"median", "p10", "above_p99"}}}.

    `unrelated`: every copy's window with its best window in each other title. Edits: the cosine
    of each window of a 24 s copy with the window at the same moment of its own title, and the
    share of them above the unrelated p99. Flat and silent windows do not count.
    """
    settings = Settings()
    name = settings.audio_fingerprinter if modality == "audio" else settings.video_fingerprinter
    maker = create(name, settings.decode, device=settings.device)
    titles = [fingerprint_of(maker, path) for path in files]
    same: dict[str, list[Float32]] = {edit.name: [] for edit in EDITS[modality]}
    strangers: list[Float32] = []
    with tempfile.TemporaryDirectory(prefix="avm-bench-") as folder:
        for number, path in enumerate(files):
            for edit in EDITS[modality]:
                copy, planted = _copy(maker, path, edit, Path(folder) / "copy.mp4")
                same[edit.name].append(same_moment(copy, titles[number], planted)[1])
                others = titles[:number] + titles[number + 1 :]
                strangers += [best(copy, other) for other in others]
    unrelated = np.concatenate(strangers)
    bar = float(np.quantile(unrelated, 0.99))
    edits = {key: _summary(np.concatenate(values), bar) for key, values in same.items()}
    p50 = float(np.median(unrelated))
    return {"fingerprinter": name, "unrelated": {"p50": p50, "p99": bar}, "edits": edits}


def measure_all(files: Sequence[Path]) -> dict[str, Any]:
    """`measure_separation` of both modalities."""
    return {modality: measure_separation(files, modality) for modality in MODALITIES}


def _summary(cosines: Float32, bar: float) -> dict[str, float]:
    return {
        "median": float(np.median(cosines)),
        "p10": float(np.quantile(cosines, 0.1)),
        "above_p99": float(np.mean(cosines > bar)),
    }


def _copy(maker: Fingerprinter, path: Path, edit: Edit, out: Path) -> tuple[Fingerprint, Planted]:
    clip = Clip(path, _START, _START + _LENGTH)
    [planted] = make_copy([clip], out, edit, video_format=_LOW, audio_format=_THIN)
    return fingerprint_of(maker, out), planted
