"""What is a picture: large enough, not too long, readable; moments of one clip stay together."""

import numpy as np
import pytest
from PIL import Image

from avm_core.errors import BadMedia
from avm_core.train.pictures import PictureChoice, Shot, read_shot, shots

CHOICE = PictureChoice()


def noise(size, seed=1, mode="RGB"):
    rng = np.random.default_rng(seed)
    channels = len(mode)
    pixels = rng.integers(0, 256, (size[1], size[0], channels)).astype(np.uint8)
    return Image.fromarray(pixels, mode)


def save(path, image, **more):
    image.save(path, **more)
    return path


def found(path, content="ab12cd34", choice=CHOICE):
    return list(shots(path, content, "package", choice))


def test_a_still_is_one_shot(tmp_path):
    [shot] = found(save(tmp_path / "a.png", noise((120, 100))))
    assert (shot.package, shot.group, shot.frame) == ("package", "ab12cd34", 0)
    assert read_shot(shot).size == (120, 100)


@pytest.mark.parametrize("size", [(90, 400), (400, 120)])
def test_small_and_long_pictures_are_none(tmp_path, size):
    assert found(save(tmp_path / "a.png", noise(size))) == []


def test_what_cannot_be_read_is_no_picture_or_says_so(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"nothing")
    assert found(path) == []
    whole = save(tmp_path / "b.png", noise((120, 100))).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    [shot] = found(path)
    with pytest.raises(BadMedia, match=r"a\.jpg"):
        read_shot(shot)


def test_moments_of_a_clip_share_their_group_and_their_side(tmp_path):
    frames = [noise((100, 100), seed) for seed in range(12)]
    path = save(
        tmp_path / "a.webp",
        frames[0],
        save_all=True,
        append_images=frames[1:],
        lossless=True,
        duration=100,
    )
    clip = found(path, "00000000ff")
    assert [shot.frame for shot in clip] == [1, 4, 7, 10]
    assert {shot.group for shot in clip} == {"00000000ff"}
    assert {shot.held for shot in clip} == {True}
    assert len({shot.key for shot in clip}) == 4
    for shot in clip:
        np.testing.assert_array_equal(np.asarray(read_shot(shot)), np.asarray(frames[shot.frame]))
    held = [found(path, f"{n:08x}")[0].held for n in range(40)]
    assert sum(held) == 4


def test_large_pictures_are_read_small_and_keep_their_shape(tmp_path):
    path = save(tmp_path / "a.jpg", noise((1600, 900)))
    assert read_shot(Shot(path, "k", "g", "p")).size == (569, 320)


def test_what_is_transparent_is_grey(tmp_path):
    image = noise((100, 100), mode="RGBA")
    image.putalpha(0)
    [shot] = found(save(tmp_path / "a.png", image))
    assert np.asarray(read_shot(shot)).tolist() == np.full((100, 100, 3), 128).tolist()
    with pytest.raises(BadMedia, match="flat"):
        read_shot(shot, min_deviation=5.0)
