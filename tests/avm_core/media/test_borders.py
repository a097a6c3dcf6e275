"""Bars and frames around a film go, whatever they look like; dark films and titles stay whole."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from avm_core.media.borders import Shot, without_borders
from avm_core.media.decode import decode_frames
from avm_core.media.filters import filter_pictures, read_pictures
from avm_core.media.scale import Scaler
from avm_core.media.write import VideoFormat, write_media

TITLE = Path(__file__).resolve().parents[3] / "local" / "media" / "titles" / "city_reel.mp4"
SIZE = 128
LARGEST = 0.4


@pytest.fixture(scope="module")
def scenes():
    """40 pictures of a film, RGB [240, 320, 3]."""
    return list(read_pictures(TITLE, np.arange(1.0, 61.0, 1.5), filters=[("scale", "320:240")]))


def padded(pictures, width, height, *, at="(ow-iw)/2:(oh-ih)/2", colour="black"):
    return list(filter_pictures(pictures, [("pad", f"{width}:{height}:{at}:{colour}")]))


def shots(pictures):
    scaler, result = Scaler(), []
    for second, picture in enumerate(pictures):
        pair = (scaler.resized(picture, side) for side in (SIZE, 2 * SIZE))
        result.append(Shot(float(second), *pair))
    return result


def cut(pictures, largest=LARGEST):
    return list(without_borders(iter(shots(pictures)), Scaler(), largest=largest))


def apart(one, other):
    """Mean difference of two runs of shots, of 255, for each picture."""
    pairs = zip(one, other, strict=True)
    return np.array([np.abs(a.pixels.astype(int) - b.pixels).mean() for a, b in pairs])


@pytest.mark.parametrize(
    ("width", "height", "at", "colour"),
    [
        (320, 320, "0:40", "black"),  # above and below
        (480, 240, "80:0", "black"),  # left and right
        (400, 320, "60:20", "black"),  # around, and off the middle
        (320, 320, "0:40", "white"),
        (480, 240, "80:0", "darkgreen"),
        (320, 260, "0:20", "black"),  # above alone
    ],
)
def test_bars_go_and_the_film_is_left(scenes, width, height, at, colour):
    boxed = padded(scenes, width, height, at=at, colour=colour)
    before = apart(shots(boxed), shots(scenes))
    after = apart(cut(boxed), shots(scenes))
    assert np.median(after) < 6
    assert np.median(after) < 0.3 * np.median(before)
    assert [s.time for s in cut(boxed)] == [s.time for s in shots(boxed)]


def test_a_design_around_the_film_goes_too(scenes):
    rng = np.random.default_rng(4)
    design = np.kron(rng.integers(0, 256, (16, 20, 3)), np.ones((20, 20, 1))).astype(np.uint8)
    framed = []
    for picture in scenes:
        framed.append(design.copy())
        framed[-1][40:280, 40:360] = picture
    assert np.median(apart(cut(framed), shots(scenes))) < 6


def test_a_film_without_a_border_is_left_alone(scenes):
    assert (apart(cut(scenes), shots(scenes)) == 0).all()


def test_dark_scenes_are_not_borders(scenes):
    rng = np.random.default_rng(5)
    dark = []
    for picture in scenes:
        top, left = rng.integers(10, 100, 2)  # a lit part in the dark, of another size each time
        dark.append(np.zeros_like(picture))
        dark[-1][top : top + 120, left : left + 160] = picture[:120, :160]
    assert (apart(cut(dark), shots(dark)) == 0).all()


def test_a_still_title_is_not_cut_to_its_letters():
    title = np.zeros((240, 320, 3), np.uint8)
    title[100:140, 60:260:10] = 220
    stills = [title] * 40
    assert (apart(cut(stills), shots(stills)) == 0).all()


def test_black_pictures_pass(scenes):
    black = [np.zeros((240, 320, 3), np.uint8)] * 40
    assert (apart(cut(black), shots(black)) == 0).all()
    mixed = padded(scenes[:20], 320, 320, at="0:40") + [np.zeros((320, 320, 3), np.uint8)] * 5
    assert np.median(apart(cut(mixed)[:20], shots(scenes[:20]))) < 6


def test_full_pictures_between_bordered_ones_stay_whole(scenes):
    boxed = padded(scenes[:24], 320, 320, at="0:40")
    full = [np.kron(p, np.ones((2, 1, 1), np.uint8))[:320] for p in scenes[24:32]]
    found = cut(boxed[:12] + full + boxed[12:])
    assert np.median(apart(found[:12] + found[20:], shots(scenes[:24]))) < 6
    assert (apart(found[12:20], shots(full)) == 0).all()


def test_a_border_stays_known_while_dark_scenes_hide_where_it_ends(scenes):
    boxed = padded(scenes, 320, 320, at="0:40")
    rest = [np.zeros_like(p) for p in boxed[:8]]
    for picture, scene in zip(rest, scenes, strict=False):
        picture[130:190, 120:200] = scene[:60, :80]
    found = cut(boxed[:32] + rest)
    # 60 lines of 240 instead of 60 of 320.
    lit = [np.flatnonzero(s.pixels.max(axis=(1, 2)) > 40) for s in found[32:]]
    assert np.median([np.ptp(lines) + 1 for lines in lit]) == pytest.approx(SIZE / 4, abs=2)


def test_no_more_is_cut_than_is_allowed(scenes):
    boxed = padded(scenes, 320, 480)  # a quarter above and a quarter below
    assert np.median(apart(cut(boxed, largest=0.3), shots(scenes))) < 6
    assert (apart(cut(boxed, largest=0.2), shots(boxed)) == 0).all()


def test_a_few_pictures_do_not_decide(scenes):
    boxed = padded(scenes[:4], 320, 320, at="0:40")
    assert (apart(cut(boxed), shots(boxed)) == 0).all()


@pytest.mark.parametrize(("width", "height"), [(320, 320), (480, 240)])
def test_a_bordered_file_gives_the_pictures_of_the_plain_one(tmp_path, scenes, width, height):
    form = VideoFormat(frame_rate=Fraction(1), gop=1, bitrate=300_000)
    runs = []
    for name, pictures in (("plain", scenes), ("boxed", padded(scenes, width, height))):
        path = tmp_path / f"{name}.mp4"
        write_media(path, video=pictures, video_format=form)
        frames = decode_frames(
            path, step=1.0, max_keyframe_gap=2.5, size=SIZE, max_border=LARGEST, batch=7
        )
        runs.append(np.concatenate([run.pixels for run in frames]).astype(int))
    assert np.median(np.abs(runs[0] - runs[1]).mean(axis=(1, 2, 3))) < 6
