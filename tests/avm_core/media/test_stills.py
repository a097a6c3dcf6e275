"""What shows nothing new is left out, and the next picture says how long it stood."""

from fractions import Fraction

import numpy as np
import pytest

from avm_core.media.borders import Shot
from avm_core.media.decode import decode_frames
from avm_core.media.stills import without_stills
from avm_core.media.write import VideoFormat, write_media

SIZE = 224


def scene(seed):
    rng = np.random.default_rng(seed)
    tiles = rng.integers(0, 256, (8, 8, 3))
    return np.kron(tiles, np.ones((SIZE // 8, SIZE // 8, 1))).astype(np.uint8)


def kept(pictures, *, max_hold=5.0, step=1.0):
    run = (Shot(ordinal * step, picture) for ordinal, picture in enumerate(pictures))
    return [shot.time for shot in without_stills(run, max_hold=max_hold)]


def test_the_first_of_equal_pictures_stays():
    pictures = [scene(1)] * 3 + [scene(2)] * 2 + [scene(3)] + [scene(1)]
    assert kept(pictures) == [0, 3, 5, 6]


@pytest.mark.parametrize("max_hold", [2.0, 5.0])
def test_a_long_still_is_confirmed_now_and_then(max_hold):
    assert kept([scene(1)] * 20, max_hold=max_hold) == pytest.approx(np.arange(0, 20, max_hold))


def test_noise_is_not_news():
    rng = np.random.default_rng(2)
    grain = [np.clip(scene(1) + rng.normal(0, 5, (SIZE, SIZE, 3)), 0, 255) for _ in range(5)]
    assert kept([picture.astype(np.uint8) for picture in grain]) == [0]


def test_something_small_that_moves_is():
    pictures = [scene(1).copy() for _ in range(4)]
    for ordinal, picture in enumerate(pictures):
        picture[100:120, 40 * ordinal : 40 * ordinal + 20] = 255 - picture[110, 40 * ordinal]
    assert kept(pictures) == [0, 1, 2, 3]


def test_a_slow_fade_is_followed():
    pictures = [(scene(1) * (1 - n / 40)).astype(np.uint8) for n in range(40)]
    times = kept(pictures, max_hold=100.0)
    assert len(times) > 10
    assert np.diff(times).max() < 6


def test_stills_of_a_file_leave_holes(tmp_path):
    """A still, compressed hard, with a key frame every second."""
    pictures = [p for n in range(4) for p in [scene(n)] * 100]
    form = VideoFormat(frame_rate=Fraction(25), gop=25, bitrate=150_000)
    write_media(tmp_path / "a.mp4", video=pictures, video_format=form)
    runs = decode_frames(
        tmp_path / "a.mp4", step=1.0, max_keyframe_gap=2.5, size=SIZE, max_hold=30.0
    )
    times = np.concatenate([run.times for run in runs])
    # The encoder needs its time to find its feet.
    assert times[times > 3.5] == pytest.approx([4, 8, 12], abs=0.05)
