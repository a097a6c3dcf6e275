"""Samples to mel power, frame by frame: what the trained audio networks have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch

from avm_core.types import Float32


def power_spectra(frames: torch.Tensor, analysis: torch.Tensor) -> torch.Tensor:
    """Power [..., n/2 + 1] of frames of samples [..., n] under the analysis window [n]."""
    return torch.fft.rfft(frames * analysis).abs().square() / len(analysis)


def mel_frames(
    blocks: Iterable[Float32], filters: torch.Tensor, hop: int, margin: int = 0
) -> Iterator[torch.Tensor]:
    """Mel power [mels + 1, frames] of consecutive mono samples through `filters` [bins, mels], the
    last row the frame's mean square. Frame `margin` + i is centred on (i + 1/2) hops; `margin`
    frames of silence come before the start and after the end."""
    size = 2 * (len(filters) - 1)
    analysis = torch.hann_window(size, device=filters.device)
    silence = np.zeros(margin * hop + (size - hop) // 2, np.float32)
    samples = torch.empty(0, device=filters.device)
    for block in _chain(silence, blocks, silence):
        # NaN and infinities of a broken decoder would spread over a whole window.
        clean = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
        samples = torch.cat([samples, torch.from_numpy(clean).to(filters.device)])
        count = (len(samples) - size) // hop + 1
        if count < 1:
            continue
        frames = samples.unfold(0, size, hop)
        mel = power_spectra(frames, analysis) @ filters
        yield torch.cat([mel.T, frames.square().mean(dim=1)[None]])
        samples = samples[count * hop :]


def _chain(first: Float32, blocks: Iterable[Float32], last: Float32) -> Iterator[Float32]:
    yield first
    yield from blocks
    yield last
