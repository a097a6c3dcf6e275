"""One picture comes out of a file, however it is stored: HDR, 10 bits, fields, any pixel shape."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.codec.context import Flags
from av.video.reformatter import ColorPrimaries, Colorspace, ColorTrc

from avm_core.media.decode import decode_frames
from avm_core.media.filters import read_pictures
from avm_core.media.scale import to_sdr
from tests.avm_core.media.makers import SIDE, number, numbered

TITLE = Path(__file__).resolve().parents[3] / "local" / "media" / "titles" / "city_reel.mp4"
SIZE = 64


def sampled(path, *, step=1.0, size=SIZE):
    runs = list(decode_frames(path, step=step, max_keyframe_gap=2.5, size=size))
    return np.concatenate([r.pixels for r in runs]), np.concatenate([r.times for r in runs])


def write(path, frames, codec, *, times=None, rate=Fraction(1), setup=None, options=None):
    """Encode frames as they are, at `times` in milliseconds or one per second."""
    with av.open(str(path), "w") as writer:
        stream = writer.add_stream(codec, rate=rate, options=options or {})
        context = stream.codec_context
        context.width, context.height = frames[0].width, frames[0].height
        context.pix_fmt = frames[0].format.name
        context.gop_size, context.bit_rate = 1, 2_000_000
        if setup is not None:
            setup(context)
        for ordinal, frame in enumerate(frames):
            frame.pts = ordinal if times is None else times[ordinal]
            frame.time_base = 1 / rate if times is None else Fraction(1, 1000)
            writer.mux(stream.encode(frame))
        writer.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def scenes():
    """8 pictures of a film, RGB [240, 320, 3]."""
    times = np.arange(1.0, 41.0, 5.0)
    return list(read_pictures(TITLE, times, filters=[("scale", "320:240")]))


def alike(one, other):
    return [
        np.corrcoef(a.ravel().astype(float), b.ravel().astype(float))[0, 1]
        for a, b in zip(one, other, strict=True)
    ]


def plain(tmp_path, scenes):
    frames = [av.VideoFrame.from_ndarray(p, format="rgb24") for p in scenes]
    frames = [frame.reformat(format="yuv420p") for frame in frames]
    return sampled(write(tmp_path / "plain.mkv", frames, "libx264"))[0]


def pq(light):
    """SMPTE ST 2084 code of nits."""
    power = (light / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def hlg(light):
    """BT.2100 code of nits on a screen of 1000."""
    scene = (light / 1000) ** (1 / 1.2)
    bright = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), bright)


def hdr_frame(picture, curve, transfer):
    linear = (picture / 255.0) ** 2.2 * 203.0
    code = np.rint(curve(linear) * 65_535).astype(np.uint16)
    frame = av.VideoFrame.from_ndarray(code, format="rgb48le")
    frame = frame.reformat(format="yuv420p10le", dst_colorspace="ITU709", dst_color_range="MPEG")
    frame.color_trc, frame.color_primaries = transfer, ColorPrimaries.BT709
    return frame


@pytest.mark.parametrize(
    ("curve", "transfer"), [(pq, ColorTrc.SMPTE2084), (hlg, ColorTrc.ARIB_STD_B67)]
)
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_hdr_looks_like_sdr(tmp_path, scenes, curve, transfer, codec):
    frames = [hdr_frame(picture, curve, transfer) for picture in scenes]

    def setup(context):
        context.color_trc, context.colorspace = transfer, Colorspace.ITU709

    quiet = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    path = write(tmp_path / "hdr.mkv", frames, codec, setup=setup, options=quiet)
    with av.open(str(path)) as reader:
        first = next(reader.decode(video=0))
        assert (first.color_trc, first.format.name) == (transfer, "yuv420p10le")
    found, wanted = sampled(path)[0], plain(tmp_path, scenes)
    assert min(alike(found, wanted)) > 0.98
    assert np.abs(found.astype(int) - wanted).mean() < 10


def test_the_tone_curve_rises_to_white_and_keeps_grey():
    steps = np.repeat(np.linspace(0, 50, 2001, dtype=np.float32)[:, None], 3, axis=1)
    for wide in (False, True):
        toned = to_sdr(steps, wide_gamut=wide).astype(int)
        assert (np.diff(toned, axis=0) >= 0).all()
        assert (toned[0], toned[-1]) == (pytest.approx([0] * 3), pytest.approx([255] * 3, abs=1))
        assert np.ptp(toned, axis=1).max() <= 1


def test_ten_bits_are_eight_with_more_detail(tmp_path, scenes):
    frames = [av.VideoFrame.from_ndarray(p, format="rgb24") for p in scenes]
    frames = [frame.reformat(format="yuv420p10le") for frame in frames]
    found = sampled(write(tmp_path / "ten.mkv", frames, "libx264"))[0]
    assert np.abs(found.astype(int) - plain(tmp_path, scenes)).mean() < 3


@pytest.mark.parametrize(("codec", "suffix"), [("mpeg2video", ".ts"), ("libx264", ".mkv")])
def test_of_two_fields_one_is_seen(tmp_path, codec, suffix):
    """The lines of one moment between those of another, as an interlaced camera gives them."""
    woven = []
    for ordinal in range(0, 12, 2):
        one, other = numbered(21_845 + ordinal), numbered(43_690 - ordinal)
        woven.append(np.kron(one, np.ones((2, 2, 1), np.uint8)))
        woven[-1][1::2] = np.kron(other, np.ones((2, 2, 1), np.uint8))[1::2]

    def setup(context):
        context.flags |= Flags.interlaced_dct | Flags.interlaced_me

    frames = [av.VideoFrame.from_ndarray(p, format="rgb24") for p in woven]
    frames = [frame.reformat(format="yuv420p") for frame in frames]
    path = write(tmp_path / f"a{suffix}", frames, codec, setup=setup, rate=Fraction(25))
    with av.open(str(path)) as reader:
        assert next(reader.decode(video=0)).interlaced_frame
    pixels, _ = sampled(path, step=0.04, size=SIDE)
    assert [number(p) for p in pixels] == [21_845 + n for n in range(0, 12, 2)]


def test_the_shape_of_pixels_does_not_matter(tmp_path, scenes):
    """A 4:3 film as square pixels, and squeezed into 240 x 240 with an aspect of 4:3."""
    frames = [av.VideoFrame.from_ndarray(p, format="rgb24") for p in scenes]
    narrow = [f.reformat(width=240, format="yuv420p", interpolation="AREA") for f in frames]

    def setup(context):
        context.sample_aspect_ratio = Fraction(4, 3)

    path = write(tmp_path / "narrow.mkv", narrow, "libx264", setup=setup)
    with av.open(str(path)) as reader:
        assert reader.streams.video[0].sample_aspect_ratio == Fraction(4, 3)
    assert np.abs(sampled(path)[0].astype(int) - plain(tmp_path, scenes)).mean() < 3


def test_a_varying_frame_rate_keeps_its_times(tmp_path):
    times = [0, 40, 900, 1100, 1140, 2500, 2540, 2580, 6000, 7300]
    frames = [av.VideoFrame.from_ndarray(numbered(t), format="rgb24") for t in times]
    frames = [frame.reformat(format="yuv420p") for frame in frames]
    path = write(tmp_path / "a.mkv", frames, "libx264", times=times, rate=Fraction(1000))
    pixels, found = sampled(path, step=0.04, size=SIDE)
    assert (1000 * found).tolist() == pytest.approx(times, abs=1)
    assert [number(p) for p in pixels] == times
