"""What moves in one scene: where a copy is, and whether two takes are copies at all."""

import numpy as np
import pytest

from avm_core.match.scenes import move_together, one_scene

RNG = np.random.default_rng


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def room(seed, count, moving=0.5, dims=64):
    """A scene: one direction, and a movement of its own at every moment."""
    still = unit(RNG(seed).normal(size=(1, dims)))
    return unit(still + moving * unit(RNG(seed + 1000).normal(size=(count, dims))))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_moves_tells_the_moment_through_an_edit_that_moves_all_pictures_alike(seed):
    title = room(seed, 80)
    edit = 0.8 * unit(RNG(seed + 7).normal(size=(1, 64)))
    copy = unit(title[30:50] + edit + 0.05 * RNG(seed).normal(size=(20, 64)))
    scene = one_scene(copy, title, sure=0.5)
    assert scene is not None
    assert scene.shown.all()
    true = np.arange(30, 50)
    by_movement = (scene.query @ scene.ref.T).argmax(axis=1) == true
    assert by_movement.mean() > 0.9
    assert by_movement.sum() >= ((copy @ title.T).argmax(axis=1) == true).sum()


def test_pictures_that_do_not_show_the_scene_are_not_of_its_mean():
    title = room(1, 60)
    copy = np.concatenate([unit(RNG(5).normal(size=(10, 64))), title[10:40]])
    scene = one_scene(copy, title, sure=0.6)
    assert scene is not None
    assert list(scene.shown) == [False] * 10 + [True] * 30


def test_a_title_of_many_scenes_or_an_upload_without_it_has_no_scene():
    many = unit(RNG(1).normal(size=(60, 64)))
    assert one_scene(many[:20], many, sure=0.5) is None
    assert one_scene(room(2, 20), room(1, 60), sure=0.6) is None
    assert one_scene(room(1, 3), room(1, 60), sure=0.5) is None
    assert one_scene(room(1, 9), np.empty((0, 64), np.float32), sure=0.5) is None


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_copy_moves_with_its_original_and_another_take_does_not(seed):
    take, noise = room(seed, 30), 0.02 * RNG(seed).normal(size=(30, 64))
    other = unit(room(seed, 60)[30:])  # the same room, other movements
    assert move_together(unit(take + noise), take)
    assert not move_together(unit(other + noise), take)


def test_a_still_picture_moves_with_nothing():
    still = np.repeat(room(1, 1), 20, axis=0)
    rounded = unit(still + 0.002 * RNG(1).normal(size=still.shape))
    assert not move_together(rounded, still)


def test_where_likeness_says_when_or_pictures_are_few_nothing_is_refused():
    many = unit(RNG(1).normal(size=(30, 64)))
    assert move_together(many, many)
    assert move_together(room(1, 3), room(1, 60)[57:])
