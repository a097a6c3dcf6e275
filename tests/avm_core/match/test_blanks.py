"""Black on both sides neither ends a copy nor makes it longer."""

import dataclasses

import numpy as np
import pytest

from avm_core.match.blanks import blanks, within
from tests.avm_core.match.planted import assert_spans, spans
from tests.avm_core.match.test_pictures import matches, pictures
from tests.builders import cut, make_fingerprint, make_tape, splice


def blank(made, *stretches):
    """The same, its windows that begin in one of `stretches` invalid."""
    lost = np.zeros(len(made.starts), np.bool_)
    for start, end in stretches:
        lost |= (made.starts >= start) & (made.starts < end)
    return dataclasses.replace(made, valid=made.valid & ~lost)


def test_a_blank_lasts_from_its_first_window_to_the_next_that_says_something():
    made = pictures(make_tape(1, 30, "video"))
    first = made.starts[0]
    made = blank(made, (5, 8), (29, 31))
    assert blanks(made) == pytest.approx(np.array([[5 + first, 8 + first], [29 + first, 30]]))
    heard = blank(make_fingerprint(make_tape(1, 30)), (10, 12))
    middle = heard.window / 2
    assert blanks(heard)[0] == pytest.approx([10 + middle, 12 + middle], abs=0.5)
    assert len(blanks(make_fingerprint(make_tape(1, 30)))) == 0


def test_within_asks_each_moment():
    spans_ = np.array([[2.0, 4.0], [8.0, 9.0]])
    assert list(within(spans_, np.array([1.9, 2.0, 3.9, 4.0, 8.5, 9.0]))) == [0, 1, 1, 0, 1, 0]
    assert not within(np.empty((0, 2)), np.array([1.0])).any()


def test_a_copy_goes_on_over_black_that_the_title_has_too():
    title = make_tape(1, 120, "video")
    ugc = splice(make_tape(2, 10, "video"), cut(title, 20, 80), make_tape(3, 10, "video"))
    dark = blank(pictures(ugc, noise=0.1), (30, 45))
    assert_spans(matches(dark, blank(pictures(title), (40, 55))), [(10, 70, 20, 80)])


def test_black_of_the_upload_alone_is_no_copy():
    title = make_tape(1, 120, "video")
    ugc = splice(make_tape(2, 10, "video"), cut(title, 20, 80), make_tape(3, 10, "video"))
    found = matches(blank(pictures(ugc, noise=0.1), (30, 45)), pictures(title))
    assert len(found) == 2, spans(found)


def test_black_behind_a_copy_on_both_sides_makes_it_hardly_longer():
    """Where in the black it ends nobody can see; 20 s of black must not become copied."""
    title = make_tape(1, 90, "video")
    ugc = splice(cut(title, 20, 60), make_tape(3, 20, "video"))
    found = matches(blank(pictures(ugc, noise=0.1), (40, 60)), blank(pictures(title), (60, 80)))
    assert len(found) == 1
    assert spans(found)[0] == pytest.approx((0, 40, 20, 60), abs=3.0)
