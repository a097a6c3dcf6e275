"""The share that is lost of a window, and the sentence that says what is lost."""

import numpy as np
import pytest

from avm_core.media.damage import Damage


def test_shares_are_those_of_every_window_counted_by_hand():
    rng = np.random.default_rng(3)
    damage, lost = Damage(), np.zeros(20_000, bool)
    for _ in range(12):
        first = int(rng.integers(0, 19_000))
        last = first + int(rng.integers(1, 900))
        if not lost[first:last].any():
            lost[first:last] = True
            damage.add("packets", 1, first / 100, last / 100)
    starts = np.arange(0, 196, 0.5)
    wanted = [lost[round(s * 100) : round(s * 100) + 400].mean() for s in starts]
    assert damage.share(starts, 4.0) == pytest.approx(wanted, abs=1e-9)


def test_nothing_lost_has_no_reason():
    assert Damage().reason() == ""
    assert Damage().share(np.arange(3.0), 2.0).tolist() == [0, 0, 0]


def test_the_reason_counts_every_cause():
    damage = Damage()
    damage.add("packets", 2, 5.0, 6.0)
    damage.add("packets", 1, 6.0, 6.5)
    damage.add("samples", 9, 1.0, 1.0)
    assert (
        damage.reason() == "1.5 s of sound between 1.0 s and 6.5 s are lost: 3 packets, 9 samples"
    )
    assert damage.spans == [(5.0, 6.5), (1.0, 1.0)]


def test_numbers_stay_and_others_become_silence():
    damage = Damage()
    good = np.array([0.5, -1.5, 90.0], np.float32)
    assert damage.mend(good, 0.0, 10) is good
    assert damage.reason() == ""
    bad = np.array([0.5, np.nan, -np.inf, 3e8], np.float32)
    assert damage.mend(bad, 2.0, 10).tolist() == [0.5, 0, 0, 0]
    assert damage.spans == [(pytest.approx(2.1), pytest.approx(2.4))]
