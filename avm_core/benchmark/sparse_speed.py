"""What pictures cost where key frames are near enough to be all that is decoded, and where not.

A fingerprint of pictures is fast because most of a film is never decoded. That ends where key
frames lie farther apart than `max_keyframe_gap`: then every frame is decoded, and the time goes
there. One film, encoded both ways.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from avm_core.benchmark.edits import Clip, Edit, make_copy
from avm_core.benchmark.stages import measure_modality
from avm_core.media.probe import probe
from avm_core.media.write import VideoFormat

_SECONDS = 60.0  # of the film, at most
_KEY_GAPS = (2, 10)  # seconds between key frames
_RATE = 25
# Without a key frame at every cut, which would bring them nearer than was asked for.
_OPTIONS = (("preset", "superfast"), ("sc_threshold", "0"))


def make_films(source: Path, folder: Path) -> dict[int, Path]:
    """The beginning of `source` as silent H.264 at 720p and 25 frames a second, by seconds
    between key frames. Raises as `make_copy` does."""
    clip = Clip(source, 0.0, min(_SECONDS, probe(source).duration - 0.1))
    films = {}
    for gap in _KEY_GAPS:
        films[gap] = folder / f"key_{gap}s.mp4"
        form = VideoFormat(
            gop=gap * _RATE, width=1280, height=720, bitrate=2_000_000, options=_OPTIONS
        )
        make_copy([clip], films[gap], Edit("plain", drop="sound"), video_format=form)
    return films


def measure_sparse(source: Path) -> dict[str, dict[str, Any]]:
    """{"2", "10": {"decode_x", "x", "vs_decode", "media_seconds", "stages"}}, by seconds between
    key frames, of the first minute of `source`; see `measure_speed`."""
    with tempfile.TemporaryDirectory(prefix="avm-bench-") as folder:
        films = make_films(source, Path(folder))
        return {str(gap): _measured(film) for gap, film in films.items()}


def _measured(film: Path) -> dict[str, Any]:
    found = measure_modality("video", {film: probe(film)})
    return {
        "decode_x": found["decode_x"],
        "x": found["whole_x"],
        "vs_decode": found["whole_vs_decode"],
        "media_seconds": found["media_seconds"],
        "stages": found,
    }
