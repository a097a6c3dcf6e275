"""Where the projection starts from: closed forms, of which some need no training at all."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch

from avm_core.types import Float32, Float64

Start = Literal["classes", "whitened", "pairs"]

# Share of the mean variance that is added to every direction, so that none is blown up.
_FLOOR = {"whitened": 0.02, "pairs": 0.1}


def standardised(features: Float32) -> tuple[torch.Tensor, torch.Tensor]:
    """Centre and spread [F] of features [n, F]."""
    spread = np.maximum(features.std(axis=0), 1e-6)
    return torch.from_numpy(features.mean(axis=0)), torch.from_numpy(spread)


def whitened(clean: Float32, dims: int) -> torch.Tensor:
    """[F, dims]: PCA-whitening (Jégou & Chum 2012) of standardised features [n, F]."""
    values, vectors = np.linalg.eigh(_covariance(clean))
    floor = _FLOOR["whitened"] * values.mean()
    kept = vectors[:, ::-1][:, :dims] / np.sqrt(values[::-1][:dims] + floor)
    return torch.from_numpy(kept.astype(np.float32))


def discriminative(clean: Float32, views: Float32, dims: int) -> torch.Tensor:
    """[F, dims] from standardised features [n, F] and those of their views [n, v, F]: directions
    in which edits move a picture are shrunk, then the main ones of what is left are kept (learned
    whitening, Mikolajczyk & Matas 2007; Radenović et al. 2018)."""
    moved = (views - clean[:, None]).reshape(-1, clean.shape[1])
    values, vectors = np.linalg.eigh(moved.T.astype(np.float64) @ moved / len(moved))
    floor = _FLOOR["pairs"] * values.mean()
    still = vectors / np.sqrt(np.maximum(values, 0) + floor) @ vectors.T
    _, main = np.linalg.eigh(still @ _covariance(clean) @ still)
    return torch.from_numpy((still @ main[:, ::-1][:, :dims]).astype(np.float32))


def _covariance(features: Float32) -> Float64:
    rows = features.astype(np.float64) - features.mean(axis=0)
    return rows.T @ rows / len(rows)
