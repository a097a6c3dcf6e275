"""What `match/calibration.py` needs to know of a sound fingerprinter, from copies of real tracks.

The rule for what is suggested: `hit` and `floor` are the cosines that a fifth and a tenth of the
windows find somewhere in a stranger; that many are no harm, since copies are found by sequences of
windows. `margin` leaves the floor in force for 99 of 100 windows of ordinary music (floor less the
p99 of the own background), but is at most 0.2: for the fingerprinters there are, that cap decides.
The rule comes within 0.03 of what was tuned by hand on the dev set for `audio_logmel.dct` and
`audio_conv.v2`; both were looked at when it was chosen. `climb` is measured, not a rule.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from avm_core.benchmark.cosines import background, best, fingerprint_of, same_moment
from avm_core.benchmark.edits import Clip, Edit, Planted, make_copy
from avm_core.benchmark.edits.sound import (
    Hissed,
    Mixed,
    Pitched,
    Reverberant,
    highpass,
    lowpass,
)
from avm_core.benchmark.edits.types import SoundStep
from avm_core.errors import BadSettings
from avm_core.fingerprint.parallel import for_each
from avm_core.fingerprint.registry import Fingerprinter
from avm_core.match.calibration import CLIMB_AT
from avm_core.media.write import AudioFormat
from avm_core.types import Fingerprint, Float32, Float64

# An odd start: the copy's windows must not fall on the title's by luck.
_START, _LENGTH = 20.11, 24.0
_FORM = AudioFormat(bitrate=48_000)
_PLAIN = Edit("reencode", drop="picture")
# Seconds of foreign sound on either side of a copy. The cuts fall differently into the raster of
# windows from track to track, so that all distances from a cut occur.
_FOREIGN, _RASTER = 10.0, 0.5
# How far, in half windows, a window may lie from a position of the climb and count for it.
_NEAR = 0.1
_WIDEST = 0.2  # the margin, at most
MIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Heard:
    """What the copies of one track show: cosines `same` by edit, of `strangers` and of the
    `background`, [n] each, and `edges` [2, n]: half windows from the middle of a window to the
    cut, and its similarity as a share of the level inside."""

    same: dict[str, Float32]
    strangers: list[Float32]
    background: list[Float32]
    edges: Float64


def edits(speech: Path) -> tuple[Edit, ...]:
    """What is done to each track; `speech` is mixed over it."""
    sounds: dict[str, SoundStep] = {
        "noise 5 dB": Hissed(5.0, 1, "pink"),
        "noise 0 dB": Hissed(0.0, 1, "pink"),
        "speech 0 dB": Mixed(speech, 0.0, 0.0),
        "pitch +2": Pitched(2),
        "pitch -4": Pitched(-4),
        "lowpass 1500 Hz": lowpass(1500.0),
        "highpass 1200 Hz": highpass(1200.0),
        "reverb": Reverberant(1.4, 0.6, 1),
    }
    return (
        _PLAIN,
        *(Edit(name, sound=(step,), drop="picture") for name, step in sounds.items()),
        Edit("tempo 1.1", speed=1.1, drop="picture"),
        Edit("speed 1.1", speed=1.1, pitch="coupled", drop="picture"),
        Edit("speed 1.25", speed=1.25, pitch="coupled", drop="picture"),
    )


def measure_calibration(
    makers: Mapping[str, Fingerprinter], tracks: Sequence[Path], speech: Sequence[Path]
) -> dict[str, Any]:
    """{"tracks", "fingerprinters": {name: {"same": {edit: {"median", "p10"}}, "strangers",
    "own_background", "suggested": {"hit", "floor", "margin", "climb"}}}}.

    `same`: cosines of the windows of a 24 s copy with the same moments of their own track.
    `strangers`: each window's best cosine within each other track. `own_background`: the median
    of each window's cosines with all of its own track. All copies are encoded at 48 kb/s. Raises
    `BadSettings` for tracks too short or too few.
    """
    if len(tracks) < 2 or not speech:
        raise BadSettings("a calibration needs two tracks and speech: check `avm bench sources`")
    titles = for_each(partial(_printed, makers), tracks)
    listen = partial(_listen, makers, titles, tracks, speech)
    heard = for_each(listen, range(len(tracks)))
    found = {name: _summary([one[name] for one in heard]) for name in makers}
    return {"tracks": len(tracks), "fingerprinters": found}


def _printed(makers: Mapping[str, Fingerprinter], path: Path) -> dict[str, Fingerprint]:
    return {name: fingerprint_of(maker, path) for name, maker in makers.items()}


def _listen(
    makers: Mapping[str, Fingerprinter],
    titles: Sequence[Mapping[str, Fingerprint]],
    tracks: Sequence[Path],
    speech: Sequence[Path],
    number: int,
) -> dict[str, _Heard]:
    """Copies of one track are made once for all fingerprinters."""
    clip = Clip(tracks[number], _START, _START + _LENGTH)
    copies = {
        edit.name: _made(makers, [clip], edit) for edit in edits(speech[number % len(speech)])
    }
    foreign, length = tracks[number - 1], _FOREIGN + _RASTER * number / len(tracks)
    before = Clip(foreign, _START, _START + length, licensed=False)
    after = Clip(foreign, _START + length, _START + length + _FOREIGN, licensed=False)
    planted, joined = _made(makers, [before, clip, after], _PLAIN)
    heard = {}
    for name in makers:
        title = titles[number][name]
        others = [other[name] for place, other in enumerate(titles) if place != number]
        heard[name] = _Heard(
            {edit: same_moment(c[name], title, at)[1] for edit, (at, c) in copies.items()},
            [best(c[name], other) for _, c in copies.values() for other in others],
            [background(c[name], title) for _, c in copies.values()],
            _edges(joined[name], title, planted),
        )
    return heard


def _made(
    makers: Mapping[str, Fingerprinter], clips: Sequence[Clip], edit: Edit
) -> tuple[Planted, dict[str, Fingerprint]]:
    with tempfile.TemporaryDirectory(prefix="avm-calibrate-") as folder:
        copy = Path(folder) / "copy.m4a"
        [planted] = make_copy(clips, copy, edit, audio_format=_FORM)
        return planted, _printed(makers, copy)


def _edges(copy: Fingerprint, title: Fingerprint, planted: Planted) -> Float64:
    """`_Heard.edges` of both ends, the second mirrored in time. The level is that of windows a
    whole window or more away from a cut; without one this track says nothing."""
    middles, similarity = same_moment(copy, title, planted)
    start, end = middles - planted.ugc_start, planted.ugc_end - middles
    inside = similarity[np.minimum(start, end) >= copy.window]
    level = float(np.median(inside)) if len(inside) else 0.0
    if level <= 0:
        return np.empty((2, 0))
    distances = np.concatenate([start, end]) / (copy.window / 2)
    return np.stack([distances, np.tile(similarity / level, 2)])


def _summary(heard: Sequence[_Heard]) -> dict[str, Any]:
    same = {key: np.concatenate([one.same[key] for one in heard]) for key in heard[0].same}
    strangers = np.concatenate([part for one in heard for part in one.strangers])
    own = np.concatenate([part for one in heard for part in one.background])
    climb = _climb(np.concatenate([one.edges for one in heard], axis=1))
    return {
        "same": {key: _quantiles(values, median=0.5, p10=0.1) for key, values in same.items()},
        "strangers": _quantiles(strangers, p50=0.5, p80=0.8, p90=0.9, p99=0.99, p999=0.999),
        "own_background": _quantiles(own, p50=0.5, p90=0.9, p99=0.99),
        "suggested": {**_bars(strangers, own), "climb": climb},
    }


def _quantiles(cosines: Float32, **at: float) -> dict[str, float]:
    return {name: round(float(np.quantile(cosines, q)), 3) for name, q in at.items()}


def _bars(strangers: Float32, own: Float32) -> dict[str, float]:
    """Hit, floor and margin by the rule above."""
    hit, floor = (float(np.quantile(strangers, q)) for q in (0.8, 0.9))
    margin = float(np.clip(floor - np.quantile(own, 0.99), 0.0, _WIDEST))
    return {"hit": round(hit, 2), "floor": round(floor, 2), "margin": round(margin, 2)}


def _climb(edges: Float64) -> list[float]:
    """Median share of the level at each of `CLIMB_AT`, made monotone."""
    near = [edges[1, np.abs(edges[0] - at) <= _NEAR] for at in CLIMB_AT]
    if not all(len(shares) for shares in near):
        raise BadSettings("too few windows lie near a cut: take more tracks (--count)")
    shares = np.clip([np.median(shares) for shares in near], 0.0, 1.0)
    return [round(float(share), 2) for share in np.maximum.accumulate(shares)]
