"""Damaged, cut and hostile files: the pictures that are there, or a reason that says what to do."""

from fractions import Fraction

import av
import numpy as np
import pytest

from avm_core.errors import BadMedia
from avm_core.media import container as container_module
from avm_core.media.decode import decode_frames, keyframe_times
from avm_core.media.probe import probe
from avm_core.media.write import VideoFormat, write_media
from tests.avm_core.media.makers import SIDE, head, number, numbered, remux


def film(path, seconds=12, *, gop=25, codec="libx264", faststart=True):
    options = (("x264-params", "scenecut=0"),) if codec == "libx264" else ()
    form = VideoFormat(codec, Fraction(25), 400_000, gop, options=options)
    pictures = (numbered(n) for n in range(seconds * 25))
    write_media(path, video=pictures, video_format=form, faststart=faststart)
    return path


def sampled(path, **options):
    runs = list(decode_frames(path, step=1.0, max_keyframe_gap=2.5, size=SIDE, **options))
    return np.concatenate([r.pixels for r in runs]), np.concatenate([r.times for r in runs])


def in_place(pixels, times, *, first=0.0):
    """Whether each picture shows the number of its time, counted from `first`."""
    return [number(p) for p in pixels] == [round(25 * (t + first)) for t in times]


# --- cut off, or without an index ---------------------------------------------------------------


@pytest.mark.parametrize("gop", [25, 250])
@pytest.mark.parametrize(
    ("suffix", "codec", "index"),
    [
        (".mp4", "libx264", None),  # its index is in front
        (".mkv", "libx264", b"\x1c\x53\xbb\x6b"),
        (".avi", "mpeg4", b"idx1"),
        (".ts", "libx264", None),
    ],
)
def test_a_file_without_its_end_gives_its_beginning(tmp_path, suffix, codec, index, gop):
    whole = film(tmp_path / "a.mkv", codec=codec, gop=gop)
    if suffix == ".mp4":
        whole = film(tmp_path / "a.mp4", gop=gop)
    elif suffix != ".mkv":
        whole = remux(whole, tmp_path / f"a{suffix}")
    data = whole.read_bytes()
    share = data.rindex(index) / len(data) if index else 1.0
    path = head(whole, tmp_path / f"cut{suffix}", 0.7 * share)
    pixels, times = sampled(path)
    assert in_place(pixels, times)
    assert 3 <= len(times) <= 10


@pytest.mark.parametrize("damage", ["no index", "index of nonsense"])
def test_an_mp4_with_a_broken_index_is_refused(tmp_path, damage):
    data = bytearray(film(tmp_path / "a.mp4", 3, faststart=False).read_bytes())
    index = data.index(b"moov")
    if damage == "no index":
        data[index : index + 4] = b"lost"
    else:
        data[index + 4 :] = np.random.default_rng(1).bytes(len(data) - index - 4)
    path = tmp_path / "broken.mp4"
    path.write_bytes(data)
    for use in (probe, sampled):
        with pytest.raises(BadMedia, match=r"check the upload|no audio and no|no picture"):
            use(path)


def test_an_index_that_points_nowhere_is_refused(tmp_path):
    data = bytearray(film(tmp_path / "a.mp4", 3).read_bytes())
    at = data.index(b"stco") + 12
    count = int.from_bytes(data[at - 4 : at], "big")
    data[at : at + 4 * count] = b"\x7f\xff\xff\x00" * count
    path = tmp_path / "broken.mp4"
    path.write_bytes(data)
    with pytest.raises(BadMedia, match="encode it anew"):
        sampled(path)


@pytest.mark.parametrize(("suffix", "mark"), [(".avi", b"idx1"), (".mkv", b"\x1c\x53\xbb\x6b")])
def test_a_container_that_lost_its_index_is_read_in_order(tmp_path, suffix, mark):
    path = film(tmp_path / f"a{suffix}", codec="mpeg4")
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(mark)])
    pixels, times = sampled(path)
    assert in_place(pixels, times)
    assert times == pytest.approx(np.arange(12), abs=0.01)


# --- where key frames are missing ---------------------------------------------------------------


def without_first_keys(source, out, *, until):
    return remux(source, out, keep=lambda kind, time: time >= until)


@pytest.mark.parametrize("suffix", [".ts", ".mkv"])
@pytest.mark.parametrize("gop", [50, 100])
def test_a_stream_that_starts_between_key_frames_starts_at_the_next(tmp_path, suffix, gop):
    source = film(tmp_path / "a.mkv", gop=gop)
    path = without_first_keys(source, tmp_path / f"b{suffix}", until=0.6)
    with av.open(str(path)) as reader:
        first = reader.start_time / av.time_base
    with av.open(str(source)) as reader, av.open(str(path)) as cut:
        assert next(reader.demux(video=0)).is_keyframe
        assert not next(cut.demux(video=0)).is_keyframe
    pixels, times = sampled(path)
    shown = np.array([number(p) for p in pixels]) / 25
    # A transport stream has a clock of its own; one frame of it is one of ours.
    assert shown - times == pytest.approx(np.full(len(times), shown[0] - times[0]), abs=0.01)
    assert suffix == ".ts" or shown == pytest.approx(times + first, abs=0.01)
    assert len(times) >= 4
    assert gop / 25 - 0.01 <= shown[0] <= gop / 25 + 0.2


def test_a_stream_without_any_key_frame_is_refused(tmp_path):
    source = film(tmp_path / "a.mkv", 4, gop=100)
    path = without_first_keys(source, tmp_path / "b.mkv", until=0.5)
    assert len(keyframe_times(path)) == 0
    with pytest.raises(BadMedia, match="encode it anew"):
        sampled(path)


def test_all_key_frames_are_not_too_many(tmp_path):
    pixels, times = sampled(film(tmp_path / "a.mkv", 6, gop=1))
    assert in_place(pixels, times)
    assert np.diff(times) == pytest.approx(0.76, abs=0.02)


# --- next to nothing ----------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_one_picture_without_a_duration(tmp_path, suffix):
    codec = "mpeg4" if suffix == ".avi" else "libx264"
    write_media(tmp_path / f"a{suffix}", video=[numbered(77)], video_format=VideoFormat(codec))
    _, times = sampled(tmp_path / f"a{suffix}", max_border=0.4, max_hold=5.0)
    assert (len(times), times[0]) == (1, 0.0)
    assert probe(tmp_path / f"a{suffix}").duration < 0.1


def test_a_raw_stream_without_a_duration_is_decoded(tmp_path):
    source = film(tmp_path / "a.mkv", 3)
    with av.open(str(source)) as reader:
        stream = reader.streams.video[0]
        raw = bytes(stream.codec_context.extradata or b"")
        units = [bytes(p) for p in reader.demux(stream) if p.size]
    # Length-prefixed units of Matroska, with start codes instead.
    sets = raw[6:]
    data = b""
    for count in (1, raw[5] & 31):
        del count
        length = int.from_bytes(sets[:2], "big")
        data += b"\x00\x00\x00\x01" + sets[2 : 2 + length]
        sets = sets[2 + length + 1 :]
    for unit in units:
        while unit:
            length = int.from_bytes(unit[:4], "big")
            data += b"\x00\x00\x00\x01" + unit[4 : 4 + length]
            unit = unit[4 + length :]
    path = tmp_path / "a.h264"
    path.write_bytes(data)
    assert probe(path).duration == 0.0
    with pytest.raises(BadMedia, match="with a time"):
        sampled(path)


# --- giants -------------------------------------------------------------------------------------


def giant(path, *, header=True, side=16_384):
    """An AVI of small JPEG pictures that say of themselves that they are `side` x `side`."""
    form = VideoFormat("mjpeg", Fraction(25), options=(("strict", "unofficial"),))
    write_media(path, video=[numbered(n) for n in range(25)], video_format=form)
    data = bytearray(path.read_bytes())
    at = 0
    while (at := data.find(b"\xff\xc0\x00\x11\x08", at) + 1) > 0:
        data[at + 4 : at + 8] = side.to_bytes(2, "big") * 2
    if header:
        at = data.index(b"strf") + 12
        data[at : at + 8] = side.to_bytes(4, "little") * 2
    path.write_bytes(data)
    return path


def test_a_giant_picture_is_refused_before_it_is_decoded(tmp_path):
    path = giant(tmp_path / "a.avi")
    assert probe(path).video.codec == "mjpeg"
    with pytest.raises(BadMedia, match="of more than 67108864 pixels"):
        sampled(path)


def test_a_giant_picture_that_the_header_hides_is_not_decoded(tmp_path):
    path = giant(tmp_path / "a.avi", header=False)
    assert probe(path).video.width == SIDE
    with pytest.raises(BadMedia, match="encode it anew"):
        sampled(path)


def test_the_limit_is_a_setting(tmp_path):
    path = film(tmp_path / "a.mp4", 2)
    assert len(sampled(path, max_pixels=SIDE * SIDE)[1]) == 2
    with pytest.raises(BadMedia, match="AVM_DECODE__MAX_PIXELS"):
        sampled(path, max_pixels=SIDE * SIDE - 1)


# --- a graphics card that is not there, or is ---------------------------------------------------


@pytest.mark.parametrize("device", ["cuda", "cuda:0", "cuda:7"])
def test_decoding_on_a_card_gives_the_same_pictures_or_falls_back(tmp_path, device):
    path = film(tmp_path / "a.mp4", 6)
    pixels, times = sampled(path, device=device)
    wanted, when = sampled(path)
    assert times.tolist() == when.tolist()
    assert np.abs(pixels.astype(int) - wanted).mean() < 2


def test_the_card_is_asked_for_on_cuda_alone(tmp_path, monkeypatch):
    asked = []

    class Card:
        def __new__(cls, *args, **options):
            asked.append(args)
            return None  # as if PyAV had been asked for nothing

    monkeypatch.setattr(container_module, "HWAccel", Card)
    monkeypatch.setattr(container_module, "hwdevices_available", lambda: ["cuda"])
    path = film(tmp_path / "a.mp4", 2)
    for device in ("cpu", "cuda", "cuda:1"):
        assert len(sampled(path, device=device)[1]) == 2
    assert asked == [("cuda", None), ("cuda", "1")]
    monkeypatch.setattr(container_module, "hwdevices_available", list)
    assert len(sampled(path, device="cuda")[1]) == 2
    assert len(asked) == 2
