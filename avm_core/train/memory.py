"""Descriptors of earlier batches, as further negatives: a larger batch for the price of a copy.

Cross-batch memory (Wang et al. 2020): a network changes so little in a few steps that what it said
then still stands. Contrastive fingerprints gain from every doubling of the negatives (Chang et al.
2021), and two cores cannot pay for them otherwise.
"""

from __future__ import annotations

import torch


class Memory:
    """A ring of the last `size` descriptors [size, dims] with owner and seconds of each."""

    def __init__(self, size: int, dims: int) -> None:
        self._vectors = torch.zeros(size, dims)
        self._owners = torch.full((size,), -1)
        self._seconds = torch.zeros(size)
        self._written = 0

    def add(self, vectors: torch.Tensor, owners: torch.Tensor, seconds: torch.Tensor) -> None:
        """Keep vectors [N, dims], with the piece number and the place in seconds [N] of each."""
        at = (self._written + torch.arange(len(vectors))) % max(len(self._vectors), 1)
        if len(self._vectors) >= len(vectors):
            self._vectors[at] = vectors.detach().float().cpu()
            self._owners[at], self._seconds[at] = owners, seconds.float()
            self._written += len(vectors)

    def negatives(
        self, owners: torch.Tensor, seconds: torch.Tensor, apart: float
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Kept vectors [M, dims], and which of them [N, M] are no negatives of moments [N]: those
        of the same piece less than `apart` seconds away. None until the ring is full: the first
        descriptors of an untrained network say nothing."""
        if self._written < len(self._vectors):
            return torch.zeros(0, self._vectors.shape[1]), torch.zeros(len(owners), 0).bool()
        near = (seconds[:, None] - self._seconds[None]).abs() < apart
        # A copy: the next batch is written before the gradients of this one are taken.
        return self._vectors.clone(), near & (owners[:, None] == self._owners[None])

    def state(self) -> dict[str, torch.Tensor]:
        """All of it, for a checkpoint."""
        return {
            "vectors": self._vectors,
            "owners": self._owners,
            "seconds": self._seconds,
            "written": torch.tensor(self._written),
        }

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """The reverse of `state`."""
        self._vectors, self._owners = state["vectors"].cpu(), state["owners"].cpu()
        self._seconds, self._written = state["seconds"].cpu(), int(state["written"])
