"""Uploads with planted copies, and what is asserted about every match found in them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from avm_core.config import MatchConfig
from avm_core.match.align import align
from tests.builders import cut, make_fingerprint, make_tape, splice

CONFIG = MatchConfig()
BOTH = ("audio", "video")
# The synthetic windows climb in a straight line where real ones jump, which moves every cut
# out by up to 0.8 s; pictures are a second apart.
NEAR = 1.25


def prints(tapes, **options):
    return {m: make_fingerprint(tape, modality=m, **options) for m, tape in tapes.items()}


def tapes(seed, seconds, modalities=BOTH):
    return {m: make_tape(seed, seconds, m) for m in modalities}


def spliced(*parts):
    """Each part is tapes by modality, or (tapes, start, end[, speed])."""
    cuts = [
        part if isinstance(part, dict) else {m: _cut(t, *part[1:]) for m, t in part[0].items()}
        for part in parts
    ]
    return {m: splice(*(c[m] for c in cuts)) for m in cuts[0]}


def _cut(tape, start, end, speed=1.0):
    return cut(tape, start, end, speed=speed)


def found(ugc, licensed, config=CONFIG, *, noise=0.35, phase=0.0):
    """Matches of a noisy upload whose pictures are sampled half a second off."""
    upload = {m: make_fingerprint(t, modality=m, noise=noise) for m, t in ugc.items()}
    title = {
        m: make_fingerprint(t, modality=m, phase=0.5 if m == "video" else phase)
        for m, t in licensed.items()
    }
    return align("upload", "title", upload, title, config)


def spans(matches):
    return [(m.ugc_start, m.ugc_end, m.licensed_start, m.licensed_end) for m in matches]


def assert_spans(matches, wanted, near=NEAR):
    assert len(matches) == len(wanted), spans(matches)
    np.testing.assert_allclose(spans(matches), wanted, atol=near)
    for match in matches:
        length = match.speed * (match.ugc_end - match.ugc_start)
        assert match.licensed_end - match.licensed_start == pytest.approx(length, abs=0.01)


def assert_sane(matches, ugc_end, licensed_end):
    for match in matches:
        assert 0 <= match.ugc_start < match.ugc_end <= ugc_end
        assert 0 <= match.licensed_start < match.licensed_end <= licensed_end
        assert CONFIG.min_score <= match.score <= 1
        assert match.ugc_end - match.ugc_start >= CONFIG.min_duration - 1e-3
    for one, two in itertools.pairwise(matches):
        assert one.ugc_end <= two.ugc_start
