"""Views of pictures: their shape, their chance, and that each is repeatable."""

from dataclasses import fields, replace

import numpy as np
import pytest
from PIL import Image

from avm_core.train import picture_recipes
from avm_core.train.picture_recipes import PictureEditConfig, edited, squeezed

NAMES = tuple(picture_recipes._EDITS)
NONE = PictureEditConfig(**{f"p_{name}": 0.0 for name in NAMES})


def photo(seed=1, size=(160, 120)):
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3)).astype(np.uint8))
    return coarse.resize(size, Image.Resampling.BICUBIC)


def foreign():
    return photo(2, (90, 130))


def view(config, seed=0, size=48):
    return edited(photo(), foreign, config, np.random.default_rng(seed), size)


def test_every_edit_has_a_probability_and_its_place():
    named = [f.name[2:] for f in fields(PictureEditConfig) if f.name.startswith("p_")]
    assert named == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_edit_gives_a_picture_of_the_right_shape(name):
    config = replace(NONE, **{f"p_{name}": 1.0})
    plain = squeezed(photo(), 48)
    for seed in range(4):
        made = view(config, seed)
        assert made.shape == (48, 48, 3)
        assert made.dtype == np.uint8
        assert (made != plain).any()


def test_no_edit_is_only_another_shape():
    np.testing.assert_array_equal(view(NONE), squeezed(photo(), 48))


def test_a_view_depends_on_its_generator_alone():
    config = PictureEditConfig()
    np.testing.assert_array_equal(view(config, 7), view(config, 7))
    assert (view(config, 7) != view(config, 8)).any()


def test_between_one_and_most_edits_in_their_order():
    rng = np.random.default_rng(3)
    drawn = [picture_recipes._drawn(PictureEditConfig(most=3), rng) for _ in range(400)]
    assert {len(names) for names in drawn} == {1, 2, 3}
    for names in drawn:
        assert names == sorted(names, key=NAMES.index)
    certain = replace(NONE, p_grey=1.0, p_blur=1.0)
    assert {tuple(picture_recipes._drawn(certain, rng)) for _ in range(60)} == {
        *(("grey",), ("blur",), ("grey", "blur"))
    }
