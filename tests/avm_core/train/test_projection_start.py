"""Closed forms: whitened means uncorrelated, and directions in which edits move are left."""

import numpy as np

from avm_core.train.projection_start import discriminative, standardised, whitened


def features(count=4_000, seed=1):
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((count, 6)) * [5, 3, 2, 1, 0.5, 0.1]).astype(np.float32)


def test_standardised_features_have_no_mean_and_unit_deviation():
    rows = features() + 7
    centre, spread = standardised(rows)
    made = (rows - centre.numpy()) / spread.numpy()
    np.testing.assert_allclose(made.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(made.std(axis=0), 1, atol=1e-3)


def test_whitened_directions_are_uncorrelated_and_alike():
    rows = features()
    made = np.cov((rows @ whitened(rows, 3).numpy()).T)
    assert np.abs(made - np.diag(np.diag(made))).max() < 0.02
    assert np.ptp(np.diag(made)) < 0.2


def test_what_edits_move_is_left_out():
    """The strongest direction of the pictures is the one that edits change: not kept."""
    rng = np.random.default_rng(2)
    clean = features(500)
    moves = rng.standard_normal((500, 3, 6)).astype(np.float32) * [9, 0.1, 0.1, 0.1, 0.1, 0.1]
    views = (clean[:, None] + moves).astype(np.float32)
    kernel = discriminative(clean, views, 2).numpy()
    share = np.abs(kernel).sum(axis=1)
    assert share[0] < 0.3 * share[1]
    assert sorted(np.argsort(share)[-2:]) == [1, 2]
