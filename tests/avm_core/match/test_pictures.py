"""Pictures alone: titles of one scene, key frames far apart, and neither taken for the other."""

import numpy as np
import pytest

from avm_core.match.align import align
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
