"""Each change of a sound does what it says, and moves nothing in time."""

import numpy as np
import pytest

from avm_core.benchmark.edits.sound import (
    Hissed,
    Mixed,
    Pitched,
    Resampled,
    Reverberant,
    Silenced,
    compress,
    equalise,
    highpass,
    lowpass,
    volume,
)
from avm_core.errors import BadSettings
from avm_core.media.write import AudioFormat, write_media

RATE = 22_050


def noise(seconds=6, seed=1):
    return (0.1 * np.random.default_rng(seed).standard_normal(seconds * RATE)).astype(np.float32)


def bursts():
    """A 600 Hz tone in bursts of half a second, one a second."""
    time = np.arange(6 * RATE) / RATE
    return (0.4 * np.sin(2 * np.pi * 600 * time) * (time % 1 < 0.5)).astype(np.float32)


def band_db(samples, low, high):
    power = np.abs(np.fft.rfft(samples)) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    return 10 * np.log10(power[(hertz >= low) & (hertz < high)].mean())


def envelope(samples):
    return np.convolve(np.abs(samples), np.ones(441) / 441, mode="same")


def shift_seconds(one, other):
    """How much later `other` is than `one`."""
    size = 1 << (2 * len(one)).bit_length()
    peak = np.fft.irfft(np.fft.rfft(other, size) * np.conj(np.fft.rfft(one, size)), size)
    at = int(np.argmax(peak))
    return (at - size if at > size // 2 else at) / RATE


STEPS = [
    volume(-6.0),
    lowpass(3000.0),
    highpass(300.0),
    equalise(((1000.0, 6.0),)),
    compress(-20.0, 6.0),
    Resampled(8000),
    Pitched(2.0),
    Hissed(5.0, 3, "pink"),
    Reverberant(0.5, 0.4, 2),
    Silenced(2, 0.3, 4),
]


@pytest.mark.parametrize("step", STEPS, ids=repr)
def test_a_step_keeps_the_length_the_place_and_is_the_same_again(step):
    samples = bursts()
    made = step(samples, RATE)
    assert (len(made), made.dtype) == (len(samples), np.float32)
    np.testing.assert_array_equal(made, step(samples, RATE))
    assert abs(shift_seconds(envelope(samples), envelope(made))) < 0.06
    assert not np.array_equal(made, samples)


def test_filters_take_away_what_they_name():
    samples = noise()
    assert band_db(lowpass(2000.0)(samples, RATE), 6000, 9000) < band_db(samples, 6000, 9000) - 30
    assert band_db(highpass(1000.0)(samples, RATE), 50, 300) < band_db(samples, 50, 300) - 30
    raised = equalise(((1000.0, 9.0),))(samples, RATE)
    assert band_db(raised, 950, 1050) - band_db(samples, 950, 1050) == pytest.approx(9, abs=1)
    thin = Resampled(8000)(samples, RATE)
    assert band_db(thin, 5000, 9000) < band_db(samples, 5000, 9000) - 30
    assert band_db(thin, 500, 3000) == pytest.approx(band_db(samples, 500, 3000), abs=0.5)


def test_compression_narrows_the_distance_between_loud_and_soft():
    loud, soft = noise(3), 0.05 * noise(3, seed=2)
    made = compress(-30.0, 8.0)(np.concatenate([loud, soft]), RATE)
    rms = [np.sqrt(np.mean(part[RATE:-RATE] ** 2)) for part in np.split(made, 2)]
    before = [np.sqrt(np.mean(part**2)) for part in (loud, soft)]
    assert rms[0] / rms[1] < 0.5 * before[0] / before[1]


@pytest.mark.parametrize("semitones", [-4.0, 1.0, 4.0])
def test_pitch_moves_by_semitones(semitones):
    made = Pitched(semitones)(bursts(), RATE)
    hertz = np.argmax(np.abs(np.fft.rfft(made))) * RATE / len(made)
    assert hertz == pytest.approx(600 * 2 ** (semitones / 12), rel=0.01)


@pytest.mark.parametrize("snr", [10.0, 0.0])
def test_mixed_sound_has_the_asked_level(tmp_path, snr):
    path = tmp_path / "song.m4a"
    write_media(path, audio=noise(4, seed=9), audio_format=AudioFormat(sample_rate=RATE))
    samples = 0.3 * bursts()
    made = Mixed(path, 1.0, snr)(samples, RATE)
    rest = made - samples * (np.dot(made, samples) / np.dot(samples, samples))
    kept = np.dot(made, samples) / np.dot(samples, samples)
    measured = 20 * np.log10(kept * np.std(samples) / np.std(rest))
    assert measured == pytest.approx(snr, abs=0.5)
    hissed = Hissed(snr, 5)(samples, RATE)
    gain = np.dot(hissed, samples) / np.dot(samples, samples)
    foreign = hissed - gain * samples
    assert 20 * np.log10(gain * np.std(samples) / np.std(foreign)) == pytest.approx(snr, abs=0.5)


def test_mixing_silence_is_refused(tmp_path):
    path = tmp_path / "silent.m4a"
    write_media(path, audio=np.zeros(RATE, np.float32), audio_format=AudioFormat(sample_rate=RATE))
    with pytest.raises(BadSettings, match=r"silent\.m4a is silent"):
        Mixed(path, 0.0, 5.0)(bursts(), RATE)


def test_reverberation_does_not_delay_the_direct_sound():
    click = np.zeros(RATE, np.float32)
    click[RATE // 2] = 0.5
    made = np.abs(Reverberant(0.6, 0.4, 2)(click, RATE))
    assert int(np.flatnonzero(made > 1e-3)[0]) == RATE // 2
    assert int(np.argmax(made)) == RATE // 2
    assert made[RATE // 2 + round(0.005 * RATE) :].max() > 1e-3


def test_pitch_keeps_the_time_of_every_change():
    """Loudness that changes ten times a second at random can line up in one place only."""
    steps = np.repeat(np.random.default_rng(4).uniform(0.05, 1, 60), RATE // 10)
    samples = 0.3 * steps * np.sin(2 * np.pi * 600 * np.arange(len(steps)) / RATE)
    for semitones in (-4.0, 1.0, 4.0):
        made = Pitched(semitones)(samples.astype(np.float32), RATE)
        for half in np.array_split(np.arange(len(samples)), 2):
            before, after = (envelope(s[half]) for s in (samples, made))
            assert abs(shift_seconds(before - before.mean(), after - after.mean())) < 0.015


def test_reverberation_rings_on_and_silences_are_silent():
    samples = bursts()
    gap = slice(int(1.55 * RATE), int(1.75 * RATE))
    assert np.abs(samples[gap]).max() == 0
    assert np.abs(Reverberant(0.8, 0.5, 1)(samples, RATE)[gap]).max() > 0.01
    made = Silenced(3, 0.5, 6)(noise(), RATE)
    assert np.count_nonzero(made == 0) == pytest.approx(3 * 0.5 * RATE, abs=5)
