"""Pictures are read as a player shows them, sound as FFmpeg filters make it."""

import numpy as np
import pytest

from avm_core.errors import BadMedia, BadSettings
from avm_core.media.filters import filter_audio, read_pictures
from avm_core.media.write import VideoFormat, write_media

RATE = 8_000


@pytest.fixture
def stairs(tmp_path):
    """Four seconds whose grey goes up by 2 with each of 100 pictures, from 20."""
    path = tmp_path / "stairs.mp4"
    pictures = (np.full((32, 48, 3), 20 + 2 * n, dtype=np.uint8) for n in range(100))
    write_media(path, video=pictures, video_format=VideoFormat(bitrate=400_000, gop=20))
    return path


def ordinals(pictures):
    return [(float(picture.mean()) - 20) / 2 for picture in pictures]


@pytest.mark.parametrize(
    ("times", "wanted"),
    [
        ([0.0, 0.04, 0.075, 0.08], [0, 1, 1, 2]),
        ([2.5, 2.51, 3.0], [62, 62, 75]),
        ([3.98, 5.0, 60.0], [99, 99, 99]),
        ([1.3, 1.3, 1.3], [32, 32, 32]),
    ],
)
def test_a_picture_stays_until_the_next_one_is_due(stairs, times, wanted):
    found = ordinals(read_pictures(stairs, np.asarray(times)))
    assert found == pytest.approx(wanted, abs=0.9)


def test_no_times_give_no_pictures(stairs):
    assert list(read_pictures(stairs, np.asarray([]))) == []


def test_filters_apply_in_order(stairs):
    times = np.asarray([0.5, 1.5])
    chain = [("crop", "24:16"), ("pad", "40:20:0:0"), ("hflip", "")]
    pictures = list(read_pictures(stairs, times, filters=chain))
    assert [picture.shape for picture in pictures] == [(20, 40, 3)] * 2
    assert all(p[:, :14].max() < 20 < p[:14, 18:].min() for p in pictures)


def test_sound_is_scaled_and_sped_up():
    samples = np.sin(np.arange(4 * RATE) * 0.3).astype(np.float32)
    quieter = filter_audio(samples, sample_rate=RATE, filters=[("volume", "-6dB")])
    assert quieter == pytest.approx(samples * 10 ** (-6 / 20), abs=1e-3)
    chain = [("asetrate", "10000"), ("aresample", str(RATE))]
    faster = filter_audio(samples, sample_rate=RATE, filters=chain)
    assert len(faster) == pytest.approx(len(samples) * 0.8, rel=0.01)


@pytest.mark.parametrize("chain", [[("no_such_filter", "")], [("crop", "bad=argument")]])
def test_a_refused_filter_is_named(stairs, chain):
    with pytest.raises(BadSettings, match=chain[0][0]):
        list(read_pictures(stairs, np.asarray([0.0]), filters=chain))
    with pytest.raises(BadSettings, match=chain[0][0]):
        filter_audio(np.zeros(100, dtype=np.float32), sample_rate=RATE, filters=chain)


def test_sound_alone_has_no_pictures(tmp_path):
    write_media(tmp_path / "a.m4a", audio=np.zeros(44_100, dtype=np.float32))
    with pytest.raises(BadMedia, match="no video stream"):
        list(read_pictures(tmp_path / "a.m4a", np.asarray([0.0])))
