"""A film inside another moving picture is found where it is; ordinary films have no parts."""

import numpy as np
import pytest

from avm_core.benchmark.edits.picture import Caption, Logo, letterbox
from avm_core.media.insets import find_parts
from tests.avm_core.media.inset_films import brightness, edited, inset, scenes

CLOSE = 0.03  # of a side
ORDINARY = ("bunny_trailer", "city_reel", "fish_fillets_intro")


def sides(part):
    return (part.top, part.bottom, part.left, part.right)


@pytest.mark.parametrize("share", [0.75, 0.5, 0.35])
@pytest.mark.parametrize(
    ("name", "behind", "x", "y"),
    [
        ("bunny_trailer", "city_reel", 0.7, 0.6),
        ("city_reel", "creature_reel", 0.2, 0.1),
        ("fish_fillets_intro", "bunny_trailer", 0.5, 0.5),
    ],
)
def test_an_inset_is_found_where_it_is(name, behind, share, x, y):
    [part] = find_parts(brightness(inset(name, behind, share, x, y)))
    top, left = y * (1 - share), x * (1 - share)
    assert sides(part) == pytest.approx((top, top + share, left, left + share), abs=CLOSE)


@pytest.mark.parametrize(
    "pair", [("bunny_trailer", "city_reel"), ("fish_fillets_intro", "city_reel")]
)
def test_both_films_of_a_stack_are_found(pair):
    one, other = (np.stack(scenes(name)) for name in pair)
    above = brightness(np.concatenate([one[:, ::2], other[:, ::2]], axis=1))
    beside = brightness(np.concatenate([one[:, :, ::2], other[:, :, ::2]], axis=2))
    for found, first, second in (
        (find_parts(above), (0, 0.5, 0, 1), (0.5, 1, 0, 1)),
        (find_parts(beside), (0, 1, 0, 0.5), (0, 1, 0.5, 1)),
    ):
        assert [sides(part) for part in found] == [
            pytest.approx(first, abs=CLOSE),
            pytest.approx(second, abs=CLOSE),
        ]


@pytest.mark.parametrize("name", ORDINARY)
@pytest.mark.parametrize(
    "step",
    [
        None,
        Logo(0.25, 0.03, 0.05, 0.9, 3),
        Caption("WATCH THE WHOLE FILM", 0.2, 0.9),
        letterbox(0.75),
    ],
)
def test_an_ordinary_film_has_no_parts(name, step):
    pictures = scenes(name) if step is None else edited(name, step)
    assert find_parts(brightness(pictures)) == ()


def test_a_scene_of_straight_lines_that_stand_still_has_no_parts():
    """A window in a wall, with clouds behind it and someone who walks past in front of it."""
    rng = np.random.default_rng(6)
    room = np.full((32, 160, 160), 90, np.uint8)
    room[:, 40:120, 30:110] = 200
    walker = rng.integers(0, 120, 32)
    for picture, at in zip(room, walker, strict=True):
        picture[60:, at : at + 30] = 40
    assert find_parts(room) == ()


def test_too_few_pictures_say_nothing():
    pictures = brightness(inset("bunny_trailer", "city_reel", 0.5, 0.7, 0.6))
    assert find_parts(pictures) != ()
    assert find_parts(pictures[:4]) == ()
    assert find_parts(np.repeat(pictures[:3], 12, axis=0)) == ()
    assert find_parts(pictures[:0]) == ()
