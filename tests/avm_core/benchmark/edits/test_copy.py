"""Copies contain what `make_copy` says they contain, at the times it says."""

from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from avm_core.benchmark.edits import Clip, Edit, make_copy
from avm_core.benchmark.edits.picture import colours, crop, grey, letterbox, mirror
from avm_core.benchmark.edits.sound import volume
from avm_core.errors import BadSettings
from avm_core.media.decode import decode_audio
from avm_core.media.filters import read_pictures
from avm_core.media.probe import probe
from avm_core.media.write import AudioFormat, VideoFormat, write_media

RATE = 44_100
SECONDS = 12
TOLERANCE = 0.040
SMALL = VideoFormat(bitrate=400_000)


def spotted_pictures(seed, count):
    """A bright vertical bar that moves one pixel to the right with each picture, over a
    background of the seed's colour."""
    colour = np.random.default_rng(seed).integers(20, 90, 3)
    for ordinal in range(count):
        picture = np.empty((96, 384, 3), dtype=np.uint8)
        picture[:] = colour
        picture[:, 40 + ordinal : 48 + ordinal] = 235
        yield picture


def chirps(seed, seconds):
    """Noise, low-passed so that lossy codecs keep its phase; no two seconds are alike."""
    white = np.random.default_rng(seed).normal(0, 1, seconds * RATE)
    smooth = np.convolve(white, np.hanning(21) / 10, mode="same")
    return (0.12 * smooth).astype(np.float32)


@pytest.fixture(scope="module")
def works(tmp_path_factory):
    folder = tmp_path_factory.mktemp("works")
    for seed, name in enumerate(("first", "second", "foreign"), start=1):
        write_media(
            folder / f"{name}.mp4",
            video=spotted_pictures(seed, SECONDS * 25),
            audio=chirps(seed, SECONDS),
            video_format=VideoFormat(bitrate=500_000),
            audio_format=AudioFormat(bitrate=128_000),
        )
    return folder


def sound_of(path):
    return np.concatenate(list(decode_audio(path, sample_rate=RATE)))


def found_at(needle, hay):
    """Second of `hay` where `needle` correlates best, and the normalised correlation there."""
    size = 1 << (len(needle) + len(hay)).bit_length()
    peak = np.fft.irfft(np.fft.rfft(hay, size) * np.conj(np.fft.rfft(needle, size)), size)
    best = int(np.argmax(peak[: len(hay)]))
    there = hay[best : best + len(needle)]
    norm = np.linalg.norm(needle[: len(there)]) * np.linalg.norm(there)
    return best / RATE, float(peak[best] / norm)


def bar_positions(path, times, *, mirror=False):
    """Where the bar's middle is, as a fraction of the width, at each of `times`."""
    places = []
    for picture in read_pictures(path, np.asarray(times, dtype=np.float64)):
        grey = picture.mean(axis=(0, 2))
        bright = np.flatnonzero(grey > 0.6 * grey.max())
        place = bright.mean() / len(grey)
        places.append(1 - place if mirror else place)
    return np.asarray(places)


def assert_sound_is_where_claimed(copy, source, planted, *, probe_seconds=1.0):
    copied, original = sound_of(copy), sound_of(source)
    length = int(probe_seconds * RATE)
    for share in (0.1, 0.5, 0.8):
        at = planted.ugc_start + share * (planted.ugc_end - planted.ugc_start)
        begin = int(at * RATE)
        second, likeness = found_at(copied[begin : begin + length], original)
        claimed = planted.licensed_start + (at - planted.ugc_start) * planted.speed
        assert second == pytest.approx(claimed, abs=TOLERANCE)
        assert likeness > 0.5


def assert_picture_is_where_claimed(copy, source, planted, *, mirror=False):
    at = np.linspace(planted.ugc_start + 0.1, planted.ugc_end - 0.1, 7)
    claimed = planted.licensed_start + (at - planted.ugc_start) * planted.speed
    copied = bar_positions(copy, at, mirror=mirror)
    original = bar_positions(source, claimed)
    # The bar moves 1/384 of the width per frame: two of them are one frame and its rounding.
    assert np.abs(copied - original).max() <= 2.1 / 384


@pytest.mark.parametrize(
    ("suffix", "video", "audio"),
    [
        (".mp4", SMALL, AudioFormat()),
        (".mkv", replace(SMALL, codec="mpeg4", gop=12), AudioFormat(codec="libmp3lame")),
        (".webm", replace(SMALL, codec="libvpx-vp9"), AudioFormat(codec="libopus")),
        (".mp4", replace(SMALL, width=192, height=48, frame_rate=Fraction(30)), AudioFormat()),
    ],
)
def test_an_excerpt_is_where_it_is_said_to_be(works, tmp_path, suffix, video, audio):
    source, copy = works / "first.mp4", tmp_path / f"copy{suffix}"
    planted = make_copy(
        [Clip(source, 3.37, 8.91)], copy, Edit("plain"), video_format=video, audio_format=audio
    )
    (stretch,) = planted
    assert (stretch.licensed_id, stretch.edit, stretch.modality) == ("first", "plain", "both")
    assert (stretch.ugc_start, stretch.licensed_start, stretch.speed) == (0.0, 3.37, 1.0)
    assert stretch.licensed_end == pytest.approx(8.91, abs=TOLERANCE)
    assert probe(copy).duration == pytest.approx(stretch.ugc_end, abs=0.1)
    assert_sound_is_where_claimed(copy, source, stretch)
    assert_picture_is_where_claimed(copy, source, stretch)


def test_several_excerpts_inside_foreign_material(works, tmp_path):
    copy = tmp_path / "copy.mp4"
    planted = make_copy(
        [
            Clip(works / "foreign.mp4", 1.0, 3.02, licensed=False),
            Clip(works / "first.mp4", 2.5, 6.51),
            Clip(works / "foreign.mp4", 5.0, 6.0, licensed=False),
            Clip(works / "second.mp4", 4.0, 9.0),
        ],
        copy,
        Edit("concat"),
        video_format=SMALL,
    )
    assert [stretch.licensed_id for stretch in planted] == ["first", "second"]
    for stretch in planted:
        assert_sound_is_where_claimed(copy, works / f"{stretch.licensed_id}.mp4", stretch)
        assert_picture_is_where_claimed(copy, works / f"{stretch.licensed_id}.mp4", stretch)
    second, likeness = found_at(sound_of(copy)[: RATE * 2], sound_of(works / "foreign.mp4"))
    assert second == pytest.approx(1.0, abs=TOLERANCE)
    assert likeness > 0.9


@pytest.mark.parametrize("speed", [0.9, 1.05, 1.25])
def test_tape_speed_moves_sound_and_picture_alike(works, tmp_path, speed):
    source, copy = works / "second.mp4", tmp_path / "copy.mp4"
    edit = Edit("tape", speed=speed, pitch="coupled")
    (stretch,) = make_copy([Clip(source, 2.0, 10.0)], copy, edit, video_format=SMALL)
    length = stretch.ugc_end - stretch.ugc_start
    assert length == pytest.approx(8.0 / speed, abs=TOLERANCE)
    assert (stretch.licensed_end - stretch.licensed_start) / length == pytest.approx(speed)
    assert_picture_is_where_claimed(copy, source, stretch)
    # Played at `speed`, the original is the copy: its samples read `speed` times as fast.
    original = sound_of(source)
    for share in (0.1, 0.5, 0.8):
        begin = int((stretch.ugc_start + share * length) * RATE)
        needle = sound_of(copy)[begin : begin + RATE]
        slowed = np.interp(
            np.arange(0, len(original), speed), np.arange(len(original)), original
        ).astype(np.float32)
        second, likeness = found_at(needle, slowed)
        claimed = stretch.licensed_start + share * length * speed
        assert second * speed == pytest.approx(claimed, abs=TOLERANCE)
        assert likeness > 0.5


@pytest.mark.parametrize("speed", [0.95, 1.05])
def test_speed_with_kept_pitch_keeps_time_and_pitch(tmp_path, speed):
    """A tone with a click every second: clicks move by the speed, the tone does not."""
    source, copy = tmp_path / "clicks.mp4", tmp_path / "copy.mp4"
    time = np.arange(10 * RATE) / RATE
    sound = 0.05 * np.sin(2 * np.pi * 440 * time)
    for second in range(1, 10):
        sound[second * RATE : second * RATE + 300] = 0.8
    write_media(source, video=spotted_pictures(5, 250), audio=sound.astype(np.float32))
    edit = Edit("speed", speed=speed)
    (stretch,) = make_copy([Clip(source, 0.5, 9.5)], copy, edit, video_format=SMALL)
    copied = sound_of(copy)
    loud = np.flatnonzero(np.abs(copied) > 0.4) / RATE
    clicks = loud[np.concatenate([[True], np.diff(loud) > 0.3])]
    claimed = stretch.licensed_start + (clicks - stretch.ugc_start) * stretch.speed
    assert len(clicks) == 9
    assert np.abs(claimed - np.arange(1, 10)).max() < TOLERANCE
    spectrum = np.abs(np.fft.rfft(np.where(np.abs(copied) < 0.2, copied, 0)))
    assert np.argmax(spectrum) * RATE / len(copied) == pytest.approx(440, abs=3)
    assert_picture_is_where_claimed(copy, source, stretch)


def test_volume_changes_licensed_sound_only(works, tmp_path):
    copy = tmp_path / "copy.mp4"
    (stretch,) = make_copy(
        [
            Clip(works / "foreign.mp4", 0.0, 3.0, licensed=False),
            Clip(works / "first.mp4", 3.0, 7.0),
        ],
        copy,
        Edit("volume", sound=(volume(-9.0),)),
        video_format=SMALL,
    )
    copied = sound_of(copy)

    def level(samples):
        return 20 * np.log10(np.sqrt(np.mean(samples**2)))

    quiet = level(copied[int(3.5 * RATE) : int(6.5 * RATE)])
    before = level(sound_of(works / "first.mp4")[int(3.5 * RATE) : int(6.5 * RATE)])
    assert quiet - before == pytest.approx(-9.0, abs=0.5)
    foreign = level(sound_of(works / "foreign.mp4")[: 2 * RATE])
    assert level(copied[: 2 * RATE]) == pytest.approx(foreign, abs=0.5)
    assert_sound_is_where_claimed(copy, works / "first.mp4", stretch)


def test_mirror_and_crop_change_the_picture_as_said(works, tmp_path):
    source = works / "first.mp4"
    clip = Clip(source, 2.0, 6.0)
    mirrored, cropped = tmp_path / "mirror.mp4", tmp_path / "crop.mp4"
    (stretch,) = make_copy(
        [clip], mirrored, Edit("mirror", picture=(mirror(),)), video_format=SMALL
    )
    assert_picture_is_where_claimed(mirrored, source, stretch, mirror=True)
    make_copy([clip], cropped, Edit("crop", picture=(crop(0.75),)), video_format=SMALL)
    original = bar_positions(source, [3.0, 5.0])
    # What was at x is now at (x - 1/8) / (3/4): an eighth is gone on each side.
    assert bar_positions(cropped, [1.0, 3.0]) == pytest.approx((original - 1 / 8) / 0.75, abs=0.01)
    assert probe(cropped).video.width == probe(source).video.width


def test_letterbox_has_black_bars_and_colours_move(works, tmp_path):
    clip = Clip(works / "first.mp4", 2.0, 3.0)
    plain, boxed, bright, colourless = (tmp_path / f"{n}.mp4" for n in "pbrg")
    make_copy([clip], plain, Edit("plain"), video_format=SMALL)
    make_copy([clip], boxed, Edit("letterbox", picture=(letterbox(0.7),)), video_format=SMALL)
    make_copy(
        [clip], bright, Edit("bright", picture=(colours(0.2, 1.0, 1.0, 0.0),)), video_format=SMALL
    )
    make_copy([clip], colourless, Edit("grey", picture=(grey(),)), video_format=SMALL)

    def middle(path):
        return next(read_pictures(path, np.asarray([0.4]))).astype(float)

    assert middle(boxed)[:12].max() < 25
    assert middle(boxed)[:, :50].max() < 25
    assert middle(boxed)[40:56, 60:320].mean() > 40
    assert middle(bright).mean() - middle(plain).mean() == pytest.approx(0.2 * 255, abs=12)
    assert np.ptp(middle(colourless)[5, 5]) < 6 < np.ptp(middle(plain)[5, 5])


def test_replaced_streams_leave_the_other_one(works, tmp_path):
    source, other = works / "first.mp4", works / "second.mp4"
    clip = Clip(source, 4.0, 9.0)
    resounded, repictured = tmp_path / "sound.mp4", tmp_path / "picture.mp4"
    (heard,) = make_copy([clip], resounded, Edit("sound", new_sound=other), video_format=SMALL)
    (seen,) = make_copy([clip], repictured, Edit("picture", new_picture=other), video_format=SMALL)
    assert (heard.modality, seen.modality) == ("video", "audio")
    assert_picture_is_where_claimed(resounded, source, heard)
    assert_sound_is_where_claimed(repictured, source, seen)
    second, likeness = found_at(sound_of(resounded)[RATE : 2 * RATE], sound_of(other))
    assert (second, likeness > 0.9) == (pytest.approx(1.0, abs=TOLERANCE), True)
    times = [0.5, 2.0]
    assert bar_positions(repictured, times) == pytest.approx(
        bar_positions(other, times), abs=2.1 / 384
    )


def test_dropped_streams_are_not_there(works, tmp_path):
    clip = Clip(works / "first.mp4", 1.0, 4.0)
    (silent,) = make_copy([clip], tmp_path / "v.mp4", Edit("v", drop="sound"), video_format=SMALL)
    (blind,) = make_copy([clip], tmp_path / "a.m4a", Edit("a", drop="picture"))
    assert (probe(tmp_path / "v.mp4").audio, silent.modality) == (None, "video")
    assert (probe(tmp_path / "a.m4a").video, blind.modality) == (None, "audio")


def test_group_of_pictures_and_bytes_are_as_asked(works, tmp_path):
    clips = [Clip(works / "first.mp4", 1.0, 5.0)]
    copies = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    for copy in copies:
        make_copy(
            clips,
            copy,
            Edit("crop", picture=(crop(0.8),), speed=1.02),
            video_format=replace(SMALL, gop=20),
        )
    assert copies[0].read_bytes() == copies[1].read_bytes()
    with av.open(str(copies[0])) as container:
        keys = [p.pts * p.time_base for p in container.demux(video=0) if p.is_keyframe and p.size]
    # 20 pictures at most; the encoder may start a group early.
    assert len(keys) >= 5
    assert np.diff([float(key) for key in keys]).max() <= 0.8 + 1e-6


def test_truth_row_has_whole_seconds(works, tmp_path):
    planted = make_copy(
        [
            Clip(works / "foreign.mp4", 0.0, 2.0, licensed=False),
            Clip(works / "first.mp4", 3.4, 7.44),
        ],
        tmp_path / "copy.mp4",
        Edit("rows"),
        video_format=SMALL,
    )
    rows = [stretch.truth_row("copy") for stretch in planted]
    assert rows == [("copy", "2-6", "first", "3-7")]


@pytest.mark.parametrize(
    ("start", "end", "edit", "said"),
    [
        (5.0, 40.0, Edit("long"), "not inside first.mp4"),
        (5.0, 5.0, Edit("nothing"), "not inside first.mp4"),
        (1.0, 4.0, Edit("fast", speed=3.0), "speed 3.0"),
    ],
)
def test_what_cannot_be_cut_says_why(works, tmp_path, start, end, edit, said):
    with pytest.raises(BadSettings, match=said):
        make_copy([Clip(works / "first.mp4", start, end)], tmp_path / "x.mp4", edit)


def test_an_edit_that_leaves_nothing_is_refused(works, tmp_path):
    nothing = Edit("nothing", new_sound=works / "second.mp4", drop="picture")
    with pytest.raises(BadSettings, match="neither sound nor picture"):
        make_copy([Clip(works / "first.mp4", 1.0, 4.0)], tmp_path / "x.mp4", nothing)
    assert not (tmp_path / "x.mp4").exists()
    with pytest.raises(BadSettings, match="at least one clip"):
        make_copy([], tmp_path / "x.mp4", Edit("empty"))


@pytest.mark.parametrize("make", [crop, letterbox])
def test_a_share_outside_the_picture_is_refused(make):
    with pytest.raises(BadSettings, match=r"outside 0\.1\.\.1"):
        make(0.0)
