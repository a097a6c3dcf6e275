"""Other ways to compute what `AudioEncoder.contexts` computes, to measure what they would save."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from avm_core.models.audio_encoder import STRIDE, AudioEncoder
from avm_core.types import Float32

Form = Callable[[], Float32]
_FUSED = ((nn.Conv1d, nn.BatchNorm1d), (nn.Conv2d, nn.BatchNorm2d))


def encoder_forms(encoder: AudioEncoder, contexts: int, seed: int = 0) -> dict[str, Form]:
    """By name; each call gives the same context embeddings float32 [width, contexts] of noise,
    up to rounding. `plain` is what fingerprints use."""
    encoder = encoder.eval()
    frames = contexts * STRIDE + 2 * encoder.config.margin
    mel = torch.rand(1, encoder.config.mels, frames, generator=torch.Generator().manual_seed(seed))
    with torch.inference_mode():
        whole = encoder.normalise(mel)
    last = whole.contiguous(memory_format=torch.channels_last)
    fused = _fused(encoder)
    lasting = _fused(encoder).to(memory_format=torch.channels_last)
    return {
        "plain": lambda: _run(encoder, whole),
        "batch norm fused": lambda: _run(fused, whole),
        "fused, channels last": lambda: _run(lasting, last),
        "bfloat16": lambda: _run(encoder, whole, torch.bfloat16),
    }


@torch.inference_mode()
def _run(
    encoder: AudioEncoder, normalised: torch.Tensor, dtype: torch.dtype = torch.float32
) -> Float32:
    with torch.autocast("cpu", dtype, dtype != torch.float32):
        contexts: Float32 = encoder.contexts(normalised)[0].float().numpy()
    return contexts


def _fused(encoder: AudioEncoder) -> AudioEncoder:
    fused = copy.deepcopy(encoder)
    fused.body = nn.Sequential(*_pairs(fused.body))
    for layer in fused.follow:
        layer.layer = nn.Sequential(*_pairs(layer.layer))  # type: ignore[arg-type]
    return fused


def _pairs(layers: Iterable[nn.Module]) -> list[nn.Module]:
    """Layers with every normalisation drawn into the convolution before it."""
    kept: list[nn.Module] = []
    for layer in layers:
        before = kept[-1] if kept else None
        if any(isinstance(before, c) and isinstance(layer, n) for c, n in _FUSED):
            kept[-1] = fuse_conv_bn_eval(before, layer)  # type: ignore[type-var,assignment,arg-type]
        else:
            kept.append(layer)
    return kept
