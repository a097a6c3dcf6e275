"""Changes of a clip's sound, as a pirate, a codec or a room makes them. Length is kept."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from avm_core.errors import BadSettings
from avm_core.media.decode import decode_audio
from avm_core.media.filters import Filter, filter_audio
from avm_core.types import Float32


@dataclass(frozen=True, slots=True)
class SoundFilters:
    """A chain of FFmpeg audio filters that do not change the tempo."""

    filters: tuple[Filter, ...]

    def __call__(self, samples: Float32, sample_rate: int) -> Float32:
        made = filter_audio(samples, sample_rate=sample_rate, filters=self.filters)
        return exactly(made, len(samples))


def volume(db: float) -> SoundFilters:
    """Louder or softer by `db`."""
    return SoundFilters((("volume", f"{db}dB"),))


def lowpass(hz: float) -> SoundFilters:
    """Two second-order low-passes: 24 dB per octave above `hz`."""
    return SoundFilters((("lowpass", f"f={hz}"), ("lowpass", f"f={hz}")))


def highpass(hz: float) -> SoundFilters:
    """Two second-order high-passes: 24 dB per octave below `hz`."""
    return SoundFilters((("highpass", f"f={hz}"), ("highpass", f"f={hz}")))


def equalise(bands: tuple[tuple[float, float], ...]) -> SoundFilters:
    """Peaking filters one octave wide: (centre in Hz, gain in dB) each."""
    return SoundFilters(tuple(("equalizer", f"f={f}:t=o:w=1:g={gain}") for f, gain in bands))


def compress(threshold_db: float, ratio: float) -> SoundFilters:
    """A fast compressor with make-up gain, as loud uploads have."""
    level, makeup = 10 ** (threshold_db / 20), 10 ** (-threshold_db / 40)
    settings = f"threshold={level:.5f}:ratio={ratio}:attack=5:release=80:makeup={makeup:.3f}"
    return SoundFilters((("acompressor", settings), ("alimiter", "limit=0.95:level=0:latency=1")))


@dataclass(frozen=True, slots=True)
class Resampled:
    """Down to `rate` Hz and back: nothing above rate / 2 is left."""

    rate: int

    def __call__(self, samples: Float32, sample_rate: int) -> Float32:
        chain = (("aresample", f"{self.rate}"), ("aresample", f"{sample_rate}"))
        made = filter_audio(samples, sample_rate=sample_rate, filters=chain)
        return exactly(made, len(samples))


@dataclass(frozen=True, slots=True)
class Pitched:
    """Higher or lower by `semitones` at the same tempo."""

    semitones: float

    def __call__(self, samples: Float32, sample_rate: int) -> Float32:
        ratio = 2 ** (self.semitones / 12)
        chain = (
            ("asetrate", f"{round(sample_rate * ratio)}"),
            ("aresample", f"{sample_rate}"),
            ("atempo", f"{1 / ratio:.6f}"),
        )
        made = filter_audio(samples, sample_rate=sample_rate, filters=chain)
        return exactly(made, len(samples))


@dataclass(frozen=True, slots=True)
class Mixed:
    """Another sound (speech, music) from `start` seconds of `path`, looped, over the clip.

    `snr_db` is the clip's RMS over that of the foreign stretch. Raises `BadSettings` where
    that stretch is silent.
    """

    path: Path
    start: float
    snr_db: float

    def __call__(self, samples: Float32, sample_rate: int) -> Float32:
        whole = read_sound(self.path, sample_rate)
        begin = round(self.start * sample_rate) % len(whole)
        foreign = np.resize(np.roll(whole, -begin), len(samples))
        return _over(samples, foreign, self.snr_db, self.path.name)


@dataclass(frozen=True, slots=True)
class Hissed:
    """Steady noise of the seed at `snr_db`; pink has equal power in every octave."""

    snr_db: float
    seed: int
    colour: Literal["white", "pink"] = "white"

    def __call__(self, samples: Float32, sample_rate: int) -> Float32:
        noise = np.random.default_rng(self.seed).standard_normal(len(samples)).astype(np.float32)
        if self.colour == "pink":
            spectrum = np.fft.rfft(noise)
            spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
            noise = np.fft.irfft(spectrum, len(samples)).astype(np.float32)
        return _over(samples, noise, self.snr_db, "noise")


@dataclass(frozen=True, slots=True)
class Reverberant:
    """A room: decays by 60 dB in `rt60` seconds; `wet` is reverberation's share of the
    amplitude. The direct sound keeps its time."""

    rt60: float
    wet: float
    seed: int

    def __call__(self, samples: Float32, sample_rate: int) -> Float32:
        room = self._response(sample_rate)
        size = 1 << (len(samples) + len(room) - 1).bit_length()
        spectrum = np.fft.rfft(samples, size) * np.fft.rfft(room, size)
        echo = np.fft.irfft(spectrum, size)[: len(samples)].astype(np.float32)
        echo *= _rms(samples) / max(_rms(echo), 1e-9)
        return _unclipped((1 - self.wet) * samples + self.wet * echo)

    def _response(self, sample_rate: int) -> Float32:
        rng = np.random.default_rng(self.seed)
        times = np.arange(round(self.rt60 * sample_rate)) / sample_rate
        tail = rng.standard_normal(len(times)) * 10 ** (-3 * times / self.rt60)
        # Early reflections: a few walls, between 5 and 40 ms away.
        for delay in rng.uniform(0.005, 0.04, 6):
            tail[min(int(delay * sample_rate), len(tail) - 1)] += 8 * (1 - delay / 0.05)
        # Nothing comes before the nearest wall's reflection.
        tail[: round(0.005 * sample_rate)] = 0
        return np.asarray(tail, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Silenced:
    """`count` silences of `seconds` each, one at a random place in each equal part."""

    count: int
    seconds: float
    seed: int

    def __call__(self, samples: Float32, sample_rate: int) -> Float32:
        rng = np.random.default_rng(self.seed)
        made = samples.copy()
        part, gap = len(samples) / self.count, round(self.seconds * sample_rate)
        for number in range(self.count):
            start = round(number * part + rng.uniform(0, max(part - gap, 0)))
            made[start : start + gap] = 0
        return made


@functools.lru_cache(maxsize=4)
def read_sound(path: Path, sample_rate: int) -> Float32:
    """All of a file's sound, mono, kept for the next clip that wants it; do not write to it."""
    samples = np.concatenate(list(decode_audio(path, sample_rate=sample_rate)))
    samples.flags.writeable = False
    return samples


def exactly(samples: Float32, length: int) -> Float32:
    """Cut, or padded with silence, to `length`."""
    if len(samples) >= length:
        return samples[:length]
    return np.pad(samples, (0, length - len(samples)))


def _over(samples: Float32, foreign: Float32, snr_db: float, name: str) -> Float32:
    level = _rms(foreign)
    if level < 1e-6:
        raise BadSettings(f"{name} is silent where it should be mixed in: choose another stretch")
    gain = _rms(samples) / level * 10 ** (-snr_db / 20)
    return _unclipped(samples + np.float32(gain) * foreign)


def _rms(samples: Float32) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0


def _unclipped(samples: Float32) -> Float32:
    """Scaled down as a whole where it would clip: clipping is another edit."""
    peak = float(np.abs(samples).max(initial=0.0))
    return (samples / max(peak / 0.98, 1.0)).astype(np.float32)
