"""`audio_window.*`: each second of sound passes through a network by itself; a rival of ours.

Chang et al. 2021 (Neural Audio Fingerprint for High-specific Audio Retrieval), from the paper:
windows of 1 s every 0.5 s, log-power mel spectrogram of the window against its own maximum,
separable convolutions of stride 2 with layer norm and ReLU, the divide-and-encode head of Lai et
al. 2015, unit norm. Fewer bands, layers and channels than there (0.4 against 17 million
parameters): it has to train on two cores.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import ClassVar

import torch
import torchaudio
from torch import nn

from avm_core.errors import BadSettings
from avm_core.models.audio_encoder import STRIDE
from avm_core.models.spectra import mel_frames
from avm_core.types import Bool, Float32

_SILENCE = 1e-12  # mel power below which a window has no maximum
_BATCH = 128  # windows computed at once: memory does not grow with the stream

# The network's output [n, features] of n windows, and their mean power [n].
Encoded = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True, slots=True)
class WindowConfig:
    """Everything that shapes the vectors but the weights; kept in the weights' own file."""

    section: ClassVar[str] = "window_encoder"
    name: ClassVar[str] = "audio_window"

    sample_rate: int = 8_000
    n_fft: int = 512
    hop: int = 250  # 32 frames per second
    mels: int = 64
    f_min: float = 300.0
    f_max: float = 4_000.0
    dynamic_range: float = 80.0  # dB below the loudest band of the window
    channels: tuple[int, ...] = (32, 48, 64, 128, 256)
    hidden: int = 32  # units of the head per dimension
    dims: int = 128
    window_contexts: int = 8  # 1 s; a context is four frames, as in `audio_conv`
    step_contexts: int = 4  # 0.5 s
    silence_dbfs: float = -60.0

    @property
    def context_seconds(self) -> float:
        """Seconds from one place where a window may begin to the next."""
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
        """Frames that a window sees on either side of itself."""
        return 0

    def to_dict(self) -> dict[str, object]:
        """Values by name, as JSON can hold them."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, object]) -> WindowConfig:
        """The reverse of `to_dict`."""
        fixed = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
        return cls(**fixed)  # type: ignore[arg-type]


class WindowEncoder(nn.Module):
    """Stages 2 to 4 as tensors; `WindowStream` runs them over a stream."""

    filters: torch.Tensor

    def __init__(self, config: WindowConfig) -> None:
        """Raises `BadSettings` if the last layer cannot be divided among the dimensions."""
        super().__init__()
        self.config = config
        filters = torchaudio.functional.melscale_fbanks(
            config.n_fft // 2 + 1, config.f_min, config.f_max, config.mels, config.sample_rate
        )
        self.register_buffer("filters", filters, persistent=False)
        self.body = _body(config.channels)
        frames = STRIDE * config.window_contexts
        features = config.channels[-1]
        for length in (config.mels, frames):
            features *= -(-length // 2 ** len(config.channels))
        if features % config.dims:
            raise BadSettings(
                f"{features} features cannot be divided among {config.dims} dimensions: change "
                "dims or the last of channels"
            )
        self.head = _DivideAndEncode(features // config.dims, config.hidden, config.dims)

    def normalise(self, mel: torch.Tensor) -> torch.Tensor:
        """Input of the network [n, 1, M, F] in [-1, 1] from mel power [n, M, F] of n windows: dB
        below the window's maximum, what is too far below clipped."""
        span = self.config.dynamic_range
        share = mel / mel.amax(dim=(1, 2), keepdim=True).clamp_min(_SILENCE)
        decibels = 10 * share.clamp_min(10 ** (-span / 10)).log10()
        return (2 * decibels / span + 1)[:, None]

    def encode(self, mel: torch.Tensor) -> torch.Tensor:
        """Features [n, features] of mel power [n, M, F] of n windows."""
        features: torch.Tensor = self.body(self.normalise(mel))
        return features

    def describe(self, features: torch.Tensor) -> torch.Tensor:
        """Unit descriptors [n, dims] of features."""
        return nn.functional.normalize(self.head(features), dim=1)

    def windows(self, mel: torch.Tensor, at: torch.Tensor, length: int) -> torch.Tensor:
        """Unit descriptors [B, n, dims] of the windows of mel power [B, M, T] that begin at
        contexts `at` [B, n]. Raises `BadSettings` for a `length` that is not the network's own."""
        if length != self.config.window_contexts:
            raise BadSettings(
                f"the network has windows of {self.config.window_contexts} contexts, not of "
                f"{length}: set lengths in section [task]"
            )
        every = mel.unfold(2, STRIDE * length, STRIDE).transpose(1, 2)  # [B, windows, M, F]
        rows = torch.arange(len(mel), device=mel.device)[:, None]
        chosen = every[rows, at.to(mel.device)]
        return self.describe(self.encode(chosen.flatten(0, 1))).reshape(*at.shape, -1)


class _DivideAndEncode(nn.Module):
    """Each dimension from a part of the features of its own (Lai et al. 2015), by two layers."""

    def __init__(self, part: int, hidden: int, dims: int) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.randn(dims, part, hidden) * part**-0.5)
        self.offset = nn.Parameter(torch.zeros(dims, 1, hidden))
        self.second = nn.Parameter(torch.randn(dims, hidden, 1) * hidden**-0.5)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """[n, dims * part] to [n, dims]."""
        parts = features.reshape(len(features), len(self.first), -1).transpose(0, 1)
        hidden = nn.functional.elu(torch.baddbmm(self.offset, parts, self.first))
        return torch.bmm(hidden, self.second)[:, :, 0].T


def _body(channels: tuple[int, ...]) -> nn.Sequential:
    """Each layer halves time, then frequency."""
    layers: list[nn.Module] = []
    before = 1
    for after in channels:
        for inputs, kernel, stride, padding in (
            (before, (1, 3), (1, 2), (0, 1)),
            (after, (3, 1), (2, 1), (1, 0)),
        ):
            layers += [
                nn.Conv2d(inputs, after, kernel, stride, padding, bias=False),
                nn.GroupNorm(1, after),  # one group: the layer norm of a whole window
                nn.ReLU(),
            ]
        before = after
    return nn.Sequential(*layers, nn.Flatten())


class WindowStream:
    """Runs the network over the windows of consecutive samples; memory is bounded."""

    def __init__(self, encoder: WindowEncoder, device: str = "cpu") -> None:
        self.config = encoder.config
        self._device = torch.device(device)
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
        square."""
        yield from mel_frames(blocks, self._encoder.filters, self.config.hop)

    @torch.inference_mode()
    def embed(self, spectra: Iterable[torch.Tensor]) -> Iterator[Encoded]:
        """Features of the windows, each by itself, and their power."""
        length, step = (
            STRIDE * n for n in (self.config.window_contexts, self.config.step_contexts)
        )
        kept = torch.empty(self.config.mels + 1, 0, device=self._device)
        for spectrum in spectra:
            kept = torch.cat([kept, spectrum], dim=1)
            while (ready := (kept.shape[1] - length) // step + 1) > 0:
                ready = min(ready, _BATCH)
                used = kept[:, : (ready - 1) * step + length].unfold(1, length, step)
                mel = used[:-1].transpose(0, 1)
                yield self._encoder.encode(mel), used[-1].mean(dim=1)
                kept = kept[:, ready * step :]

    @torch.inference_mode()
    def pool(self, contexts: Iterable[Encoded]) -> Iterator[tuple[Float32, Bool]]:
        """Interval embeddings: what `describe` gives, from the windows' features."""
        for features, power in contexts:
            vectors = self._encoder.describe(features)
            valid = power > 10 ** (self.config.silence_dbfs / 10)
            yield vectors.cpu().numpy(), valid.cpu().numpy()
