"""Bad and odd sound in real files: what is good is at its second, what is lost has a reason."""

import wave

import numpy as np
import pytest

from avm_core.config import DecodeConfig
from avm_core.errors import BadMedia
from avm_core.fingerprint.registry import create, names
from avm_core.media.probe import probe
from avm_core.media.write import AudioFormat, write_media
from tests.avm_core.media.makers import declared, numbered, retimed, scribbled, write_sound
from tests.sounds import chords

AUDIO = [name for name in names() if name.startswith("audio_")]
RATE = 48_000
SEEN = 2.0  # seconds beside a window that may shape its descriptor
_MADE = {}


def fingerprint(name, path):
    if name not in _MADE:
        _MADE[name] = create(name, DecodeConfig(), device="cpu")
    return _MADE[name].fingerprint(path, content_id=path.stem, info=probe(path))


def alike(one, other):
    """Cosines of the windows that start at the same second."""
    count = min(len(one.starts), len(other.starts))
    return (one.unit_vectors()[:count] * other.unit_vectors()[:count]).sum(axis=1)


def outside(found, first, last):
    """Which windows hear nothing of the seconds [first, last)."""
    return (found.starts + found.window + SEEN < first) | (found.starts > last + SEEN)


def wave_file(path, samples, channels):
    """A WAV of the old kind, whose header counts channels and names none."""
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, RATE, 0, "NONE", ""))
        file.writeframes(np.repeat((samples * 32_767).astype("<i2"), channels).tobytes())
    return path


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Twenty seconds of stereo at 48 kHz, as they should be."""
    path = tmp_path_factory.mktemp("plain") / "plain.wav"
    return write_sound(path, chords(20, RATE), RATE, layout="stereo")


@pytest.fixture(scope="module")
def whole(plain):
    return {name: fingerprint(name, plain) for name in AUDIO}


@pytest.mark.parametrize("name", AUDIO)
def test_good_sound_needs_no_reason(whole, name):
    assert whole[name].reason == ""
    assert whole[name].valid.all()
    assert len(whole[name].starts) > 30


# --- nothing there ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", AUDIO)
def test_a_file_without_sound_is_refused_with_the_reason(tmp_path, name):
    write_media(tmp_path / "silent.mp4", video=[numbered(n) for n in range(30)])
    with pytest.raises(BadMedia, match="no audio stream"):
        fingerprint(name, tmp_path / "silent.mp4")
    (tmp_path / "empty.wav").write_bytes(b"")
    with pytest.raises(BadMedia, match="the object is empty"):
        fingerprint(name, tmp_path / "empty.wav")
    wave_file(tmp_path / "header.wav", np.zeros(0), 1)
    with pytest.raises(BadMedia, match="no frame came out"):
        fingerprint(name, tmp_path / "header.wav")


@pytest.mark.parametrize("name", AUDIO)
@pytest.mark.parametrize("count", [1, 1_000, 2 * RATE])
def test_less_than_a_window_is_empty_with_the_reason(tmp_path, name, count):
    path = write_sound(tmp_path / "short.wav", chords(3, RATE)[:count], RATE)
    found = fingerprint(name, path)
    assert len(found.starts) == len(found.descriptors) == 0
    assert "shorter than one window of" in found.reason


# --- damage in the middle ---------------------------------------------------------------------


@pytest.mark.parametrize("name", AUDIO)
@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        (".mp4", "aac"),
        (".mkv", "aac"),
        (".ts", "aac"),
        (".flv", "aac"),
        (".webm", "libopus"),
        (".ogg", "libopus"),
        (".flac", "flac"),
    ],
)
def test_what_is_around_a_damaged_stretch_stays_at_its_second(tmp_path, name, suffix, codec):
    source, hurt = tmp_path / f"whole{suffix}", tmp_path / f"hurt{suffix}"
    write_media(source, audio=chords(45, RATE), audio_format=AudioFormat(codec, RATE))
    scribbled(source, hurt, 16 / 45, 24 / 45)
    wanted, found = fingerprint(name, source), fingerprint(name, hurt)
    assert wanted.reason == ""
    assert len(found.starts) == pytest.approx(len(wanted.starts), abs=1)
    # A Matroska file is read on from its next cluster, which comes every 5 s.
    good = outside(found, 15.0, 30.0)[: len(wanted.starts)]
    assert found.valid[: len(good)][good].all()
    assert alike(found, wanted)[good[: len(found.starts)]].min() > 0.98
    assert not found.valid[(found.starts > 17) & (found.starts + found.window < 23.5)].any()
    assert "s of sound between 1" in found.reason


@pytest.mark.parametrize("name", AUDIO)
def test_a_stream_without_a_clock_closes_up_behind_the_damage(tmp_path, name):
    """A bare MP3 has no timestamps: what follows is where a player would play it."""
    source, hurt = tmp_path / "whole.mp3", tmp_path / "hurt.mp3"
    write_media(source, audio=chords(45, RATE), audio_format=AudioFormat("libmp3lame", RATE))
    scribbled(source, hurt, 16 / 45, 24 / 45)
    wanted, found = fingerprint(name, source), fingerprint(name, hurt)
    cosines = found.unit_vectors() @ wanted.unit_vectors().T
    late = wanted.starts[cosines.argmax(axis=1)] - found.starts
    before, after = found.starts + found.window + SEEN < 16, found.starts > 18 + SEEN
    assert (late[before] == 0).all()
    assert 5 < np.median(late[after]) <= 8
    assert np.mean(np.abs(late[after] - np.median(late[after])) <= 0.5) > 0.8
    assert "damaged packets" in found.reason


# --- shapes of sound --------------------------------------------------------------------------


@pytest.mark.parametrize("name", AUDIO)
@pytest.mark.parametrize(
    ("layout", "rate", "suffix", "codec"),
    [
        ("7.1", 48_000, ".wav", "pcm_s16le"),
        ("7.1", 48_000, ".m4a", "aac"),
        ("7.1", 192_000, ".flac", "flac"),
        ("mono", 192_000, ".wav", "pcm_f32le"),
        ("stereo", 192_000, ".mkv", "pcm_s24le"),
        ("octagonal", 96_000, ".wav", "pcm_f32le"),
    ],
)
def test_many_channels_and_high_rates(tmp_path, whole, name, layout, rate, suffix, codec):
    path = tmp_path / f"a{suffix}"
    write_sound(path, chords(20, rate), rate, layout=layout, codec=codec)
    assert probe(path).audio.sample_rate == rate
    found = fingerprint(name, path)
    assert (found.reason, found.valid.all()) == ("", True)
    assert len(found.starts) == pytest.approx(len(whole[name].starts), abs=1)
    assert alike(found, whole[name]).min() > 0.99


@pytest.mark.parametrize("name", AUDIO)
def test_eight_channels_that_nobody_named(tmp_path, whole, name):
    found = fingerprint(name, wave_file(tmp_path / "a.wav", chords(20, RATE), 8))
    assert alike(found, whole[name]).min() > 0.99


@pytest.mark.parametrize("name", AUDIO)
def test_a_rate_that_changes_inside_the_stream(tmp_path, whole, name):
    parts = []
    for first, rate, channels in ((0, 44_100, 1), (10, 24_000, 2)):
        samples = chords(20, rate)[first * rate : (first + 10) * rate]
        write_media(
            tmp_path / "part.mp3",
            audio=np.repeat(samples[None], channels, axis=0),
            audio_format=AudioFormat("libmp3lame", rate),
        )
        parts.append((tmp_path / "part.mp3").read_bytes())
    (tmp_path / "both.mp3").write_bytes(b"".join(parts))
    found = fingerprint(name, tmp_path / "both.mp3")
    good = outside(found, 9.9, 10.1)
    good[len(whole[name].starts) :] = False
    # The end of one encoder's delay lies in the middle: a codec frame or two.
    assert alike(found, whole[name])[good[: len(whole[name].starts)]].min() > 0.9


@pytest.mark.parametrize("name", AUDIO)
def test_frames_of_any_size_whose_timestamps_tremble(tmp_path, whole, name):
    sizes = (3_000, 400, 9_000, 5_000, 64, 1_152)
    source = tmp_path / "a.mkv"
    write_sound(source, chords(20, RATE), RATE, codec="pcm_f32le", sizes=sizes)
    path = retimed(source, tmp_path / "b.mkv", lambda n: (0.0, 0.03, 0.06, 0.01)[n % 4])
    found = fingerprint(name, path)
    assert (found.reason, found.valid.all()) == ("", True)
    assert alike(found, whole[name]).min() > 0.99


@pytest.mark.parametrize("name", AUDIO)
def test_one_timestamp_behind_the_end_invents_no_silence(tmp_path, whole, name):
    source = write_sound(tmp_path / "a.mkv", chords(20, RATE), RATE)
    path = retimed(source, tmp_path / "b.mkv", lambda n: 1_000.0 if n == 400 else 0.0)
    found = fingerprint(name, declared(path, 20.0))
    assert len(found.starts) == len(whole[name].starts)
    assert alike(found, whole[name]).min() > 0.99


@pytest.mark.parametrize("name", AUDIO)
def test_a_gap_in_the_timestamps_is_silence_with_the_reason(tmp_path, whole, name):
    source = write_sound(tmp_path / "a.mkv", chords(20, RATE), RATE)
    path = retimed(source, tmp_path / "b.mkv", lambda n: 10.0 if n * 1024 >= 10 * RATE else 0.0)
    found = fingerprint(name, path)
    apart = round(10 / (found.starts[1] - found.starts[0]))
    late = found.unit_vectors()[apart:]
    moved = (late * whole[name].unit_vectors()[: len(late)]).sum(axis=1)
    assert moved[whole[name].starts[: len(late)] > 10 + SEEN].min() > 0.99
    assert found.reason.startswith("10.0 s of sound between 10.0 s and 20.0 s are lost: 1 gaps")
    assert not found.valid[(found.starts > 10) & (found.starts + found.window < 20)].any()


# --- samples that are no numbers --------------------------------------------------------------


@pytest.mark.parametrize("name", AUDIO)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_a_stretch_that_is_no_number_is_lost_alone(tmp_path, whole, name, value):
    samples = chords(20, RATE)
    samples[8 * RATE : 13 * RATE] = value
    found = fingerprint(name, write_sound(tmp_path / "a.wav", samples, RATE))
    good = outside(found, 8, 13)
    assert found.valid[good].all()
    assert alike(found, whole[name])[good].min() > 0.99
    inside = (found.starts >= 8) & (found.starts + found.window <= 13)
    assert inside.any()
    assert not found.valid[inside].any()
    # The resampler may leave one more behind the stretch.
    assert found.reason.startswith("5.0 s of sound between 8.0 s and 13.")
    assert "samples that are not numbers" in found.reason


@pytest.mark.parametrize("name", AUDIO)
def test_single_samples_that_are_no_numbers_cost_no_window(tmp_path, whole, name):
    samples = chords(20, RATE)
    samples[5_000::RATE] = np.nan
    found = fingerprint(name, write_sound(tmp_path / "a.wav", samples, RATE))
    assert found.valid.all()
    assert np.median(alike(found, whole[name])) > 0.9
    assert "samples that are not numbers" in found.reason


@pytest.mark.parametrize("name", AUDIO)
def test_nothing_but_nan_is_a_fingerprint_without_a_valid_window(tmp_path, name):
    samples = np.full(10 * RATE, np.nan, np.float32)
    found = fingerprint(name, write_sound(tmp_path / "a.wav", samples, RATE))
    assert len(found.starts) > 10
    assert not found.valid.any()
    assert found.reason.startswith("10.0 s of sound between 0.0 s and 10.0 s are lost")
