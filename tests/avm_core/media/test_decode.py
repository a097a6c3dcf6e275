"""Sound and pictures come out at the seconds at which a player would give them."""

from fractions import Fraction

import numpy as np
import pytest

from avm_core.errors import BadMedia
from avm_core.media.damage import Damage
from avm_core.media.decode import decode_audio, decode_frames, keyframe_times
from avm_core.media.probe import readable_until
from avm_core.media.write import AudioFormat, VideoFormat, write_media
from tests.avm_core.media.makers import (
    RATE,
    SIDE,
    clicks,
    head,
    number,
    numbered,
    onsets,
    remux,
    scribbled,
    turned,
    with_cover,
)

OUT = 16_000
AT = (0.25, 1.0, 1.75, 2.5)
# Frames that no other refers to are not decoded: here up to three in a row, after the one due.
LATE = 0.161


def whole(path, **options):
    return np.concatenate(list(decode_audio(path, sample_rate=OUT, **options)))


def film(path, seconds=12.0, *, rate=25, gop=25, codec="libx264", sound=None):
    form = VideoFormat(codec=codec, frame_rate=Fraction(rate), gop=gop, bitrate=400_000)
    if codec == "libx264":
        # Only the key frames that are asked for, whatever the pictures show.
        options = (("x264-params", "scenecut=0"),)
        form = VideoFormat(form.codec, form.frame_rate, 400_000, gop, options=options)
    frames = (numbered(n) for n in range(int(seconds * rate)))
    write_media(path, video=frames, audio=sound, video_format=form)
    return path


def sampled(path, *, step=1.0, max_keyframe_gap=2.5, size=SIDE, batch=32):
    runs = list(
        decode_frames(path, step=step, max_keyframe_gap=max_keyframe_gap, size=size, batch=batch)
    )
    return np.concatenate([r.pixels for r in runs]), np.concatenate([r.times for r in runs])


# --- sound ------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_clicks_land_on_their_second(tmp_path, rate, channels):
    path = tmp_path / "a.mp4"
    samples = clicks(3.0, AT, rate=rate, channels=channels)
    write_media(path, audio=samples, audio_format=AudioFormat(sample_rate=rate))
    found = whole(path)
    assert found.dtype == np.float32
    assert onsets(found, OUT) == pytest.approx(AT, abs=0.010)
    assert len(found) / OUT == pytest.approx(3.0, abs=0.15)


@pytest.mark.parametrize(
    ("suffix", "codec"), [(".mp3", "libmp3lame"), (".webm", "libopus"), (".mkv", "pcm_s16le")]
)
def test_clicks_land_on_their_second_in_other_codecs(tmp_path, suffix, codec):
    path = tmp_path / f"a{suffix}"
    write_media(path, audio=clicks(3.0, AT), audio_format=AudioFormat(codec=codec))
    assert onsets(whole(path), OUT) == pytest.approx(AT, abs=0.010)


def test_every_sample_comes_out(tmp_path):
    for rate in (8_000, 48_000):
        form = AudioFormat(codec="pcm_s16le", sample_rate=rate)
        write_media(tmp_path / "a.mkv", audio=clicks(2.5, AT[:3], rate=rate), audio_format=form)
        assert len(whole(tmp_path / "a.mkv")) == pytest.approx(2.5 * OUT, abs=1)


def test_the_format_may_change_in_the_middle(tmp_path):
    parts = []
    for channels in (1, 2):
        path = tmp_path / f"{channels}.mp3"
        form = AudioFormat(codec="libmp3lame")
        write_media(path, audio=clicks(4.0, AT, channels=channels), audio_format=form)
        parts.append(path.read_bytes())
    (tmp_path / "both.mp3").write_bytes(b"".join(parts))
    found = onsets(whole(tmp_path / "both.mp3"), OUT)
    assert len(found) == 8
    assert np.diff(found[:4]) == pytest.approx(np.diff(AT), abs=0.010)
    assert np.diff(found[4:]) == pytest.approx(np.diff(AT), abs=0.010)


def test_a_sound_on_one_side_of_stereo_is_heard(tmp_path):
    samples = clicks(3.0, AT, channels=2)
    samples[1] = 0
    write_media(tmp_path / "a.mp4", audio=samples, audio_format=AudioFormat(bitrate=128_000))
    assert onsets(whole(tmp_path / "a.mp4"), OUT) == pytest.approx(AT, abs=0.010)


def test_block_size_does_not_change_the_sound(tmp_path):
    rng = np.random.default_rng(1)
    write_media(tmp_path / "a.mp4", audio=rng.normal(0, 0.1, 5 * RATE).astype(np.float32))
    reference = whole(tmp_path / "a.mp4")
    for seconds in (0.013, 0.5, 1.0, 100.0):
        blocks = list(decode_audio(tmp_path / "a.mp4", sample_rate=OUT, block_seconds=seconds))
        np.testing.assert_array_equal(np.concatenate(blocks), reference)
        assert {len(block) for block in blocks[:-1]} <= {int(seconds * OUT)}


@pytest.mark.parametrize("late", [0.3, 1.2])
def test_sound_that_starts_after_the_picture_begins_with_silence(tmp_path, late):
    source = film(tmp_path / "a.mkv", 3.0, sound=clicks(3.0, AT))
    path = remux(source, tmp_path / "late.mkv", shift={"audio": late})
    found = whole(path)
    assert onsets(found, OUT) == pytest.approx([at + late for at in AT], abs=0.010)
    assert not found[: int((late + 0.2) * OUT)].any()


def test_a_hole_in_the_timestamps_becomes_silence(tmp_path):
    times = np.arange(0.25, 8, 0.5)
    write_media(tmp_path / "a.mkv", audio=clicks(8.0, times))
    path = remux(
        tmp_path / "a.mkv", tmp_path / "hole.mkv", keep=lambda kind, time: not 2 <= time < 5.1
    )
    found = whole(path)
    wanted = times[(times < 2) | (times > 5.1)]
    assert onsets(found, OUT) == pytest.approx(wanted, abs=0.010)
    assert len(found) / OUT == pytest.approx(8.0, abs=0.1)
    assert np.abs(found[int(2.1 * OUT) : int(5.0 * OUT)]).max() < 1e-3


def test_long_silence_comes_in_blocks_too(tmp_path):
    write_media(tmp_path / "a.mkv", audio=clicks(4.0, [0.5, 3.5]))
    with_gap = remux(
        tmp_path / "a.mkv", tmp_path / "b.mkv", keep=lambda kind, time: not 1 <= time < 3
    )
    blocks = list(decode_audio(with_gap, sample_rate=OUT, block_seconds=0.25))
    assert {len(block) for block in blocks[:-1]} == {OUT // 4}
    assert onsets(np.concatenate(blocks), OUT) == pytest.approx([0.5, 3.5], abs=0.010)


def test_time_counts_from_the_start_of_the_container(tmp_path):
    source = film(tmp_path / "a.mkv", 3.0, sound=clicks(3.0, AT))
    path = remux(source, tmp_path / "late.mkv", shift={"audio": 7.0, "video": 7.0})
    assert onsets(whole(path), OUT) == pytest.approx(AT, abs=0.010)
    assert keyframe_times(path) == pytest.approx(keyframe_times(source), abs=0.001)
    pixels, times = sampled(path)
    assert [number(p) for p in pixels] == [round(25 * t) for t in times]


def test_a_file_that_breaks_off_gives_what_came_before(tmp_path):
    times = np.arange(0.5, 10, 1.0)
    source = film(tmp_path / "a.mp4", 10.0, sound=clicks(10.0, times, hiss=0.01))
    path = head(source, tmp_path / "cut.mp4", 0.5)
    found = onsets(whole(path), OUT)
    assert 2 <= len(found) <= 8
    assert found == pytest.approx(times[: len(found)], abs=0.010)
    pixels, seconds = sampled(path)
    assert 2 <= len(seconds) <= 8
    assert [number(p) for p in pixels] == [round(25 * t) for t in seconds]


# --- picture ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [(".mp4", "libx264"), (".mkv", "libx264"), (".avi", "mpeg4"), (".webm", "libvpx")],
)
@pytest.mark.parametrize("gop", [25, 50, 250])
def test_times_are_those_of_the_pictures_shown(tmp_path, suffix, codec, gop):
    path = film(tmp_path / f"a{suffix}", gop=gop, codec=codec)
    pixels, times = sampled(path)
    assert [number(p) for p in pixels] == [round(25 * t) for t in times]
    assert (np.diff(times) > 0).all()
    assert times[0] == 0.0


@pytest.mark.parametrize(("gop", "spacing"), [(25, 1.0), (50, 2.0), (250, 1.0)])
def test_key_frames_are_enough_where_they_are_close(tmp_path, gop, spacing):
    path = film(tmp_path / "a.mp4", gop=gop)
    assert np.diff(keyframe_times(path)) == pytest.approx(gop / 25)
    _, times = sampled(path)
    assert times == pytest.approx(np.arange(0, 12, spacing), abs=0.001 if gop < 250 else LATE)


def test_close_key_frames_are_thinned_to_the_step(tmp_path):
    path = film(tmp_path / "a.mp4", gop=5)
    for step in (1.0, 2.0):
        pixels, times = sampled(path, step=step)
        assert np.diff(times).min() >= 0.75 * step
        assert np.diff(times).max() <= step + 0.2
        assert [number(p) for p in pixels] == [round(25 * t) for t in times]


@pytest.mark.parametrize("step", [0.5, 1.0, 2.5])
def test_the_step_is_kept_when_every_picture_is_decoded(tmp_path, step):
    path = film(tmp_path / "a.mp4", gop=250)
    pixels, times = sampled(path, step=step)
    assert times == pytest.approx(np.arange(0, 12, step), abs=LATE)
    assert [number(p) for p in pixels] == [round(25 * t) for t in times]


def test_a_lower_key_frame_gap_decodes_everything(tmp_path):
    path = film(tmp_path / "a.mp4", gop=50)
    assert len(sampled(path, max_keyframe_gap=2.5)[1]) == 6
    assert len(sampled(path, max_keyframe_gap=1.5)[1]) == 12


def test_odd_frame_rates_keep_their_times(tmp_path):
    rate = Fraction(24_000, 1001)
    form = VideoFormat(frame_rate=rate, gop=240, bitrate=400_000)
    write_media(tmp_path / "a.mp4", video=(numbered(n) for n in range(200)), video_format=form)
    pixels, times = sampled(tmp_path / "a.mp4")
    shown = np.array([number(p) for p in pixels])
    assert times == pytest.approx(shown / float(rate), abs=0.001)
    assert len(times) == 9


def test_batches_are_full_but_the_last(tmp_path):
    path = film(tmp_path / "a.mp4", gop=25)
    for batch in (1, 5, 12, 100):
        runs = list(decode_frames(path, step=1.0, max_keyframe_gap=2.5, size=32, batch=batch))
        assert [len(r.times) for r in runs[:-1]] == [batch] * (len(runs) - 1)
        assert sum(len(r.times) for r in runs) == 12
        assert all(r.pixels.shape == (len(r.times), 32, 32, 3) for r in runs)


def test_one_picture_is_enough(tmp_path):
    for suffix in (".mp4", ".mkv"):
        path = tmp_path / f"one{suffix}"
        write_media(path, video=[numbered(1234)], video_format=VideoFormat(bitrate=400_000))
        pixels, times = sampled(path)
        assert [number(p) for p in pixels] == [1234]
        assert times == [0.0]


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_pictures_stand_upright(tmp_path, turns):
    picture = np.full((64, 96, 3), 20, np.uint8)
    picture[:32, :48] = 230  # top left
    form = VideoFormat(bitrate=400_000)
    write_media(tmp_path / "a.mp4", video=[picture] * 25, video_format=form)
    pixels, _ = sampled(turned(tmp_path / "a.mp4", tmp_path / "b.mp4", turns), size=32)
    quarters = pixels[0].mean(axis=2).reshape(2, 16, 2, 16).mean(axis=(1, 3))
    upright = np.rot90([[1, 0], [0, 0]], k=-turns)
    assert ((quarters > 128) == upright).all()


def test_a_stream_that_is_not_there_is_refused(tmp_path):
    silent = film(tmp_path / "silent.mp4", 1.0)
    write_media(
        tmp_path / "a.mp3",
        audio=clicks(1.0, [0.5]),
        audio_format=AudioFormat(codec="libmp3lame"),
    )
    cover = with_cover(tmp_path / "a.mp3", tmp_path / "cover.mp3")
    with pytest.raises(BadMedia, match="no audio"):
        whole(silent)
    for path in (tmp_path / "a.mp3", cover):
        with pytest.raises(BadMedia, match="no picture"):
            sampled(path)
        assert len(keyframe_times(path)) == 0


def test_a_stream_without_one_good_packet_is_refused(tmp_path):
    source = film(tmp_path / "a.mp4", 2.0, sound=clicks(2.0, [0.5]))
    data = bytearray(source.read_bytes())
    first = data.index(b"mdat") + 4
    data[first:] = bytes(len(data) - first)
    (tmp_path / "zeros.mp4").write_bytes(data)
    with pytest.raises(BadMedia, match="cannot be decoded"):
        sampled(tmp_path / "zeros.mp4")
    with pytest.raises(BadMedia, match="cannot be decoded"):
        whole(tmp_path / "zeros.mp4")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_damaged_stretch_keeps_what_follows_in_place(tmp_path, suffix):
    times = np.arange(0.5, 20, 1.0)
    sound = clicks(20.0, times, hiss=0.01)
    source = film(tmp_path / f"a{suffix}", 20.0, sound=sound)
    hurt = scribbled(source, tmp_path / f"hurt{suffix}", 0.4, 0.5)
    found = onsets(whole(hurt), OUT)
    # A Matroska file is read on from its next cluster, which comes every 5 s.
    assert found[found < 7] == pytest.approx(times[times < 7], abs=0.010)
    assert found[found > 16] == pytest.approx(times[times > 16], abs=0.010)
    assert keyframe_times(hurt)[-1] == pytest.approx(keyframe_times(source)[-1])
    assert readable_until(hurt) == pytest.approx(readable_until(source), abs=0.1)
    pixels, seconds = sampled(hurt)
    shown = [number(p) for p in pixels]
    assert shown[-2:] == [round(25 * t) for t in seconds[-2:]]
    assert seconds[-1] > 16


def test_damage_is_where_it_was_made(tmp_path):
    write_media(tmp_path / "a.mp4", audio=clicks(20.0, np.arange(0.5, 20, 1.0), hiss=0.01))
    hurt = scribbled(tmp_path / "a.mp4", tmp_path / "hurt.mp4", 0.4, 0.5)
    for path, lost in ((tmp_path / "a.mp4", 0.0), (hurt, 2.0)):
        damage = Damage()
        samples = whole(path, damage=damage)
        assert len(samples) == pytest.approx(20 * OUT, abs=0.1 * OUT)
        assert damage.share(np.array([0.0]), 20.0)[0] * 20 == pytest.approx(lost, abs=0.3)
        assert bool(damage.reason()) == bool(lost)
        for start, end in damage.spans:
            assert 7.5 < start <= end < 10.5
            assert not samples[int((start + 0.05) * OUT) : int((end - 0.05) * OUT)].any()
