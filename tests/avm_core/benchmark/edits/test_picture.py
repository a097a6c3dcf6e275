"""Each change of pictures does what it says, and keeps their size and number."""

import numpy as np
import pytest

from avm_core.benchmark.edits.picture import (
    Caption,
    InsertedFrames,
    Logo,
    PictureInPicture,
    blur,
    colours,
    crop,
    grain,
    grey,
    letterbox,
    looped,
    low_resolution,
    mirror,
    rotate,
)
from avm_core.media.write import VideoFormat, write_media

SIZE = (96, 160)
COUNT = 12
TIMES = np.arange(COUNT) / 25.0


def pictures(seed=0):
    """Smooth colour fields that move: what filters interpolate stays near."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0 : SIZE[0], 0 : SIZE[1]]
    phase = rng.uniform(0, 6, 3)
    for number in range(COUNT):
        waves = [128 + 90 * np.sin(x / 17 + y / 29 + p + number / 9) for p in phase]
        yield np.stack(waves, axis=-1).astype(np.uint8)


def made(step):
    return list(step(pictures(), TIMES))


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """Pictures of one blue, in a file."""
    path = tmp_path_factory.mktemp("other") / "blue.mp4"
    blue = np.full((*SIZE, 3), (10, 20, 200), np.uint8)
    form = VideoFormat(bitrate=300_000)
    write_media(path, video=(blue for _ in range(5)), video_format=form)
    return path


def all_steps(path):
    return [
        *(crop(0.75), mirror(), letterbox(0.7), rotate(8), colours(0.1, 1.2, 0.7, 20), grey()),
        *(blur(3), grain(30), low_resolution(24), PictureInPicture(path, 0.5, 0.5, 0.5)),
        *(Logo(0.3, 0.9, 0.1, 0.9, 3), Caption("HELLO", 0.2, 1.0), InsertedFrames(4, 1)),
    ]


def test_every_step_keeps_size_and_number_and_is_the_same_again(other):
    original = list(pictures())
    for step in all_steps(other):
        result = made(step)
        assert len(result) == COUNT, step
        assert {(p.shape, p.dtype) for p in result} == {((*SIZE, 3), np.dtype(np.uint8))}, step
        assert all(np.array_equal(a, b) for a, b in zip(result, made(step), strict=True)), step
        assert any(not np.array_equal(a, b) for a, b in zip(result, original, strict=True)), step


def test_mirror_and_grey_and_crop():
    original = list(pictures())
    flipped = made(mirror())
    assert np.abs(flipped[3].astype(int) - original[3][:, ::-1]).max() <= 6
    assert np.ptp(made(grey())[2].astype(int), axis=-1).max() <= 4
    left = made(crop(0.5, 0.0, 0.0))[0]
    assert np.abs(left[::2, ::2].astype(int) - original[0][:48, :80]).mean() < 8


def test_letterbox_and_rotation_have_black_corners():
    for step in (letterbox(0.6), rotate(15)):
        picture = made(step)[0]
        assert picture[0, 0].max() < 20
        assert picture[SIZE[0] // 2, SIZE[1] // 2].max() > 30


def test_blur_and_low_resolution_smooth_and_grain_roughens():
    def roughness(picture):
        return np.abs(np.diff(picture.astype(float), axis=1)).mean()

    noisy = [np.random.default_rng(n).integers(0, 256, (*SIZE, 3), np.uint8) for n in range(3)]
    for step in (blur(2), low_resolution(24)):
        smooth = list(step(iter(noisy), TIMES[:3]))
        assert roughness(smooth[1]) < 0.5 * roughness(noisy[1])
    assert roughness(made(grain(40))[0]) > 2 * roughness(next(pictures()))


def test_picture_in_picture_shows_the_clip_inside_the_other(other):
    result = made(PictureInPicture(other, 0.5, 0.5, 0.5))
    corner, original = result[5][4, 4].astype(int), list(pictures())[5]
    assert np.abs(corner - (10, 20, 200)).max() < 25
    inner = result[5][24:72, 40:120].astype(int)
    assert np.abs(inner - original[::2, ::2]).mean() < 10


def test_overlays_stay_in_their_place():
    original = list(pictures())
    bar = made(Caption("SUBSCRIBE", 0.25, 1.0))
    assert np.array_equal(bar[4][:70], original[4][:70])
    assert np.abs(bar[4][74:].astype(int) - original[4][74:]).mean() > 30
    logo = made(Logo(0.4, 0.0, 0.0, 1.0, 2))
    assert np.array_equal(logo[4][40:], original[4][40:])
    assert not np.array_equal(logo[4][:38, :38], original[4][:38, :38])
    assert np.array_equal(logo[4][:, 40:], original[4][:, 40:])


def test_inserted_frames_come_about_as_often_as_said():
    still = [np.full((*SIZE, 3), 77, np.uint8)] * 400
    result = list(InsertedFrames(10, 5)(iter(still), np.arange(400) / 25))
    changed = sum(not np.array_equal(picture, still[0]) for picture in result)
    assert 20 <= changed <= 65


@pytest.mark.parametrize(("period", "count"), [(33, 100), (38, 191), (25, 76)])
def test_a_looped_file_has_a_picture_for_every_time(tmp_path, period, count):
    """Lengths at which a lap's edge, computed as time // period, is off by rounding."""
    path = tmp_path / "ramp.mp4"
    ramp = (np.full((32, 32, 3), 20 + 5 * number, np.uint8) for number in range(period))
    write_media(path, video=ramp, video_format=VideoFormat(bitrate=500_000))
    shown = list(looped(path, np.arange(count) / 25.0, (32, 32)))
    assert len(shown) == count
    levels = np.array([picture.mean() for picture in shown])
    assert np.abs(levels - (20 + 5 * (np.arange(count) % period))).max() < 2.4


def test_a_clip_inside_a_looped_picture_keeps_all_its_pictures(tmp_path):
    path = tmp_path / "short.mp4"
    write_media(path, video=(np.full((32, 32, 3), 90, np.uint8) for _ in range(33)))
    clip = [np.full((*SIZE, 3), 200, np.uint8)] * 100
    inset = PictureInPicture(path, 0.5, 0.5, 0.5)
    assert len(list(inset(iter(clip), np.arange(100) / 25.0))) == 100
