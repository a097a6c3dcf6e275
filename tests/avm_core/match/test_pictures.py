"""Pictures alone: titles of one scene, key frames far apart, and neither taken for the other."""

import dataclasses

import numpy as np
import pytest

from avm_core.index.exact import ExactIndex
from avm_core.match.align import align
from avm_core.match.candidates import find_candidates
from tests.avm_core.match.planted import CONFIG, assert_spans, spans
from tests.builders import cut, make_fingerprint, make_tape, splice


def scene(seed, seconds, room):
    """A talk in one room: every picture is like every other (cosine about 0.9), none is equal."""
    moving = make_tape(seed, seconds, "video")
    # What moves stays for seconds: key frames can be compared at all.
    still = make_tape(room, 0.05, "video")
    return 3.0 * still + np.repeat(moving[::40], 40, axis=0)[: len(moving)]


def pictures(tape, every=1.0, **options):
    """Fingerprint with a picture each `every` seconds."""
    made = make_fingerprint(tape, modality="video", **options)
    kept = np.isclose(made.starts % every, made.starts[0] % every)
    return made.select(kept)


def matches(ugc, title):
    return align("u", "t", {"video": ugc}, {"video": title}, CONFIG)


def test_a_copy_from_a_title_of_one_scene_is_found_in_its_place():
    title = scene(1, 120, room=9)
    copy = splice(make_tape(3, 20, "video"), cut(title, 40, 80), make_tape(4, 20, "video"))
    found = matches(pictures(copy, noise=0.1), pictures(title))
    assert_spans(found, [(20, 60, 40, 80)])


def test_other_rooms_are_other_titles():
    for seed in range(20, 35):
        ugc, title = scene(seed, 60, room=seed), scene(seed + 100, 90, room=seed + 100)
        assert matches(pictures(ugc, noise=0.1), pictures(title)) == []


@pytest.mark.parametrize("every", [1.0, 2.0, 4.0])
def test_a_title_known_by_its_key_frames_alone_has_no_holes(every):
    """A scene lasts two seconds here: a title sampled more rarely keeps half of them."""
    shots = make_tape(7, 120, "video")
    shots = np.repeat(shots[::80], 80, axis=0)[: len(shots)]  # a cut every 4 s
    ugc = splice(make_tape(8, 15, "video"), cut(shots, 30, 75), make_tape(10, 15, "video"))
    found = matches(pictures(ugc, noise=0.1), pictures(shots, every))
    assert len(found) == 1, spans(found)
    assert spans(found)[0] == pytest.approx((15, 60, 30, 75), abs=every)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_edit_that_moves_all_pictures_alike_does_not_hide_where(seed):
    """A frame around a talk: every picture is nearer to the edit than to its own moment."""
    title = scene(seed, 120, room=9)
    framed = title + 2.5 * make_tape(77, 0.05, "video")
    copy = splice(make_tape(3, 20, "video"), cut(framed, 40, 80), make_tape(4, 20, "video"))
    assert_spans(matches(pictures(copy, noise=0.1), pictures(title)), [(20, 60, 40, 80)])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_another_take_in_the_same_room_is_no_copy(seed):
    title = splice(make_tape(5, 40, "video"), scene(seed, 60, room=9))
    ugc = splice(make_tape(6, 10, "video"), scene(seed + 50, 50, room=9))
    assert matches(pictures(ugc, noise=0.1), pictures(title)) == []


def viewed(whole, *views):
    """Pictures with others in them: one row for each, at the time of the whole picture."""
    prints = (whole, *views)
    numbers = [np.full(len(p.starts), view, np.int8) for view, p in enumerate(prints)]
    order = np.lexsort((np.concatenate(numbers), np.concatenate([p.starts for p in prints])))
    return dataclasses.replace(
        whole,
        descriptors=np.concatenate([p.descriptors for p in prints])[order],
        starts=np.concatenate([p.starts for p in prints])[order],
        valid=np.concatenate([p.valid for p in prints])[order],
        view=np.concatenate(numbers)[order],
    )


TITLES = [make_tape(seed, 90, "video") for seed in (41, 42)]


def inside(title, start, end, seed):
    """A minute and a half of which [20, 20 + end - start) are of the title."""
    length = end - start
    parts = (make_tape(seed, 20, "video"), cut(title, start, end))
    return splice(*parts, make_tape(seed + 1, 70 - length, "video"))


def test_a_film_in_one_part_of_the_picture_is_found():
    foreign = pictures(make_tape(50, 90, "video"))
    copies = [pictures(inside(title, 30, 70, 60), noise=0.3) for title in TITLES]
    other = pictures(make_tape(51, 90, "video"))
    for title, copy in zip(TITLES, copies, strict=True):
        # In the second view as well as in the first.
        for ugc in (viewed(foreign, copy), viewed(foreign, other, copy)):
            assert_spans(matches(ugc, pictures(title)), [(20, 60, 30, 70)])
            assert matches(ugc.whole(), pictures(title)) == []


def test_both_films_of_a_stack_are_found():
    foreign = pictures(make_tape(50, 90, "video"))
    one, other = (
        pictures(inside(title, start, start + 40, 60), noise=0.3)
        for title, start in zip(TITLES, (30, 5), strict=True)
    )
    stack = viewed(foreign, one, other)
    assert_spans(matches(stack, pictures(TITLES[0])), [(20, 60, 30, 70)])
    assert_spans(matches(stack, pictures(TITLES[1])), [(20, 60, 5, 45)])


def test_a_film_that_changes_between_the_whole_picture_and_a_part_is_one_match():
    whole = pictures(splice(cut(TITLES[0], 10, 40), make_tape(52, 60, "video")), noise=0.3)
    part = pictures(
        splice(make_tape(53, 30, "video"), cut(TITLES[0], 40, 80), make_tape(54, 20, "video")),
        noise=0.3,
    )
    assert_spans(matches(viewed(whole, part), pictures(TITLES[0])), [(0, 70, 10, 80)])


def test_views_of_a_title_do_not_count():
    foreign, title = pictures(make_tape(55, 90, "video")), pictures(TITLES[0])
    copy = pictures(inside(TITLES[0], 30, 70, 60), noise=0.3)
    assert matches(copy, viewed(foreign, title)) == []
    assert_spans(matches(copy, viewed(title, foreign)), [(20, 60, 30, 70)])


def test_views_find_candidates_and_seconds_are_not_counted_twice():
    foreign = pictures(make_tape(50, 90, "video"))
    copy = pictures(inside(TITLES[0], 30, 70, 60), noise=0.1)
    index = ExactIndex([("t0", pictures(TITLES[0])), ("t1", pictures(TITLES[1]))])
    scores = []
    for ugc in (copy, viewed(foreign, copy), viewed(copy, copy, copy)):
        hits = index.search(ugc, k=20, min_similarity=0.6)
        [candidate] = find_candidates("u", ugc, hits, CONFIG)
        assert candidate.ref_id == "t0"
        scores.append(candidate.score)
    assert scores == pytest.approx([scores[0]] * 3, abs=1)
