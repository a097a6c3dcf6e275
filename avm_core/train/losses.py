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


def koleo(vectors: torch.Tensor, ignore: torch.Tensor) -> torch.Tensor:
    """Differential entropy of unit vectors [N, D], negated (Kozachenko-Leonenko; Sablayrolles et
    al. 2019): minus the mean log distance to the nearest other vector, so that descriptors spread
    over the whole sphere. Pairs in the bool `ignore` [N, N] (its diagonal is) do not count."""
    same = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    cosines = (vectors @ vectors.T).float().masked_fill(ignore | same, -2.0)
    # The gradient of a square root of nothing is not a number.
    return -0.5 * torch.log((2 - 2 * cosines.amax(dim=1)).clamp_min(1e-4)).mean()
