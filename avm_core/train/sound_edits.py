"""What happens to sound in uploads, on batches of spectra: a recipe is drawn for each sample.

Speed takes frames closer together or farther apart, pitch moves the mel filters along the
frequency axis, as a phase vocoder would. All else works on mel power: what is mixed in adds with a
random phase, a room smears energy over time, filters and equalisers are factors per band, a codec
leaves holes. None of it runs a filter or an encoder on samples: a batch costs milliseconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn import functional

from avm_core.models.audio_networks import AudioNetwork


@dataclass(frozen=True, slots=True)
class EditConfig:
    """Probabilities and ranges; levels in dB, speed as a factor, pitch in semitones. Of what is
    mixed in, a share `p_noise` is noise and of the rest a share `p_speech` speech, else music."""

    max_speed: float = 1.3
    max_pitch: float = 4.5
    p_speed: float = 0.6
    p_pitch: float = 0.5
    p_mix: float = 0.75
    p_noise: float = 0.3
    p_speech: float = 0.65
    snr: tuple[float, float] = (-4.0, 12.0)
    p_room: float = 0.4
    p_gap: float = 0.25
    p_filter: float = 0.6
    p_level: float = 0.3
    p_holes: float = 0.3
    p_coded: float = 0.5


@dataclass(frozen=True, slots=True)
class Warp:
    """Of each sample of a batch: `speed` [B] source seconds per second, `pitch` [B] factor on
    frequencies."""

    speed: torch.Tensor
    pitch: torch.Tensor


def draw_warp(batch: int, config: EditConfig, generator: torch.Generator) -> Warp:
    """Tempo alone, pitch alone, both independently, or coupled as on a faster tape."""
    span = math.log(config.max_speed)
    speed = torch.exp(_between(batch, -span, span, generator))
    speed = torch.where(_happens(batch, config.p_speed, generator), speed, torch.ones(batch))
    pitch = 2 ** (_between(batch, -1.0, 1.0, generator) * config.max_pitch / 12)
    pitch = torch.where(_happens(batch, config.p_pitch, generator), pitch, torch.ones(batch))
    coupled = _happens(batch, 0.35, generator) & (speed != 1)
    return Warp(speed, torch.where(coupled, speed, pitch))


class WarpedFilters:
    """Mel filters on frequency axes shifted by up to `max_pitch` semitones, quarter by quarter."""

    def __init__(self, network: AudioNetwork, config: EditConfig) -> None:
        widest = max(config.max_pitch, 12 * math.log2(config.max_speed))
        self._steps = int(4 * widest) + 1
        filters = network.filters.T  # [mels, bins]
        bins = filters.shape[1]
        made = []
        for step in range(-self._steps, self._steps + 1):
            # Energy of bin k sounds at bin k * pitch.
            places = torch.arange(bins, device=filters.device) * 2 ** (step / 48)
            left = places.floor().long().clamp_max(bins - 1)
            right = (left + 1).clamp_max(bins - 1)
            share = (places - places.floor())[None]
            warped = filters[:, left] * (1 - share) + filters[:, right] * share
            warped[:, places > bins - 1] = 0
            made.append(warped.T)
        self._bank = torch.stack(made)  # [2 steps + 1, bins, mels]

    def __call__(self, magnitudes: torch.Tensor, pitch: torch.Tensor | None) -> torch.Tensor:
        """Mel power [B, mels, T] of magnitudes [B, T, bins] whose pitch is raised by factors
        `pitch` [B] (None: not at all)."""
        power = magnitudes.float().square()
        if pitch is None:
            return (power @ self._bank[self._steps]).transpose(1, 2)
        steps = (48 * torch.log2(pitch)).round().long().clamp(-self._steps, self._steps)
        return torch.bmm(power, self._bank[steps + self._steps]).transpose(1, 2)


def edit_mel(
    mel: torch.Tensor,
    others: torch.Tensor,
    config: EditConfig,
    frame_rate: float,
    generator: torch.Generator,
) -> torch.Tensor:
    """Mel power [B, M, T] as an upload has it: in a room, under `others` [B, M, T] (speech or
    music) or noise, filtered, compressed, with holes and gaps."""
    batch = len(mel)
    in_room = _in_room(mel, frame_rate, generator)
    mel = _where(_happens(batch, config.p_room, generator), in_room, mel)
    foreign = _where(
        _happens(batch, config.p_noise, generator), _noise(mel.shape, generator), others
    )
    snr = _between(batch, *config.snr, generator)
    mixed = _mixed(mel, foreign, snr, generator)
    mel = _where(_happens(batch, config.p_mix, generator), mixed, mel)
    mel = _where(_happens(batch, config.p_filter, generator), _filtered(mel, generator), mel)
    mel = _where(_happens(batch, config.p_level, generator), _levelled(mel, generator), mel)
    mel = _where(_happens(batch, config.p_holes, generator), _with_holes(mel, generator), mel)
    gap = _with_gap(mel, frame_rate, generator)
    mel = _where(_happens(batch, config.p_gap, generator), gap, mel)
    loudness = 10 ** _between(batch, -2.5, 0.5, generator)
    return mel * loudness.to(mel)[:, None, None]


# --- single edits of mel power [B, M, T] ------------------------------------------------------


def _in_room(mel: torch.Tensor, rate: float, generator: torch.Generator) -> torch.Tensor:
    """Energy that decays by 60 dB in 0.2 to 1.6 s after each frame; the direct sound stays."""
    batch, mels, frames = mel.shape
    decay = _between(batch, 0.2, 1.6, generator)[:, None]
    taps = torch.arange(int(1.2 * rate))[None] / rate
    kernel = 10 ** (-6 * taps / decay)
    # A tail is noise: its energy varies from frame to frame.
    kernel = kernel * _exponential(kernel.shape, generator)
    wet = _between(batch, 0.2, 0.8, generator)[:, None]
    kernel = wet * kernel / kernel.sum(dim=1, keepdim=True)
    kernel[:, 0] += 1 - wet[:, 0]
    rows = functional.pad(mel.transpose(0, 1), (kernel.shape[1] - 1, 0))
    made = functional.conv1d(rows, kernel.flip(1)[:, None].to(mel), groups=batch)
    return made.transpose(0, 1)[..., :frames].reshape(batch, mels, frames)


def _mixed(
    mel: torch.Tensor, foreign: torch.Tensor, snr: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """Two sounds at a ratio of mean powers; where both are loud their phases decide."""
    level = _mean(mel) / _mean(foreign).clamp_min(1e-12)
    foreign = foreign * level * 10 ** (-snr.to(mel)[:, None, None] / 10)
    beat = torch.randn(mel.shape, generator=generator).to(mel) * 0.5
    return (mel + foreign + 2 * (mel * foreign).sqrt() * beat.clamp(-0.95, 0.95)).clamp_min(0)


def _noise(shape: torch.Size, generator: torch.Generator) -> torch.Tensor:
    """Steady noise, falling by up to 9 dB per octave from the lowest band."""
    batch, mels, _ = shape
    slope = _between(batch, -0.01, 0.12, generator)[:, None, None]
    shade = torch.exp(-slope * torch.arange(mels)[None, :, None])
    return shade * 0.5 * (_exponential(shape, generator) + _exponential(shape, generator))


def _filtered(mel: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """A high-pass, a low-pass (each in four of ten) and a smooth equaliser."""
    batch, mels, _ = mel.shape
    band = torch.arange(mels)[None] / mels
    low, high = _between(batch, 0.0, 0.5, generator), _between(batch, 0.4, 1.0, generator)
    slope = _between(batch, 60.0, 250.0, generator)[:, None]  # dB over all bands
    use = torch.rand(batch, 2, generator=generator) < 0.4
    db = -slope * (low[:, None] - band).clamp_min(0) * use[:, :1]
    db = db - slope * (band - high[:, None]).clamp_min(0) * use[:, 1:]
    for order in (1, 2, 3, 4):
        phase = _between(batch, 0.0, 2 * math.pi, generator)[:, None]
        depth = _between(batch, 0.0, 6.0, generator)[:, None]
        db = db + depth * torch.cos(math.pi * order * band + phase)
    return mel * 10 ** (db[:, :, None].to(mel) / 10)


def _levelled(mel: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """A compressor: the loudness of each frame is drawn towards the mean."""
    share = _between(len(mel), 0.3, 0.8, generator)[:, None, None].to(mel)
    loudness = mel.mean(dim=1, keepdim=True) / _mean(mel).clamp_min(1e-12)
    return mel * loudness.clamp(1e-4, 1e4) ** -share


def _with_holes(mel: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """What lies far below the loudest band of its frame is thrown away, as codecs do."""
    floor = _between(len(mel), -40.0, -12.0, generator)[:, None, None].to(mel)
    return mel * (mel > mel.amax(dim=1, keepdim=True) * 10 ** (floor / 10))


def _with_gap(mel: torch.Tensor, rate: float, generator: torch.Generator) -> torch.Tensor:
    """One gap of 0.1 to 1.2 seconds."""
    batch, _, frames = mel.shape
    start = _between(batch, 0.0, float(frames), generator)[:, None]
    end = start + _between(batch, 0.1, 1.2, generator)[:, None] * rate
    places = torch.arange(frames)[None]
    return mel * ~((places >= start) & (places < end)).to(mel.device)[:, None]


def _happens(batch: int, probability: float, generator: torch.Generator) -> torch.Tensor:
    return torch.rand(batch, generator=generator) < probability


def _between(batch: int, low: float, high: float, generator: torch.Generator) -> torch.Tensor:
    return low + (high - low) * torch.rand(batch, generator=generator)


def _exponential(shape: torch.Size, generator: torch.Generator) -> torch.Tensor:
    return -torch.log(torch.rand(shape, generator=generator).clamp_min(1e-6))


def _mean(mel: torch.Tensor) -> torch.Tensor:
    return mel.mean(dim=(1, 2), keepdim=True)


def _where(chosen: torch.Tensor, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return torch.where(chosen.to(other.device)[:, None, None], one.to(other.device), other)
