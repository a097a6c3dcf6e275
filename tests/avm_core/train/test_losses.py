"""NT-Xent against loops, and pairs that are no negatives."""

import math

import pytest
import torch
from torch.nn import functional

from avm_core.train.losses import koleo, nt_xent


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


def test_koleo_is_the_mean_log_distance_to_the_nearest():
    torch.manual_seed(7)
    vectors = functional.normalize(torch.randn(6, 4), dim=1)
    ignore = torch.zeros(6, 6, dtype=torch.bool)
    ignore[0, 1] = ignore[1, 0] = True
    total = 0.0
    for i in range(6):
        others = [j for j in range(6) if j != i and {i, j} != {0, 1}]
        total -= min(float((vectors[i] - vectors[j]).norm().log()) for j in others) / 6
    assert float(koleo(vectors, ignore)) == pytest.approx(total, rel=1e-4)


def test_koleo_pushes_the_nearest_apart_and_stands_equal_vectors():
    vectors = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], requires_grad=True)
    loss = koleo(vectors, torch.zeros(3, 3, dtype=torch.bool))
    torch.autograd.backward(loss)
    assert torch.isfinite(loss)
    assert torch.isfinite(vectors.grad).all()
