"""A probe says what a file holds, and refuses what is not audio or video."""

from fractions import Fraction

import numpy as np
import pytest

from avm_core.errors import BadMedia
from avm_core.media.container import open_media, origin, picture_stream
from avm_core.media.probe import probe, readable_until
from avm_core.media.write import AudioFormat, VideoFormat, write_media
from tests.avm_core.media.makers import RATE, clicks, head, numbered, remux, with_cover


def pictures(count):
    return [numbered(n) for n in range(count)]


def noise(seconds, *, channels=1):
    rng = np.random.default_rng(3)
    return rng.normal(0, 0.1, (channels, int(seconds * RATE))).astype(np.float32)


@pytest.mark.parametrize(
    ("suffix", "video", "audio", "named"),
    [
        (".mp4", "libx264", "aac", ("h264", "aac")),
        (".mkv", "mpeg4", "libmp3lame", ("mpeg4", "mp3")),
        (".webm", "libvpx-vp9", "libopus", ("vp9", "opus")),
        (".avi", "mpeg4", "libmp3lame", ("mpeg4", "mp3")),
    ],
)
def test_streams_and_duration_of_common_containers(tmp_path, suffix, video, audio, named):
    path = tmp_path / f"a{suffix}"
    form = VideoFormat(codec=video, frame_rate=Fraction(20))
    write_media(
        path,
        video=pictures(50),
        audio=noise(2.5, channels=2),
        video_format=form,
        audio_format=AudioFormat(codec=audio),
    )
    info = probe(path)
    assert info.duration == pytest.approx(2.5, abs=0.1)
    assert (info.video.width, info.video.height, info.video.frame_rate) == (64, 64, 20.0)
    assert info.audio.channels == 2
    assert info.audio.sample_rate == (48_000 if audio == "libopus" else RATE)
    assert named[0] in info.video.codec
    assert named[1] in info.audio.codec


def test_a_missing_stream_is_none(tmp_path):
    write_media(tmp_path / "sound.m4a", audio=noise(1.5))
    write_media(tmp_path / "silent.mp4", video=pictures(50))
    sound, silent = probe(tmp_path / "sound.m4a"), probe(tmp_path / "silent.mp4")
    assert (sound.video, silent.audio) == (None, None)
    assert sound.duration == pytest.approx(1.5, abs=0.05)
    assert silent.duration == pytest.approx(2.0, abs=0.05)


def test_cover_art_is_not_video(tmp_path):
    plain = tmp_path / "plain.mp3"
    write_media(plain, audio=noise(2.0), audio_format=AudioFormat(codec="libmp3lame"))
    path = with_cover(plain, tmp_path / "cover.mp3")
    with open_media(path) as container:
        assert len(container.streams.video) == 1
        assert picture_stream(container) is None
    info = probe(path)
    assert info.video is None
    assert info.audio.sample_rate == RATE
    assert info.duration == pytest.approx(2.0, abs=0.1)


def test_a_late_container_start_is_the_origin_of_time(tmp_path):
    source = tmp_path / "a.mkv"
    write_media(source, video=pictures(50), audio=noise(2.0))
    late = remux(source, tmp_path / "late.mkv", shift={"audio": 5.0, "video": 5.0})
    for path, start in ((source, 0.0), (late, 5.0)):
        with open_media(path) as container:
            assert origin(container) == pytest.approx(start, abs=0.05)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("empty.mp4", b"", "empty"),
        ("empty.mp3", b"", "empty"),
        ("notes.mp4", b"This is a shopping list, not a film.\n" * 20, "not readable"),
        ("notes.txt", b"This is a shopping list, not a film.\n" * 20, "text file"),
        ("page.html", b"<html><body>404 not found</body></html>", "not readable"),
        ("words.srt", b"1\n00:00:01,000 --> 00:00:02,000\nhello\n\n" * 4, "no audio and no"),
        ("zeros.mp4", bytes(5000), "not readable"),
    ],
)
def test_what_is_not_media_is_refused_with_a_reason(tmp_path, name, data, said):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(BadMedia, match=said):
        probe(path)


def test_an_upload_that_broke_off_before_its_index_is_refused(tmp_path):
    source = tmp_path / "a.mp4"
    write_media(source, video=pictures(50), audio=noise(2.0), faststart=False)
    for share in (0.3, 0.8):
        with pytest.raises(BadMedia, match="not readable"):
            probe(head(source, tmp_path / "cut.mp4", share))


def test_an_upload_that_broke_off_after_its_index_is_probed(tmp_path):
    source = tmp_path / "a.mp4"
    write_media(source, video=pictures(50), audio=clicks(2.0, [0.5]), faststart=True)
    assert probe(head(source, tmp_path / "cut.mp4", 0.7)) == probe(source)


def test_readable_until_tells_how_much_of_a_cut_file_is_there(tmp_path):
    source = tmp_path / "source.mp4"
    write_media(source, video=pictures(100), audio=noise(4.0), faststart=True)
    assert readable_until(source) == pytest.approx(4.0, abs=0.15)
    parts = [readable_until(head(source, tmp_path / "cut.mp4", share)) for share in (0.8, 0.4)]
    assert 0.0 < parts[1] < parts[0] < 3.9
