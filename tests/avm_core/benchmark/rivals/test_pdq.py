"""What PDQ's voting does with hashes whose truth is known; real media are in test_rivals."""

import numpy as np
import pytest

from avm_core.benchmark.rivals.base import Printed
from avm_core.benchmark.rivals.pdq import MAX_DISTANCE, PdqSystem

BITS = 256


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def hashes(rng, count):
    return rng.integers(0, 2, (count, BITS)).astype(np.uint8)


def flipped(rng, bits, count):
    """Each hash with `count` of its bits turned over."""
    changed = bits.copy()
    for row in changed:
        row[rng.choice(BITS, count, replace=False)] ^= 1
    return changed


def printed(name, bits):
    """A print as `PdqPrinter` writes it: time, quality and hash of one picture a second."""
    rows = [
        np.float32(second + 0.5).tobytes() + bytes([100]) + np.packbits(row).tobytes()
        for second, row in enumerate(bits)
    ]
    return Printed(name, float(len(bits)), {PdqSystem().printers[0].key: b"".join(rows)})


def spans(titles, upload):
    searcher = PdqSystem().index([printed(name, bits) for name, bits in titles.items()])
    return [
        (m.licensed_id, m.ugc_start, m.ugc_end, m.licensed_start, m.licensed_end)
        for m in searcher.match(printed("u", upload))
    ]


@pytest.mark.parametrize(
    ("distance", "found"), [(MAX_DISTANCE, [("t", 5, 35, 20, 50)]), (MAX_DISTANCE + 1, [])]
)
def test_hashes_match_up_to_the_distance_and_not_beyond(rng, distance, found):
    title = hashes(rng, 80)
    copy = flipped(rng, title[20:50], distance)
    upload = np.concatenate([hashes(rng, 5), copy, hashes(rng, 5)])
    assert spans({"other": hashes(rng, 80), "t": title}, upload) == found


@pytest.mark.parametrize("scene", [12, 20, 25])
def test_scenes_that_hold_still_are_found_once(rng, scene):
    title = np.repeat(hashes(rng, 10), scene, axis=0)
    upload = np.concatenate([hashes(rng, 10), flipped(rng, title[20:80], 8), hashes(rng, 10)])
    assert spans({"t": title}, upload) == [("t", 10, 70, 20, 80)]


def test_an_excerpt_used_twice_is_found_twice(rng):
    title = hashes(rng, 80)
    upload = np.concatenate([title[20:50], hashes(rng, 10), title[20:50]])
    assert sorted(spans({"t": title}, upload)) == [("t", 0, 30, 20, 50), ("t", 40, 70, 20, 50)]


def test_two_excerpts_of_one_title_in_another_order_are_both_found(rng):
    title = hashes(rng, 120)
    upload = np.concatenate([title[80:110], title[20:50]])
    assert sorted(spans({"t": title}, upload)) == [("t", 0, 30, 80, 110), ("t", 30, 60, 20, 50)]


def test_under_ten_seconds_is_no_match(rng):
    title = hashes(rng, 60)
    assert spans({"t": title}, title[20:29]) == []
    assert spans({"t": title}, title[20:30]) == [("t", 0, 10, 20, 30)]
