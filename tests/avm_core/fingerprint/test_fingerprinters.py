"""The shipped fingerprinters on real and awkward media, and against vectors of an earlier day.

`python -m tests.avm_core.fingerprint.test_fingerprinters` writes the golden files anew: do so
only together with a raised version in the registry.
"""

from pathlib import Path

import numpy as np
import pytest

from avm_core.benchmark.edits import Clip, Edit, make_copy
from avm_core.benchmark.edits.picture import PictureInPicture, mirror
from avm_core.benchmark.edits.sound import Hissed
from avm_core.config import DecodeConfig
from avm_core.errors import BadMedia
from avm_core.fingerprint.codec import decode, encode
from avm_core.fingerprint.registry import create, identify
from avm_core.media.probe import probe
from avm_core.media.write import VideoFormat, write_media
from tests.avm_core.media.makers import RATE, clicks, numbered

ROOT = Path(__file__).resolve().parents[3]
MEDIA = ROOT / "local" / "media"
GOLDEN = ROOT / "tests" / "golden"
CONFIG = DecodeConfig()
SOURCES = {
    "audio_logmel.dct": "music/caves.m4a",
    "video_gem.v1": "clean/dancer.mp4",
    "video_lite0.imagenet": "clean/dancer.mp4",
}
_MADE = {}


def fingerprint(name, path):
    if name not in _MADE:
        _MADE[name] = create(name, CONFIG, device="cpu")
    return _MADE[name].fingerprint(path, content_id=path.stem, info=probe(path))


def cosine(one, two):
    left, right = one.astype(np.float64), two.astype(np.float64)
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    return (left * right).sum(axis=1) / np.maximum(norms, 1e-9)


@pytest.fixture(scope="module")
def real():
    return {name: fingerprint(name, MEDIA / source) for name, source in SOURCES.items()}


@pytest.mark.parametrize("name", SOURCES)
def test_vectors_are_those_of_the_golden_file(real, name):
    found = real[name]
    with np.load(GOLDEN / f"{name}.npz") as golden:
        # Who changes the vectors changes the identity, and makes the golden file anew.
        assert str(found.fingerprinter) == str(golden["identity"])
        np.testing.assert_allclose(found.starts, golden["starts"], atol=1e-3)
        np.testing.assert_array_equal(found.valid, golden["valid"])
        alike = cosine(found.descriptors, golden["descriptors"])[found.valid]
    assert len(alike) > 15
    assert alike.min() >= 0.999


def test_a_fingerprint_describes_its_content(real):
    for name, source in SOURCES.items():
        found, info = real[name], probe(MEDIA / source)
        assert found.fingerprinter == identify(name, CONFIG)
        assert found.content_id == Path(source).stem
        assert found.duration == info.duration
        assert (np.diff(found.starts) > 0).all()
        assert found.starts[0] >= 0
        assert found.starts[-1] + found.window <= info.duration + 0.1
        assert (np.abs(found.descriptors[found.valid].astype(int)).max(axis=1) == 127).all()
        assert found.valid.mean() > 0.9


def test_windows_of_each_modality(real):
    audio, video = real["audio_logmel.dct"], real["video_lite0.imagenet"]
    assert (audio.window, audio.modality, audio.descriptors.shape[1]) == (4.0, "audio", 96)
    assert np.diff(audio.starts) == pytest.approx(0.25)
    assert (video.window, video.modality, video.descriptors.shape[1]) == (0.0, "video", 256)
    assert np.diff(video.starts) == pytest.approx(2.0, abs=0.3)  # its key frames


@pytest.mark.parametrize("name", SOURCES)
def test_a_second_run_gives_the_same_bytes(real, name):
    again = fingerprint(name, MEDIA / SOURCES[name])
    assert encode(again) == encode(real[name])
    assert encode(decode(encode(again))) == encode(real[name])


def test_black_pictures_and_silence_are_not_valid(tmp_path):
    black = [np.zeros((64, 64, 3), np.uint8)] * 125
    film = [numbered(9000 + n) for n in range(125)]
    rng = np.random.default_rng(1)
    sound = np.concatenate([np.zeros(5 * RATE), rng.normal(0, 0.1, 5 * RATE)]).astype(np.float32)
    path = tmp_path / "a.mp4"
    form = VideoFormat(gop=25, bitrate=400_000)
    write_media(path, video=[*black, *film], audio=sound, video_format=form)
    video = fingerprint("video_lite0.imagenet", path)
    # Black that goes on is one picture: the next one says how long it stood.
    assert video.starts == pytest.approx([0, 5, 6, 7, 8, 9], abs=0.1)
    assert video.valid.tolist() == [False] + [True] * 5
    audio = fingerprint("audio_logmel.dct", path)
    assert not audio.valid[audio.starts + 4 < 4.9].any()
    assert audio.valid[audio.starts > 1.5].all()


def test_a_stream_that_is_not_there_is_refused(tmp_path):
    write_media(tmp_path / "silent.mp4", video=[numbered(n) for n in range(30)])
    write_media(tmp_path / "sound.m4a", audio=clicks(6.0, [1.0, 3.0], hiss=0.01))
    with pytest.raises(BadMedia, match="no audio"):
        fingerprint("audio_logmel.dct", tmp_path / "silent.mp4")
    with pytest.raises(BadMedia, match="no picture"):
        fingerprint("video_lite0.imagenet", tmp_path / "sound.m4a")


def test_a_second_of_media_has_a_picture_and_no_sound_window(tmp_path):
    path = tmp_path / "short.mp4"
    pictures = [numbered(9000 + n) for n in range(25)]
    write_media(path, video=pictures, audio=clicks(1.0, [0.5], hiss=0.05))
    audio = fingerprint("audio_logmel.dct", path)
    assert audio.descriptors.shape == (0, 96)
    assert decode(encode(audio)).descriptors.shape == (0, 96)
    video = fingerprint("video_lite0.imagenet", path)
    assert (len(video.starts), video.starts[0]) == (1, 0.0)


def test_pictures_follow_the_settings(tmp_path):
    path = tmp_path / "a.mp4"
    form = VideoFormat(gop=250, bitrate=400_000, options=(("x264-params", "scenecut=0"),))
    write_media(path, video=(numbered(n) for n in range(150)), video_format=form)
    for step in (1.5, 3.0):
        decode_config = DecodeConfig(frame_step=step, frame_size=64)
        made = create("video_lite0.imagenet", decode_config, device="cpu")
        found = made.fingerprint(path, content_id="a", info=probe(path))
        # Not a frame that no other refers to, so up to three of 25 a second late.
        assert found.starts == pytest.approx(np.arange(0, 6, step), abs=0.161)
        assert found.fingerprinter != identify("video_lite0.imagenet", CONFIG)


def test_the_trained_projection_finds_a_copy_inside_another_film(tmp_path):
    """Golden behaviour of the shipped weights: mirrored, half as large, in the corner of another
    film, the pictures of a title are nearer to their own moments than to another title's."""
    name, title = "video_gem.v1", MEDIA / "titles/city_reel.mp4"
    behind, other = MEDIA / "clean/pianist.mp4", MEDIA / "titles/creature_reel.mp4"
    steps = (mirror(), PictureInPicture(behind, 0.6, 0.9, 0.1))
    copy = tmp_path / "copy.mp4"
    make_copy([Clip(title, 2.0, 22.0)], copy, Edit("copy", drop="sound", picture=steps))
    found, own, foreign = (fingerprint(name, path) for path in (copy, title, other))
    assert found.descriptors.shape[1] == 256
    vectors = found.unit_vectors()[found.valid]
    best = [(vectors @ one.unit_vectors()[one.valid].T).max(axis=1) for one in (own, foreign)]
    assert np.mean(best[0] > best[1]) > 0.8


def write_golden():
    GOLDEN.mkdir(exist_ok=True)
    for name, source in SOURCES.items():
        made = fingerprint(name, MEDIA / source)
        np.savez_compressed(
            GOLDEN / f"{name}.npz",
            identity=str(made.fingerprinter),
            descriptors=made.descriptors,
            starts=made.starts,
            valid=made.valid,
        )


if __name__ == "__main__":
    write_golden()


def test_the_trained_encoder_finds_a_copy_that_is_faster_and_noisy(tmp_path):
    """Golden behaviour of the shipped weights: same moments alike, others not."""
    title = MEDIA / "music/caves.m4a"
    copy = tmp_path / "copy.m4a"
    edit = Edit("copy", drop="picture", speed=1.1, sound=(Hissed(10.0, 1, "pink"),))
    [planted] = make_copy([Clip(title, 4.0, 27.0)], copy, edit)
    one, other = fingerprint("audio_conv.v2", title), fingerprint("audio_conv.v2", copy)
    assert (one.window, one.descriptors.shape[1]) == (3.0, 128)
    assert np.diff(one.starts) == pytest.approx(0.5)
    assert len(encode(one)) * 3600 / one.duration < 1.1e6
    cosines = other.unit_vectors() @ one.unit_vectors().T
    middles = other.starts + 1.5
    true = planted.licensed_start + planted.speed * (middles - planted.ugc_start)
    found = one.starts[cosines.argmax(axis=1)] + 1.5
    assert np.mean(np.abs(found - true) < 1.0) > 0.8
