"""`audio_logmel.dct`: compressed mel patches, described by their 2-D DCT; nothing is trained.

Stages 2 to 4 of the fingerprint: mel spectrogram, cosine transform over frequency run once
over the stream, then a strided convolution with temporal cosines that pools each window.
The lowest-order 2-D DCT of a spectral patch as an audio descriptor goes back to MFCC and to
"cepstral modulation" features; leaving out temporal order 0 removes everything that is
constant over the window (equalisation, loudness of a band), and the power-law compression
makes a change of gain a mere scale factor, which the normalisation removes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torchaudio

from avm_core.types import Bool, Float32

# Of consecutive frames: mel power [mels, frames] and mean power [1, frames].
Spectra = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True, slots=True)
class LogmelConfig:
    """Shape of `audio_logmel`. Chosen on real music for separation under shift, speed
    and noise (docs/benchmarks.md, "Audio baseline")."""

    sample_rate: int = 16_000
    n_fft: int = 1024
    hop: int = 250  # 64 frames per second: window and step are whole numbers of frames
    mels: int = 40
    f_min: float = 150.0
    f_max: float = 6_000.0
    compression: float = 0.15
    frequency_orders: int = 12
    time_orders: int = 8
    window_frames: int = 256  # 4 s
    step_frames: int = 16  # 0.25 s
    silence_dbfs: float = -60.0
    # Of the mean level. What a steady tone has (0.002, and 0.09 with some noise) is rounding
    # and noise, which point anywhere; the least of any real music or speech seen is 0.44.
    min_modulation: float = 0.1

    @property
    def window(self) -> float:
        """Seconds covered by one descriptor."""
        return self.window_frames * self.hop / self.sample_rate

    @property
    def step(self) -> float:
        """Seconds between the starts of neighbouring windows."""
        return self.step_frames * self.hop / self.sample_rate

    @property
    def dims(self) -> int:
        return self.frequency_orders * self.time_orders


class LogmelDct:
    """Streaming descriptor extractor; memory is bounded by the block size of its input."""

    def __init__(self, config: LogmelConfig, device: str = "cpu") -> None:
        self.config = config
        self._device = torch.device(device)
        self._mel = torchaudio.transforms.MelSpectrogram(
            config.sample_rate,
            n_fft=config.n_fft,
            hop_length=config.hop,
            f_min=config.f_min,
            f_max=config.f_max,
            n_mels=config.mels,
            power=2.0,
            center=False,
        ).to(self._device)
        # Higher orders carry less energy; the square root keeps them audible in the cosine.
        frequency = _cosines(config.mels, np.arange(config.frequency_orders))
        frequency *= np.sqrt(np.arange(config.frequency_orders) + 1.0)[:, None]
        orders = np.arange(1, config.time_orders + 1)
        time = _cosines(config.window_frames, orders) * np.sqrt(orders)[:, None]
        self._frequency = torch.tensor(frequency, dtype=torch.float32, device=self._device)
        self._time = torch.tensor(time[:, None, :], dtype=torch.float32, device=self._device)

    def describe(self, blocks: Iterable[Float32]) -> Iterator[tuple[Float32, Bool]]:
        """Descriptors float32 [n, D] with unit norm and validity [n], block by block.

        `blocks` are consecutive mono samples; window i covers the seconds
        [i * step, i * step + window). Blocks of any size give the same windows. The three
        methods below, one after the other, are all that happens here.
        """
        return self.pool(self.embed(self.preprocess(blocks)))

    @torch.inference_mode()
    def preprocess(self, blocks: Iterable[Float32]) -> Iterator[Spectra]:
        """Mel spectrum and power of each frame of consecutive mono samples, block by block."""
        config = self.config
        # Half the analysis frame less half a hop: centres window i on i * step + window / 2.
        samples = torch.zeros((config.n_fft - config.hop) // 2, device=self._device)
        for block in blocks:
            samples = torch.cat([samples, torch.from_numpy(block).to(self._device)])
            frames = (len(samples) - config.n_fft) // config.hop + 1
            if frames < 1:
                continue
            used = (frames - 1) * config.hop + config.n_fft
            yield self._frames(samples[:used])
            samples = samples[frames * config.hop :]

    @torch.inference_mode()
    def embed(self, spectra: Iterable[Spectra]) -> Iterator[torch.Tensor]:
        """Context embeddings [frequency orders + 1, frames]: cosine coefficients over
        frequency, then the frame's mean power."""
        for mel, power in spectra:
            coefficients = self._frequency @ mel.pow(self.config.compression)
            yield torch.cat([coefficients, power])

    @torch.inference_mode()
    def pool(self, contexts: Iterable[torch.Tensor]) -> Iterator[tuple[Float32, Bool]]:
        """Interval embeddings: what `describe` gives, from consecutive context embeddings."""
        config = self.config
        features = torch.empty(config.frequency_orders + 1, 0, device=self._device)
        for context in contexts:
            features = torch.cat([features, context], dim=1)
            windows = (features.shape[1] - config.window_frames) // config.step_frames + 1
            if windows < 1:
                continue
            used = (windows - 1) * config.step_frames + config.window_frames
            yield self._pool(features[:, :used])
            features = features[:, windows * config.step_frames :]

    def _frames(self, samples: torch.Tensor) -> Spectra:
        frames = samples.unfold(0, self.config.n_fft, self.config.hop)
        return self._mel(samples), frames.square().mean(dim=1, keepdim=True).T

    def _pool(self, features: torch.Tensor) -> tuple[Float32, Bool]:
        config = self.config
        orders = config.frequency_orders
        pooled = torch.nn.functional.conv1d(
            features[:orders, None, :], self._time, stride=config.step_frames
        )
        vectors = pooled.permute(2, 0, 1).reshape(-1, config.dims)
        norms = vectors.norm(dim=1, keepdim=True)
        power = features[orders].unfold(0, config.window_frames, config.step_frames).mean(dim=1)
        loud = power > 10 ** (config.silence_dbfs / 10)
        level = features[:orders].abs().mean(dim=0)
        scale = level.unfold(0, config.window_frames, config.step_frames).sum(dim=1)
        lively = norms[:, 0] > config.min_modulation * scale
        unit = vectors / norms.clamp_min(1e-12)
        return unit.cpu().numpy(), (loud & lively).cpu().numpy()


def _cosines(length: int, orders: np.ndarray) -> np.ndarray:
    positions = (np.arange(length) + 0.5) / length
    return np.cos(np.pi * orders[:, None] * positions[None, :])
