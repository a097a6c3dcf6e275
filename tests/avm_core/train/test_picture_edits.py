"""Edits do what they are told: the planted picture is where it should be, and nothing else is."""

import numpy as np
import pytest
from PIL import Image

from avm_core.train import picture_edits as edits

RED, BLUE, BLACK = (220, 20, 20), (20, 20, 220), (0, 0, 0)


def plain(colour, size=(200, 100)):
    return Image.new("RGB", size, colour)


def photo(size=(200, 100), seed=1):
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 12, 3)).astype(np.uint8))
    return coarse.resize(size, Image.Resampling.BICUBIC)


def extent(image, colour):
    """(left, top, right, bottom) of what is within 40 of a colour."""
    near = np.abs(np.asarray(image).astype(int) - colour).max(axis=2) < 40
    rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


@pytest.mark.parametrize(
    ("place", "wanted"),
    [((0, 0), (0, 0, 100, 60)), ((1, 1), (100, 40, 200, 100)), ((0.5, 0.5), (50, 20, 150, 80))],
)
def test_a_picture_in_a_picture_is_where_it_was_told(place, wanted):
    made = edits.inset(plain(RED), plain(BLUE, (90, 160)), 0.5, 0.6, *place)
    assert made.size == (200, 100)
    assert extent(made, RED) == wanted
    boxed = edits.boxed(plain(RED), 0.5, 0.6, *place, BLUE)
    assert extent(boxed, RED) == wanted
    pasted = edits.pasted(plain(BLUE), plain(RED), 0.5, 0.6, *place)
    assert extent(pasted, RED) == wanted


def test_the_inset_still_shows_the_whole_picture():
    picture = photo()
    made = edits.inset(picture, plain(BLUE), 0.5, 0.5, 1, 0)
    small = np.asarray(picture.resize((100, 50), Image.Resampling.BOX), dtype=float)
    assert np.abs(np.asarray(made, dtype=float)[:50, 100:] - small).mean() < 6


def test_a_crop_is_the_part_that_was_asked_for():
    picture = photo()
    made = np.asarray(edits.cropped(picture, 0.5, 0.4, 1, 0.5))
    np.testing.assert_array_equal(made, np.asarray(picture)[30:70, 100:])


def test_a_mirror_is_undone_by_another():
    picture = photo()
    once = edits.mirrored(picture)
    assert once.tobytes() != picture.tobytes() == edits.mirrored(once).tobytes()


def test_a_turned_picture_has_corners_or_none():
    turned = np.asarray(edits.rotated(plain(RED), 10, BLUE, zoom=False))
    assert turned[0, 0].tolist() == list(BLUE)
    zoomed = np.asarray(edits.rotated(plain(RED), 10, BLUE, zoom=True))
    assert zoomed.shape[0] < 100
    assert np.abs(zoomed[2:-2, 2:-2].astype(int) - RED).max() < 10


def test_a_caption_stays_in_its_bar():
    made = edits.captioned(plain(RED), "some words", 0.2, 1.0, (255, 255, 0), BLACK)
    changed = (np.asarray(made) != RED).any(axis=2)
    assert not changed[:80].any()
    assert changed[80:].all()
    bare = (np.asarray(edits.captioned(plain(RED), "w", 0.2, 0.0, BLUE, None)) != RED).any(axis=2)
    assert 0 < bare.mean() < 0.1
    assert not bare[30:].any()


@pytest.mark.parametrize("corners", [1, 3, 8])
def test_an_emblem_is_round_and_as_opaque_as_told(corners):
    alpha = np.asarray(edits.emblem(64, corners, RED, BLUE, 0.5))[..., 3]
    assert alpha[0, 0] == 0
    assert alpha.max() == 128
    assert 0.7 < (alpha > 0).mean() < 0.85  # a disc fills pi/4


def test_colours_change_as_told():
    grey = np.asarray(edits.greyed(photo()))
    assert (grey == grey[..., :1]).all()
    same = np.asarray(edits.coloured(photo(), 1, 1, 1, 0))
    np.testing.assert_array_equal(same, np.asarray(photo()))
    dark = edits.coloured(photo(), 0.5, 1, 1, 0)
    assert np.asarray(dark).mean() == pytest.approx(np.asarray(photo()).mean() / 2, rel=0.02)
    third = np.asarray(edits.coloured(plain(RED), 1, 1, 1, 1 / 3))[0, 0]
    assert third[1] == third.max()  # red became green
    assert np.asarray(edits.curved(plain((128, 128, 128)), (1, 2, 0.5)))[0, 0].tolist() == [
        *(128, 64, 181)
    ]


def test_blur_scaling_and_coding_lose_detail_but_not_the_picture():
    rng = np.random.default_rng(4)
    picture = edits.noisy(photo(), 25, rng)
    for made in (
        edits.blurred(picture, 0.03),
        edits.rescaled(picture, 25),
        edits.compressed(picture, 10, 60),
    ):
        assert made.size == picture.size
        before, after = np.asarray(picture, dtype=float), np.asarray(made, dtype=float)
        assert np.abs(np.diff(after, axis=1)).mean() < 0.6 * np.abs(np.diff(before, axis=1)).mean()
        assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.8


def test_grain_has_the_deviation_that_was_asked_for():
    made = np.asarray(edits.noisy(plain((128, 128, 128)), 20, np.random.default_rng(5)), float)
    assert made.std() == pytest.approx(20, rel=0.1)
