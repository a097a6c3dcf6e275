"""Losses of metric learning."""

from __future__ import annotations

import torch
from torch.nn import functional


def nt_xent(
    clean: torch.Tensor,
    edited: torch.Tensor,
    ignore: torch.Tensor,
    temperature: float,
) -> torch.Tensor:
    """Normalised-temperature cross-entropy (Chen et al. 2020, SimCLR) of unit vectors [N, D].

    Row i of `clean` and row i of `edited` are one moment; all others are negatives, but for pairs
    in the symmetric bool `ignore` [N, N] (windows that overlap; its diagonal is ignored).
    """
    count = len(clean)
    both = torch.cat([clean, edited])
    logits = (both @ both.T).float() / temperature
    same = torch.eye(count, dtype=torch.bool, device=clean.device)
    overlapping = ignore & ~same
    own, other = overlapping | same, overlapping
    hidden = torch.cat([torch.cat([own, other], 1), torch.cat([other, own], 1)])
    logits = logits.masked_fill(hidden, float("-inf"))
    target = torch.arange(2 * count, device=clean.device).roll(count)
    return functional.cross_entropy(logits, target)
