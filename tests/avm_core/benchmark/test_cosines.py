"""Cosines of copies against plain loops, and the separation that is made of them."""

from pathlib import Path

import numpy as np
import pytest

from avm_core.benchmark.cosines import background, best, same_moment
from avm_core.benchmark.edits import Planted
from avm_core.benchmark.separation import measure_separation
from avm_core.types import Fingerprint, FingerprinterId

TITLES = Path(__file__).resolve().parents[3] / "local" / "media" / "titles"
WINDOW, STEP = 1.0, 0.5


def random_print(seed, count):
    rng = np.random.default_rng(seed)
    rows = rng.integers(-127, 128, (count, 6)).astype(np.int8)
    valid = rng.random(count) > 0.3
    identity = FingerprinterId("audio_random.x", "0")
    starts = np.arange(count) * STEP
    return Fingerprint("r", identity, rows, starts, WINDOW, valid, count * STEP)


def cosine(one, other):
    one, other = one.astype(float), other.astype(float)
    return float(one @ other / np.sqrt((one @ one) * (other @ other)))


def loops(copy, title):
    """Cosines of each valid window of the copy with every valid one of the title."""
    return [
        [cosine(copy.descriptors[i], title.descriptors[j]) for j in np.flatnonzero(title.valid)]
        for i in np.flatnonzero(copy.valid)
    ]


def test_best_and_background_are_those_of_plain_loops():
    copy, title = random_print(1, 17), random_print(2, 40)
    rows = loops(copy, title)
    assert 5 < len(rows) < 17
    np.testing.assert_allclose(best(copy, title), [max(row) for row in rows], atol=1e-5)
    np.testing.assert_allclose(background(copy, title), [np.median(r) for r in rows], atol=1e-5)


@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_the_same_moment_lies_on_the_planted_line(speed):
    copy, title = random_print(3, 20), random_print(4, 60)
    at = Planted("t", 2.0, 8.0, 5.0, 5.0 + 6 * speed, speed, "edit", "audio")
    expected = {}
    for i in np.flatnonzero(copy.valid):
        middle = i * STEP + WINDOW / 2
        wanted = 5.0 + speed * (middle - 2.0)
        j = min(range(60), key=lambda j: abs(j * STEP + WINDOW / 2 - wanted))
        if title.valid[j]:
            expected[middle] = cosine(copy.descriptors[i], title.descriptors[j])
    middles, cosines = same_moment(copy, title, at)
    np.testing.assert_allclose(middles, list(expected))
    np.testing.assert_allclose(cosines, list(expected.values()), atol=1e-5)


def test_copies_of_real_sound_stand_apart_from_strangers():
    files = [TITLES / "fish_fillets_intro.mp4", TITLES / "worlds_reel.mp4"]
    found = measure_separation(files, "audio")
    assert found["unrelated"]["p50"] < found["unrelated"]["p99"] < 0.8
    plain = found["edits"]["reencode"]
    assert plain["p10"] < plain["median"]
    assert plain["median"] > 0.8
    assert plain["above_p99"] > 0.9
