"""Sounds that are made, not recorded: cheap, and no two moments of one are alike."""

from __future__ import annotations

import numpy as np

from avm_core.types import Float32

_PER_SECOND = 5


def chords(seconds: int, rate: int, seed: int = 1) -> Float32:
    """Chords of three notes that change five times a second; one seed is one tune at any rate."""
    rng = np.random.default_rng(seed)
    time = np.arange(rate // _PER_SECOND) / rate
    parts = [
        np.sin(2 * np.pi * rng.uniform(250, 3_500, 3)[:, None] * time).sum(axis=0)
        for _ in range(_PER_SECOND * seconds)
    ]
    return (0.1 * np.concatenate(parts)).astype(np.float32)
