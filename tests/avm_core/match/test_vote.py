"""Votes find the line that most evidence agrees on; the fit finds its exact speed."""

import numpy as np
import pytest

from avm_core.match.vote import Evidence, Line, best_line, fit_line, speeds, unity_line


def on_line(speed, offset, *, span=(10.0, 60.0), step=0.5, jitter=0.0, seed=0):
    query = np.arange(*span, step)
    noise = np.random.default_rng(seed).normal(0, jitter, len(query)) if jitter else 0.0
    return Evidence(query, speed * query + offset + noise, np.full(len(query), 0.3))


def together(*parts):
    return Evidence(
        *(np.concatenate([getattr(p, f) for p in parts]) for f in ("query", "ref", "weight"))
    )


def clutter(count, *, seed=1, span=120.0):
    rng = np.random.default_rng(seed)
    return Evidence(rng.uniform(0, span, count), rng.uniform(0, span, count), np.full(count, 0.3))


NOTHING = Evidence(np.empty(0), np.empty(0), np.empty(0))


@pytest.mark.parametrize("limit", [1.05, 1.25, 2.0])
def test_speeds_reach_the_limit_both_ways_and_hold_one(limit):
    found = speeds(limit)
    assert (np.diff(found) > 0).all()
    assert found[0] * found[-1] == pytest.approx(1.0)
    assert limit / 1.011 < found[-1] <= limit
    assert 1.0 in found
    assert np.diff(np.log(found)) == pytest.approx(np.log(1.01))


@pytest.mark.parametrize("speed", [0.8, 0.92, 1.0, 1.043, 1.25])
@pytest.mark.parametrize("offset", [-8.0, 33.3])
def test_the_line_is_found_in_clutter(speed, offset):
    evidence = together(on_line(speed, offset, jitter=0.05), clutter(300))
    line = best_line(evidence, max_speed=1.25)
    assert line.speed == pytest.approx(speed, abs=0.02)
    middle = np.array([35.0])
    assert line.at(middle) == pytest.approx(speed * middle + offset, abs=0.8)


def test_the_heavier_of_two_lines_wins():
    light = on_line(1.0, 50.0)
    for factor, wanted in ((3.0, -5.0), (0.3, 50.0)):
        heavy = on_line(1.0, -5.0)
        heavy = Evidence(heavy.query, heavy.ref, heavy.weight * factor)
        line = best_line(together(light, heavy), max_speed=1.25)
        assert line.offset == pytest.approx(wanted, abs=0.5)
        assert line.speed == 1.0


def test_without_evidence_there_is_no_line():
    assert best_line(NOTHING, max_speed=1.25) is None
    one = Evidence(np.array([3.0]), np.array([5.0]), np.array([1.0]))
    line = best_line(one, max_speed=1.25)
    assert (line.speed, line.at(np.array([3.0]))[0]) == pytest.approx((1.0, 5.0), abs=0.3)


def test_equal_votes_go_to_the_speed_nearest_one():
    for span in ((10.0, 10.4), (10.0, 11.0)):
        line = best_line(on_line(1.02, 4.0, span=span, step=0.1), max_speed=1.25)
        assert line.speed == 1.0


@pytest.mark.parametrize("speed", [0.8, 0.957, 1.0, 1.0427, 1.2])
def test_the_fit_recovers_speed_and_offset(speed):
    evidence = together(on_line(speed, 12.0, jitter=0.1), clutter(200))
    rough = best_line(evidence, max_speed=1.25)
    line = fit_line(evidence, rough)
    assert line.speed == pytest.approx(speed, abs=0.003)
    assert line.at(np.array([35.0])) == pytest.approx([speed * 35 + 12], abs=0.1)


def test_a_short_span_keeps_the_speed_that_was_voted():
    for speed in (0.9, 1.1):
        evidence = on_line(speed + 0.02, 5.0, span=(20.0, 26.0), step=0.25)
        rough = Line(speed, (speed + 0.02) * 23 + 5 - speed * 23, 1.0)
        assert fit_line(evidence, rough).speed == speed


def test_too_few_points_leave_the_line_alone():
    for count in (0, 3):
        evidence = on_line(1.0, 5.0).select(np.arange(100) < count)
        rough = Line(1.0, 5.2, 1.0)
        assert fit_line(evidence, rough) == rough


def test_the_unity_line_takes_the_median_offset_and_ignores_strays():
    evidence = on_line(1.0, 7.0, jitter=0.05)
    stray = Evidence(np.array([3.0, 9.0]), np.array([10.9, 16.9]), np.array([0.5, 0.5]))
    joined = Evidence(
        np.concatenate([evidence.query, stray.query]),
        np.concatenate([evidence.ref, stray.ref]),
        np.concatenate([evidence.weight, stray.weight]),
    )
    for speed in (0.998, 1.003):
        line = unity_line(Line(speed, 7 + 35 * (1 - speed), 1.0), joined)
        assert line.speed == 1.0
        assert line.offset == pytest.approx(7.0, abs=0.05)


def test_without_points_near_it_a_line_stays():
    line = Line(1.01, 7.0, 1.0)
    assert unity_line(line, NOTHING) == line
    assert unity_line(line, on_line(1.01, 50.0)) == line
