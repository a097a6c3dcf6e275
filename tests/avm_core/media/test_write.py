"""What `write_media` writes can be read back: same pictures, same sound, same bytes."""

from fractions import Fraction

import av
import numpy as np
import pytest

from avm_core.errors import BadSettings
from avm_core.media.decode import decode_audio
from avm_core.media.probe import probe
from avm_core.media.write import AudioFormat, VideoFormat, write_media

RATE = 44_100


def numbered_pictures(count, *, height=48, width=64):
    """Pictures whose grey says their ordinal: 20, 24, 28, ..."""
    return [np.full((height, width, 3), 20 + 4 * n, dtype=np.uint8) for n in range(count)]


def noise(seconds, *, channels=1, seed=1):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.1, (channels, int(seconds * RATE))).astype(np.float32)


def lag(found, wanted):
    """Samples by which `found` comes later than `wanted`."""
    size = 1 << (len(found) + len(wanted)).bit_length()
    peak = np.fft.irfft(np.fft.rfft(found, size) * np.conj(np.fft.rfft(wanted, size)), size)
    best = int(np.argmax(peak))
    return best - size if best > size // 2 else best


def greys(path):
    with av.open(str(path)) as container:
        return [float(f.to_ndarray(format="rgb24").mean()) for f in container.decode(video=0)]


@pytest.mark.parametrize(
    ("suffix", "video_codec", "audio_codec"),
    [
        (".mp4", "libx264", "aac"),
        (".mkv", "mpeg4", "libmp3lame"),
        (".mkv", "libvpx", "libopus"),
        (".webm", "libvpx-vp9", "libopus"),
    ],
)
def test_pictures_and_sound_come_back_in_place(tmp_path, suffix, video_codec, audio_codec):
    path = tmp_path / f"a{suffix}"
    pictures, sound = numbered_pictures(50), noise(2.0)
    write_media(
        path,
        video=pictures,
        audio=sound,
        video_format=VideoFormat(codec=video_codec, bitrate=300_000),
        audio_format=AudioFormat(codec=audio_codec),
    )
    wanted = [float(p.mean()) for p in pictures]
    assert np.abs(np.subtract(greys(path), wanted)).max() < 6
    found = np.concatenate(list(decode_audio(path, sample_rate=RATE)))
    assert abs(lag(found, sound[0])) < RATE * 0.005
    assert probe(path).duration == pytest.approx(2.0, abs=0.06)


@pytest.mark.parametrize("video_codec", ["libx264", "libvpx", "mpeg4"])
def test_equal_input_gives_equal_bytes(tmp_path, video_codec):
    suffix = "mp4" if video_codec == "libx264" else "webm" if video_codec == "libvpx" else "avi"
    codec = {"mp4": "aac", "webm": "libopus", "avi": "libmp3lame"}[suffix]
    files = [tmp_path / f"{name}.{suffix}" for name in "ab"]
    for path in files:
        write_media(
            path,
            video=iter(numbered_pictures(30)),
            audio=noise(1.2),
            video_format=VideoFormat(codec=video_codec),
            audio_format=AudioFormat(codec=codec),
        )
    assert files[0].read_bytes() == files[1].read_bytes()


def test_key_frames_come_every_gop(tmp_path):
    for gop in (10, 25):
        path = tmp_path / f"{gop}.mp4"
        write_media(path, video=numbered_pictures(50), video_format=VideoFormat(gop=gop))
        with av.open(str(path)) as container:
            keys = [p.pts for p in container.demux(video=0) if p.is_keyframe and p.size]
        assert len(keys) == 50 // gop


def test_streams_have_the_format_asked_for(tmp_path):
    path = tmp_path / "a.mp4"
    form = VideoFormat(frame_rate=Fraction(30_000, 1001), width=32, height=24)
    write_media(path, video=numbered_pictures(20), audio=noise(0.6, channels=2), video_format=form)
    info = probe(path)
    assert (info.video.codec, info.video.width, info.video.height) == ("h264", 32, 24)
    assert info.video.frame_rate == pytest.approx(29.97, abs=0.01)
    assert (info.audio.codec, info.audio.sample_rate, info.audio.channels) == ("aac", RATE, 2)


def test_one_stream_alone_is_a_file_too(tmp_path):
    write_media(tmp_path / "a.m4a", audio=noise(1.0)[0])
    write_media(tmp_path / "v.mp4", video=numbered_pictures(25))
    assert probe(tmp_path / "a.m4a").video is None
    assert probe(tmp_path / "v.mp4").audio is None


def test_faststart_decides_where_the_index_is(tmp_path):
    for faststart in (True, False):
        path = tmp_path / f"{faststart}.mp4"
        write_media(path, video=numbered_pictures(25), audio=noise(1.0), faststart=faststart)
        data = path.read_bytes()
        assert (data.index(b"moov") < data.index(b"mdat")) is faststart


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("a.mp4", {}, "nothing to write"),
        ("a.mp4", {"video": []}, "no pictures"),
        ("a.mp4", {"audio": np.zeros((3, 100), dtype=np.float32)}, r"\[2, N\]"),
        ("a.xyz", {"audio": np.zeros(100, dtype=np.float32)}, "another codec or container"),
        (
            "a.mp4",
            {"video": numbered_pictures(2), "video_format": VideoFormat(codec="nonsense")},
            "another codec or container",
        ),
    ],
)
def test_what_cannot_be_written_says_why(tmp_path, name, arguments, said):
    with pytest.raises(BadSettings, match=said):
        write_media(tmp_path / name, **arguments)
