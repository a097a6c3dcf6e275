"""NT-Xent against loops, and pairs that are no negatives."""

import math

import pytest
import torch
from torch.nn import functional

from avm_core.train.losses import nt_xent


def by_hand(clean, edited, ignore, temperature):
    both = torch.cat([clean, edited]).tolist()
    count = len(clean)
    total = 0.0
    for i, one in enumerate(both):
        pair = (i + count) % (2 * count)
        scores = {}
        for j, other in enumerate(both):
            hidden = bool(ignore[i % count, j % count]) and i % count != j % count
            if j != i and not hidden:
                dot = sum(a * b for a, b in zip(one, other, strict=True))
                scores[j] = math.exp(dot / temperature)
        total -= math.log(scores[pair] / sum(scores.values()))
    return total / (2 * count)


@pytest.mark.parametrize("seed", [0, 1])
def test_equals_the_sum_written_out(seed):
    torch.manual_seed(seed)
    clean, edited = (functional.normalize(torch.randn(6, 4), dim=1) for _ in range(2))
    ignore = torch.eye(6, dtype=torch.bool)
    ignore[0, 1] = ignore[1, 0] = ignore[3, 5] = ignore[5, 3] = True
    expected = by_hand(clean, edited, ignore, 0.3)
    assert float(nt_xent(clean, edited, ignore, 0.3)) == pytest.approx(expected, rel=1e-5)


def test_an_ignored_pair_pushes_nothing_away():
    clean = functional.normalize(torch.tensor([[1.0, 0.1], [1.0, 0.0], [0.0, 1.0]]), dim=1)
    near = torch.eye(3, dtype=torch.bool)
    apart = nt_xent(clean, clean, near, 0.1)
    near[0, 1] = near[1, 0] = True
    assert nt_xent(clean, clean, near, 0.1) < apart - 0.5
