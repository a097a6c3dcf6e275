"""`audio_conv.*`: a small convolutional network that runs once over the whole stream.

Stage 2 turns samples into log-compressed mel frames, normalised by their own surroundings: each
band by its mean over two seconds, which cancels any constant filter, and the frame by the mean of
all bands, which cancels loudness (the idea of per-channel energy normalisation, Wang et al. 2017).
Stage 3 is a 2-D convolutional network with few channels, valid in time, so that a stream cut into
blocks gives what the stream gives. Stage 4 pools its contexts to windows of any length: a few
temporal cosines over the window, a linear map, unit norm. Trained as in Chang et al. 2021 (Neural
Audio Fingerprint); the window there passes through the network by itself, every time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ClassVar

import torch
import torchaudio
from torch import nn

from avm_core.models.checkpoint import read_weights
from avm_core.models.spectra import mel_frames, power_spectra
from avm_core.types import Bool, Float32

# Frames per context: two layers halve the rate.
STRIDE = 4
# Below this mean power a frame is digital silence, whatever its surroundings.
_FLOOR = 1e-9
_FOLLOWERS = (1, 2)  # dilations of the layers over time alone
_BLOCK = 512  # contexts computed at once: memory does not grow with the stream


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """Everything that shapes the vectors but the weights; kept in the weights' own file."""

    section: ClassVar[str] = "encoder"
    name: ClassVar[str] = "audio_conv"

    sample_rate: int = 8_000
    n_fft: int = 512
    hop: int = 250  # 32 frames and 8 contexts per second
    mels: int = 64
    f_min: float = 200.0
    f_max: float = 3_900.0
    compression: float = 0.3
    surround_frames: int = 65  # of the local means, odd: 2 s
    channels: tuple[int, ...] = (16, 32, 64, 96)
    width: int = 160
    orders: int = 3
    dims: int = 128
    window_contexts: int = 24  # 3 s
    step_contexts: int = 4  # 0.5 s
    silence_dbfs: float = -60.0
    # Mean change of the normalised bands from frame to frame; a steady tone has almost none.
    min_modulation: float = 0.02

    @property
    def context_seconds(self) -> float:
        """Seconds from one context embedding to the next."""
        return STRIDE * self.hop / self.sample_rate

    @property
    def window(self) -> float:
        """Seconds covered by one descriptor."""
        return self.window_contexts * self.context_seconds

    @property
    def step(self) -> float:
        """Seconds between the starts of neighbouring windows."""
        return self.step_contexts * self.context_seconds

    @property
    def margin(self) -> int:
        """Frames that a context sees on either side of its own four."""
        # The local means, two strided layers of 4, and at the low rate layers of 3.
        slow = len(self.channels) - 2 + sum(_FOLLOWERS)
        return (self.surround_frames - 1) // 2 + 3 + STRIDE * slow

    def to_dict(self) -> dict[str, object]:
        """Values by name, as JSON can hold them."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, object]) -> EncoderConfig:
        """The reverse of `to_dict`."""
        fixed = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
        return cls(**fixed)  # type: ignore[arg-type]


class AudioEncoder(nn.Module):
    """Stages 2 to 4 as tensors; `StreamEncoder` runs them over a stream."""

    filters: torch.Tensor
    analysis: torch.Tensor

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        bins = config.n_fft // 2 + 1
        filters = torchaudio.functional.melscale_fbanks(
            bins, config.f_min, config.f_max, config.mels, config.sample_rate
        )
        self.register_buffer("filters", filters, persistent=False)
        self.register_buffer("analysis", torch.hann_window(config.n_fft), persistent=False)
        self.body = _body(config)
        self.follow = nn.ModuleList(_Follow(config.width, d) for d in _FOLLOWERS)
        self.project = nn.Linear(config.width * config.orders, config.dims)

    def power(self, frames: torch.Tensor) -> torch.Tensor:
        """Power spectra [..., n_fft/2 + 1] of frames of samples [..., n_fft]."""
        return power_spectra(frames, self.analysis)

    def normalise(self, mel: torch.Tensor) -> torch.Tensor:
        """Input of the network [B, 2, M, T - surround + 1] from mel power [B, M, T]: each band
        over its local mean, and over the local mean of all bands."""
        level = (mel + _FLOOR).pow(self.config.compression)
        width = self.config.surround_frames
        band = nn.functional.avg_pool1d(level, width, stride=1)
        every = band.mean(dim=1, keepdim=True)
        middle = level[..., (width - 1) // 2 : level.shape[-1] - (width - 1) // 2]
        # A band far below the others holds only what a codec left there: keep it small.
        return torch.stack([middle / (band + 0.1 * every) - 1, middle / every - 1], dim=1)

    def contexts(self, normalised: torch.Tensor) -> torch.Tensor:
        """Context embeddings [B, width, T'], eight a second."""
        hidden: torch.Tensor = self.body(normalised)
        for layer in self.follow:
            hidden = layer(hidden)
        return hidden

    def pool(self, contexts: torch.Tensor, length: int, step: int = 1) -> torch.Tensor:
        """Unit descriptors [B, dims, windows] of windows of `length` contexts, `step` apart."""
        cosines = _cosines(self.config.orders, length).to(contexts)
        batch, width, total = contexts.shape
        flat = contexts.reshape(batch * width, 1, total)
        pooled = nn.functional.conv1d(flat, cosines, stride=step)
        pooled = pooled.reshape(batch, width * self.config.orders, -1)
        vectors = self.project(pooled.transpose(1, 2))
        return nn.functional.normalize(vectors, dim=2).transpose(1, 2)

    def windows(self, mel: torch.Tensor, at: torch.Tensor, length: int) -> torch.Tensor:
        """Unit descriptors [B, n, dims] of the windows of `length` contexts that begin at
        contexts `at` [B, n], from mel power [B, M, T] with a margin on either side."""
        every = self.pool(self.contexts(self.normalise(mel)), length)
        at = at.to(every.device)[:, None].expand(-1, every.shape[1], -1)
        return every.gather(2, at).transpose(1, 2)


class _Follow(nn.Module):
    """A residual layer over time, valid at both ends."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self._cut = dilation
        self.layer = nn.Sequential(
            nn.ReLU(),
            nn.Conv1d(width, width, 3, dilation=dilation, bias=False),
            nn.BatchNorm1d(width),
        )

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return hidden[..., self._cut : -self._cut] + self.layer(hidden)


def _body(config: EncoderConfig) -> nn.Sequential:
    """Frequency is halved by each layer, time by the first two (by an even kernel: a context's
    middle is the middle of its four frames)."""
    layers: list[nn.Module] = []
    before = 2
    for depth, channels in enumerate(config.channels):
        time, stride = (4, 2) if depth < 2 else (3, 1)
        layers += [
            nn.Conv2d(before, channels, (3, time), (2, stride), (1, 0), bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        ]
        before = channels
    bands = config.mels >> len(config.channels)
    layers += [nn.Flatten(1, 2), nn.Conv1d(before * bands, config.width, 1, bias=False)]
    return nn.Sequential(*layers, nn.BatchNorm1d(config.width))


def _cosines(orders: int, length: int) -> torch.Tensor:
    """Temporal cosines [orders, 1, length] over a window, the mean first, each of unit scale."""
    positions = (torch.arange(length) + 0.5) / length
    basis = torch.cos(torch.pi * torch.arange(orders)[:, None] * positions)
    basis[1:] *= 2**0.5
    return basis[:, None, :] / length


def load_encoder(path: Path, sha256: str | None = None) -> AudioEncoder:
    """The network of a weights file, as its own card describes it. Raises as `read_weights`."""
    tensors, card = read_weights(path, sha256)
    encoder = AudioEncoder(EncoderConfig.from_dict(card["encoder"]))
    encoder.load_state_dict(tensors)
    return encoder


class StreamEncoder:
    """Runs an encoder over consecutive samples; memory is bounded by block and window."""

    def __init__(
        self,
        encoder: AudioEncoder,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
        window: float | None = None,
    ) -> None:
        """`window` in seconds instead of the configured one."""
        contexts = round((window or encoder.config.window) / encoder.config.context_seconds)
        self.config = replace(encoder.config, window_contexts=contexts)
        self._device = torch.device(device)
        self._dtype = dtype
        self._encoder = encoder.eval().to(self._device)

    def describe(self, blocks: Iterable[Float32]) -> Iterator[tuple[Float32, Bool]]:
        """Descriptors float32 [n, dims] with unit norm and validity [n], block by block.

        `blocks` are consecutive mono samples in [-1, 1]; window i covers the seconds
        [i * step, i * step + window). Blocks of any size give the same windows up to rounding.
        """
        return self.pool(self.embed(self.preprocess(blocks)))

    @torch.inference_mode()
    def preprocess(self, blocks: Iterable[Float32]) -> Iterator[torch.Tensor]:
        """Mel power [mels + 1, frames] of consecutive samples, the last row the frame's mean
        square; frames of silence before the start and after the end give contexts to the edges."""
        yield from mel_frames(blocks, self._encoder.filters, self.config.hop, self.config.margin)

    @torch.inference_mode()
    def embed(self, spectra: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
        """Context embeddings [width + 2, n]: the network's, then mean power and modulation."""
        margin, mels = self.config.margin, self.config.mels
        kept = torch.empty(mels + 1, 0, device=self._device)
        for spectrum in spectra:
            kept = torch.cat([kept, spectrum], dim=1)
            while (ready := (kept.shape[1] - 2 * margin) // STRIDE) > 0:
                ready = min(ready, _BLOCK)
                yield self._contexts(kept[:, : ready * STRIDE + 2 * margin])
                kept = kept[:, ready * STRIDE :]

    @torch.inference_mode()
    def pool(self, contexts: Iterable[torch.Tensor]) -> Iterator[tuple[Float32, Bool]]:
        """Interval embeddings: what `describe` gives, from consecutive context embeddings."""
        length, step = self.config.window_contexts, self.config.step_contexts
        kept = torch.empty(self.config.width + 2, 0, device=self._device)
        for part in contexts:
            kept = torch.cat([kept, part], dim=1)
            windows = (kept.shape[1] - length) // step + 1
            if windows < 1:
                continue
            yield self._windows(kept[:, : (windows - 1) * step + length])
            kept = kept[:, windows * step :]

    def _contexts(self, spectra: torch.Tensor) -> torch.Tensor:
        mels = self.config.mels
        normalised = self._encoder.normalise(spectra[None, :mels])
        with torch.autocast(self._device.type, self._dtype, self._dtype != torch.float32):
            contexts = self._encoder.contexts(normalised)[0].float()
        own = slice(self.config.margin, spectra.shape[1] - self.config.margin)
        edge = self.config.margin - (self.config.surround_frames - 1) // 2
        inner = normalised[0, 0, :, edge - 1 : normalised.shape[-1] - edge]
        power = spectra[mels, own].reshape(-1, STRIDE).mean(dim=1)
        change = inner.diff().abs().mean(dim=0).reshape(-1, STRIDE).mean(dim=1)
        return torch.cat([contexts, power[None], change[None]])

    def _windows(self, contexts: torch.Tensor) -> tuple[Float32, Bool]:
        config = self.config
        length, step = config.window_contexts, config.step_contexts
        vectors = self._encoder.pool(contexts[None, : config.width], length, step)[0].T
        power, change = contexts[config.width :].unfold(1, length, step).mean(dim=2)
        valid = (power > 10 ** (config.silence_dbfs / 10)) & (change > config.min_modulation)
        return vectors.cpu().numpy(), valid.cpu().numpy()
