"""The inside of an inset becomes a view as large as a picture; pictures without one have none."""

import numpy as np
import pytest

from avm_core.benchmark.edits import Clip, Edit, make_copy
from avm_core.benchmark.edits.picture import PictureInPicture
from avm_core.media.bars import bars
from avm_core.media.decode import decode_frames
from avm_core.media.scale import Scaler
from avm_core.media.views import with_views
from tests.avm_core.media.inset_films import SIZE, film, inset, scenes, shots

LARGEST = 0.4


def viewed(pictures, most=2, max_border=LARGEST):
    return list(with_views(iter(shots(pictures)), Scaler(), most=most, max_border=max_border))


def apart(one, other):
    return np.abs(one.astype(int) - other).mean()


@pytest.mark.parametrize("pair", [("bunny_trailer", "city_reel"), ("city_reel", "creature_reel")])
def test_a_view_shows_the_film_inside(pair):
    found = viewed(inset(*pair, 0.5, 0.3, 0.2))
    wanted = shots(scenes(pair[0]))
    assert [len(shot.views) for shot in found] == [1] * len(wanted)
    assert [shot.time for shot in found] == [shot.time for shot in wanted]
    after = [apart(a.views[0], b.pixels) for a, b in zip(found, wanted, strict=True)]
    before = [apart(a.pixels, b.pixels) for a, b in zip(found, wanted, strict=True)]
    assert found[0].views[0].shape == (SIZE, SIZE, 3)
    assert np.median(after) < 0.35 * np.median(before)


def test_a_stack_has_two_views_and_fewer_where_fewer_are_wanted():
    one, other = (np.stack(scenes(name)) for name in ("bunny_trailer", "city_reel"))
    stack = np.concatenate([one[:, ::2], other[:, ::2]], axis=1)
    found = viewed(stack)
    assert {len(shot.views) for shot in found} == {2}
    for view, source in enumerate((one, other)):
        wanted = shots(source)
        differences = [apart(a.views[view], b.pixels) for a, b in zip(found, wanted, strict=True)]
        assert np.median(differences) < 15
    assert {len(shot.views) for shot in viewed(stack, most=1)} == {1}


def test_an_inset_that_begins_late_is_found_from_where_it_begins():
    plain, late = scenes("city_reel"), inset("bunny_trailer", "city_reel", 0.5, 0.7, 0.6)
    found = viewed([*plain[:16], *late[16:], *late])
    assert all(shot.views for shot in found[16:])
    other = viewed([*late, *plain, *plain])
    assert all(shot.views for shot in other[:32])
    assert not any(shot.views for shot in other[64:])


def test_a_few_pictures_at_the_end_are_judged_with_those_before_them():
    late = inset("bunny_trailer", "city_reel", 0.5, 0.7, 0.6)
    assert all(shot.views for shot in viewed([*late, *late[:4]]))


def test_bars_of_an_inset_go_though_the_other_picture_bleeds_into_them():
    rng = np.random.default_rng(3)
    pictures = rng.integers(60, 255, (24, SIZE, SIZE), dtype=np.uint8)
    pictures[:, :, :26] = rng.integers(0, 18, (24, SIZE, 26))
    pictures[:, :, -30:] = rng.integers(0, 18, (24, SIZE, 30))
    pictures[:, :, :2] = pictures[:, :, -2:] = rng.integers(0, 255, (24, SIZE, 2))
    assert bars(pictures, LARGEST) == pytest.approx((0, 0, 26, 30), abs=2)
    assert bars(pictures[:, :, 40:120].repeat(2, axis=2), LARGEST) == (0, 0, 0, 0)
    assert bars(pictures, 0.1) == (0, 0, 0, 0)  # more than may go


@pytest.fixture(scope="module")
def upload(tmp_path_factory):
    """50 s of one film inside another."""
    out = tmp_path_factory.mktemp("views") / "upload.mp4"
    step = PictureInPicture(film("city_reel"), 0.5, 0.6, 0.3)
    edit = Edit("inside", drop="sound", picture=(step,))
    make_copy([Clip(film("bunny_trailer"), 2.0, 30.0)], out, edit)
    return out


def decoded(path, **options):
    wanted = {"step": 1.0, "max_keyframe_gap": 2.5, "size": 96, "max_border": LARGEST}
    runs = list(decode_frames(path, **{**wanted, "max_views": 2, **options}))
    return runs, *(
        np.concatenate([getattr(run, name) for run in runs]) for name in ("pixels", "times", "view")
    )


def test_views_follow_their_picture_in_the_stream(upload):
    runs, pixels, times, view = decoded(upload, max_hold=5.0)
    assert len(pixels) == len(times) == len(view)
    assert (view == 1).sum() == (view == 0).sum() > 10
    assert (np.diff(times) >= 0).all()
    assert (times[view == 1] == times[view == 0]).all()
    assert (np.diff(times[view == 0]) > 0).all()
    assert max(len(run.times) for run in runs) <= 32


def test_the_size_of_a_batch_changes_nothing(upload):
    _, *wanted = decoded(upload)
    for batch in (5, 64):
        runs, *found = decoded(upload, batch=batch)
        assert all(len(run.times) <= batch for run in runs)
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(one, other)


def test_whole_pictures_are_the_same_with_and_without_views(upload):
    _, pixels, times, view = decoded(upload)
    _, plain, plain_times, none = decoded(upload, max_views=0)
    assert not none.any()
    np.testing.assert_array_equal(times[view == 0], plain_times)
    np.testing.assert_array_equal(pixels[view == 0], plain)


def test_an_ordinary_film_has_no_views():
    for name in ("bunny_trailer", "fish_fillets_intro"):
        _, pixels, _, view = decoded(film(name))
        assert len(pixels) > 20
        assert not view.any()
