"""Uploads of many hours and of many matches: bounded memory, and no work per pair of matches."""

import itertools

import numpy as np
import pytest

from avm_core.config import MatchConfig
from avm_core.match import align as align_module
from avm_core.match import blocks, boundary, peaks, signals
from avm_core.match.align import align
from avm_core.match.claims import Claims
from avm_core.match.evidence import Track
from avm_core.match.vote import Line
from avm_core.types import Fingerprint
from tests.avm_core.match.planted import CONFIG
from tests.builders import IDS, make_match

STEP = 0.5


def sound(rows):
    """A fingerprint of the rows, twice a second."""
    peak = np.abs(rows).max(axis=1, keepdims=True)
    count = len(rows)
    return Fingerprint(
        content_id="made",
        fingerprinter=IDS["audio"],
        descriptors=np.rint(rows / peak * 127).astype(np.int8),
        starts=STEP * np.arange(count),
        window=3.0,
        valid=np.ones(count, np.bool_),
        duration=STEP * count + 2.5,
    )


def noise(seed, seconds):
    return np.random.default_rng(seed).standard_normal((round(seconds / STEP), 32), np.float32)


def test_an_upload_of_twenty_hours_is_aligned_in_blocks(monkeypatch):
    """144,000 windows; the similarities that are there at a time are few, whatever the length."""
    title, upload = noise(1, 300), noise(2, 20 * 3600)
    places = (1000.0, 40_000.0, 71_000.0)
    for place in places:
        at = round(place / STEP)
        upload[at : at + 120] = title[200:320]
    seen = []
    bars = peaks._bars
    monkeypatch.setattr(peaks, "_bars", lambda s, *rest: seen.append(s.size) or bars(s, *rest))
    matches = align("u", "t", {"audio": sound(upload)}, {"audio": sound(title)}, CONFIG)
    assert [round(m.ugc_start) for m in matches] == pytest.approx(places, abs=2)
    assert all(round(m.licensed_start) == pytest.approx(100, abs=2) for m in matches)
    assert len(seen) > 50
    assert sum(seen) == len(upload) * len(title)
    assert max(seen) <= blocks._AT_ONCE


def line_of_excerpts(count, excerpt, gap):
    """A track with `count` excerpts on one line, of `excerpt` windows and `gap` foreign ones."""
    title = noise(3, STEP * count * (excerpt + gap))
    upload = noise(4, STEP * len(title))
    kept = (np.arange(len(title)) % (excerpt + gap)) < excerpt
    upload[kept] = title[kept]
    query, ref = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (upload, title))
    times = STEP * np.arange(len(title)) + 0.5
    bar, none = np.full(len(title), 0.6, np.float32), np.empty((0, 2))
    climb = tuple(np.linspace(0, 1, 13))
    return Track("audio", times, times, query, ref, bar, bar, 0.6, STEP, 1.0, climb, (none, none))


def test_ten_thousand_matches_on_one_line_walk_it_once(monkeypatch):
    """Excerpts of 4 s with 3 s of something else between them, over 19 hours."""
    count = 10_000
    track = line_of_excerpts(count, 8, 6)
    duration = float(track.query_times[-1]) + 0.5
    walks, looked_at = [], []
    along, find_cut = signals.along, boundary.find_cut
    monkeypatch.setattr(signals, "along", lambda *a: walks.append(1) or along(*a))
    monkeypatch.setattr(
        boundary,
        "find_cut",
        lambda times, *rest: looked_at.append(len(times)) or find_cut(times, *rest),
    )
    claims = Claims()
    found = align_module._cut(
        ("u", "t"),
        [track],
        Line(1.0, 0.0, 0.0),
        durations=(duration, duration),
        config=MatchConfig(min_duration=2.0, max_gap=2.0),
        excluded=np.empty((0, 2)),
        claims=claims,
    )
    assert found == len(claims) == count
    starts = np.array([match.ugc_start for match in claims.matches])
    np.testing.assert_allclose(starts, 7.0 * np.arange(count), atol=0.6)
    assert len(walks) == 1
    assert max(looked_at) < 50  # of 140,000 windows


def test_claims_keep_matches_apart_and_in_order():
    claims = Claims()
    order = np.random.default_rng(0).permutation(2_000)
    for n in order:
        start, end = claims.apart((10.0 * n - 1, 10.0 * n + 12), 10.0 * n + 5)
        claims.add(make_match(ugc_start=start, ugc_end=end))
    matches = claims.matches
    assert len(matches) == len(claims) == 2_000
    for one, two in itertools.pairwise(matches):
        assert one.ugc_start < one.ugc_end <= two.ugc_start
    # The first to come took what it wanted, the others what was left.
    first = int(order[0])
    assert (matches[first].ugc_start, matches[first].ugc_end) == (
        10.0 * first - 1,
        10.0 * first + 12,
    )
    at = np.arange(0.0, 19_990.0, 0.5)
    by_definition = [any(m.ugc_start <= t < m.ugc_end for m in matches[:20]) for t in at[:100]]
    np.testing.assert_array_equal(claims.cover(at)[:100], by_definition)
    assert not claims.cover(np.array([-5.0, 30_000.0])).any()
    assert not Claims().cover(at).any()
