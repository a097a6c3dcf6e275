"""What titles share is found between them, and is no match by itself."""

import numpy as np
import pytest

from avm_core.match.align import align
from avm_core.match.blanks import outside
from avm_core.match.exclusions import find_shared, merge
from tests.avm_core.match.planted import BOTH, CONFIG, assert_spans, prints, spans, spliced, tapes

INTRO = 20


def episodes(modalities):
    """Two titles of 120 s that begin with, and end before, the same intro of 20 s."""
    intro = tapes(1, INTRO, modalities)
    first = spliced(intro, tapes(2, 100, modalities))
    second = spliced(tapes(3, 60, modalities), intro, tapes(4, 40, modalities))
    return intro, first, second


@pytest.mark.parametrize("modalities", [("audio",), ("video",), BOTH])
def test_the_common_intro_of_two_titles_is_found_on_both_sides(modalities):
    _, first, second = episodes(modalities)
    found = find_shared("a", prints(first), "b", prints(second), CONFIG)
    assert_spans(found, [(0, 20, 60, 80)], near=1.5)
    assert (found[0].ugc_id, found[0].licensed_id) == ("a", "b")
    # The same whichever is asked about.
    assert find_shared("b", prints(second), "a", prints(first), CONFIG) == found


def test_an_intro_shorter_than_a_match_is_found_too():
    intro = tapes(5, 9)
    first, second = (spliced(intro, tapes(seed, 60)) for seed in (6, 7))
    found = find_shared("a", prints(first), "b", prints(second), CONFIG)
    assert_spans(found, [(0, 9, 0, 9)], near=1.5)


def test_a_trailer_and_its_film_and_two_cuts_of_a_film_share_no_intro():
    film = tapes(8, 200)
    trailer = spliced((film, 20, 40), (film, 90, 110), (tapes(9, 20), 0, 20))
    cut = spliced((film, 0, 90), (film, 110, 200))
    for other in (trailer, cut, film):
        assert find_shared("a", prints(film), "b", prints(other), CONFIG) == []
    strangers = find_shared("a", prints(film), "b", prints(tapes(10, 120)), CONFIG)
    assert strangers == []


def test_repeats_within_a_title_are_no_exclusions():
    verse, chorus = tapes(11, 40), tapes(12, 20)
    song = spliced(verse, chorus, tapes(13, 40), chorus)
    assert find_shared("a", prints(song), "b", prints(tapes(14, 120)), CONFIG) == []


@pytest.mark.parametrize("modalities", [("audio",), ("video",), BOTH])
def test_an_upload_of_the_intro_alone_is_no_match_and_one_that_goes_on_is_whole(modalities):
    intro, first, _ = episodes(modalities)
    other = tapes(20, 60, modalities)
    excluded = np.array([[0.0, 20.0]])
    alone = spliced((other, 0, 20), intro, (other, 30, 50))
    longer = spliced((other, 0, 20), (first, 0, 50), (other, 30, 50))
    for ugc, wanted in ((alone, []), (longer, [(20, 70, 0, 50)])):
        found = align("u", "t", prints(ugc), prints(first), CONFIG, excluded=excluded)
        assert_spans(found, wanted)
    # Without exclusions both are matches, and exclusions elsewhere change nothing.
    for spans_ in (None, np.array([[60.0, 90.0]])):
        found = align("u", "t", prints(alone), prints(first), CONFIG, excluded=spans_)
        assert_spans(found, [(20, 40, 0, 20)])


def test_the_intro_beside_another_copy_of_the_title_is_left_out():
    intro, first, _ = episodes(("audio",))
    other = tapes(21, 60, ("audio",))
    ugc = spliced(intro, (other, 0, 30), (first, 60, 100))
    found = align("u", "t", prints(ugc), prints(first), CONFIG, excluded=np.array([[0.0, 20.0]]))
    assert_spans(found, [(50, 90, 60, 100)])
    assert len(spans(found)) == 1


def test_spans_are_merged_and_measured():
    merged = merge([(5.0, 8.0), (0.0, 2.0), (7.0, 9.0), (2.0, 3.0)])
    np.testing.assert_array_equal(merged, [[0, 3], [5, 9]])
    assert merge([]).shape == (0, 2)
    assert outside(merged, 1.0, 6.0) == pytest.approx(2.0)
    assert outside(merged, 5.5, 8.5) == 0.0
    assert outside(merge([]), 1.0, 6.0) == 5.0
