"""What is computed cleverly for speed is what the plain definition gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avm_core.match import blocks, evidence, peaks
from avm_core.match.calibration import Calibration
from avm_core.match.evidence import along, make_track
from avm_core.match.segments import best_runs
from avm_core.match.vote import BIN, Evidence, Line, Votes, speeds
from tests.builders import make_fingerprint, make_tape, splice

SCALE = Calibration(0.3, 0.25, 0.1, sure=0.9)


def similarities(seed, rows=60, columns=41):
    """Some rows are high throughout, some hold a sure one, some have nothing."""
    rng = np.random.default_rng(seed)
    level = rng.choice([-0.3, 0.0, 0.2, 0.5], (rows, 1))
    values = rng.normal(level, 0.15, (rows, columns)).astype(np.float32)
    values[rng.random(rows) < 0.2, 7] = 0.95
    return values


# --- bars and peaks ---------------------------------------------------------------------------


def plain_bars(similarity):
    usual, best = np.median(similarity, axis=1), similarity.max(axis=1)
    bar = np.maximum(SCALE.floor, usual + SCALE.margin)
    half = np.maximum(SCALE.floor, 0.5 * (usual + best))
    sure = best >= SCALE.sure
    return np.where(sure, np.minimum(bar, half), bar), np.where(sure, SCALE.floor, bar)


def plain_peaks(similarity, bar):
    """(row, column, excess) of the five highest local maxima above the bar of each row."""
    found = []
    for row, values in enumerate(similarity):
        padded = np.concatenate([[-2], values, [-2]])
        tops = [
            (values[at] - bar[row], at)
            for at in range(len(values))
            if padded[at] <= values[at] > padded[at + 2] and values[at] > bar[row]
        ]
        found += [(row, at, value) for value, at in sorted(tops, reverse=True)[:5]]
    return sorted(found)


@pytest.mark.parametrize("seed", range(5))
def test_bars_and_peaks_are_those_of_all_similarities(seed):
    similarity = similarities(seed)
    high = peaks._above(similarity, peaks._least(SCALE))
    bar, base = peaks._bars(similarity, high, SCALE)
    for fast, plain in zip((bar, base), plain_bars(similarity), strict=True):
        np.testing.assert_allclose(fast, plain, atol=1e-6)
    assert len(np.unique(bar)) > 10
    times = np.arange(similarity.shape[1], dtype=float)
    rows, centres, weights = peaks._peaks(similarity, high, bar, times, points=False)
    wanted = plain_peaks(similarity, bar)
    assert len(wanted) > 100
    np.testing.assert_array_equal(rows, [row for row, _, _ in wanted])
    np.testing.assert_array_equal(np.round(centres), [at for _, at, _ in wanted])
    np.testing.assert_allclose(weights, [value for _, _, value in wanted], atol=1e-6)


def test_blocks_change_nothing(monkeypatch):
    title, other = make_tape(1, 60), make_tape(2, 30)
    ugc = make_fingerprint(splice(other, title[200:900]), noise=0.3)
    whole = make_track(ugc, make_fingerprint(title))
    monkeypatch.setattr(blocks, "_AT_ONCE", 1)
    parts = make_track(ugc, make_fingerprint(title))
    np.testing.assert_allclose(whole[0].bar, parts[0].bar, atol=1e-6)
    for field in ("query", "ref", "weight"):
        np.testing.assert_allclose(getattr(whole[1], field), getattr(parts[1], field), atol=1e-4)


# --- votes ------------------------------------------------------------------------------------


def points(seed, count):
    rng = np.random.default_rng(seed)
    query = rng.uniform(0, 400, count)
    ref = np.where(rng.random(count) < 0.4, 1.03 * query + 20, rng.uniform(0, 300, count))
    return Evidence(query, ref, rng.uniform(0.1, 1, count))


def plain_votes(evidence, low):
    """Votes by speed and bin, point by point; `low` as in `Votes`, so that bins are the same."""
    table = {}
    for number, speed in enumerate(sorted(speeds(1.25), key=lambda s: abs(np.log(s)))):
        at = np.floor((evidence.ref - speed * evidence.query - low[number]) / BIN).astype(int)
        for place, weight in zip(at, evidence.weight, strict=True):
            for shift, share in ((-1, 0.5), (0, 1.0), (1, 0.5)):
                key = number, int(place) + shift
                table[key] = table.get(key, 0.0) + share * weight
    return table


@pytest.mark.parametrize("count", [30, 400, 3000])
def test_votes_taken_and_given_back_are_those_of_the_points_that_are_in(count):
    evidence = points(3, count)
    votes = Votes(evidence, max_speed=1.25)
    first = votes.best()
    line = 1.03 * evidence.query + 20
    near = np.abs(evidence.ref - line) < 1
    assert 0.2 < near.mean() < 0.6
    assert first.speed == pytest.approx(1.03, abs=0.006)
    for part in (evidence.select(near), evidence.select(near & (evidence.query < 50))):
        votes.take(part)
        if part is not None and len(part) == near.sum():
            rest = plain_votes(evidence.select(~near), votes._low)
            assert votes.best().votes == pytest.approx(max(rest.values()), rel=0.02)
        votes.give_back(part)
    again = votes.best()
    assert (again.speed, again.offset) == (first.speed, first.offset)
    assert again.votes == pytest.approx(first.votes)
    assert first.votes == pytest.approx(max(plain_votes(evidence, votes._low).values()), rel=0.02)


# --- along a line -----------------------------------------------------------------------------


@pytest.mark.parametrize("modality", ["audio", "video"])
def test_a_course_is_that_of_all_windows(modality, monkeypatch):
    """The upload is five times the title: only where the line is in the title it is computed."""
    title = make_tape(4, 40, modality)
    ugc = splice(make_tape(5, 90, modality), title, make_tape(6, 90, modality))
    track, _ = make_track(
        make_fingerprint(ugc, modality=modality, noise=0.2),
        make_fingerprint(title, modality=modality),
    )
    lines = [Line(1.0, -90.0, 1.0), Line(1.2, -110.0, 1.0), Line(0.8, 30.0, 1.0)]
    short = [along(track, line) for line in lines]
    monkeypatch.setattr(evidence, "_passing", lambda track, line: slice(0, len(track.query)))
    for course, line in zip(short, lines, strict=True):
        whole = along(track, line)
        there = ~np.isnan(whole.similarity)
        assert len(course.times) < len(whole.times)
        assert 10 < there.sum() < len(whole.times)
        known = ~np.isnan(course.similarity)
        for field in ("times", "rows", "similarity", "excess", "base"):
            fast, plain = getattr(course, field)[known], getattr(whole, field)[there]
            np.testing.assert_allclose(fast, plain, atol=1e-6)


# --- runs -------------------------------------------------------------------------------------


def plain_runs(signal, max_gap, min_length, offset=0):
    """The definition: the run of the highest sum (Kadane), then the same left and right of it."""
    best_sum, best = 0.0, None
    total, start, gap = 0.0, 0, 0
    for index, value in enumerate(signal):
        if total <= 0 or gap >= max_gap:
            total, start, gap = 0.0, index, 0
        total += value
        gap = 0 if value > 0 else gap + (value < 0)
        if value > 0 and total > best_sum:
            best_sum, best = total, (start, index + 1)
    if best is None:
        return []
    first, last = best
    found = [(offset + first, offset + last)] if last - first >= min_length else []
    left = plain_runs(signal[:first], max_gap, min_length, offset)
    return left + found + plain_runs(signal[last:], max_gap, min_length, offset + last)


VALUES = st.lists(
    st.one_of(st.integers(-4, 6), st.just(-np.inf)).map(float), min_size=1, max_size=40
)


@settings(max_examples=300, deadline=None)
@given(VALUES, st.integers(1, 6), st.integers(1, 5), st.integers(0, 1000))
def test_runs_of_one_pass_are_those_of_the_definition(values, max_gap, min_length, seed):
    # Noise, so that no two sums are equal: which of equals is best is not defined.
    signal = np.array(values) + np.random.default_rng(seed).uniform(-0.4, 0.4, len(values))
    fast = best_runs(signal, max_gap=max_gap, min_length=min_length)
    assert sorted(fast) == sorted(plain_runs(signal, max_gap, min_length))
