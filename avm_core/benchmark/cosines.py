"""Cosines between a made copy and titles: with its own moment, with strangers, with the whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from avm_core.benchmark.edits import Planted
from avm_core.fingerprint.registry import Fingerprinter
from avm_core.media.probe import probe
from avm_core.types import Fingerprint, Float32, Float64


def fingerprint_of(maker: Fingerprinter, path: Path) -> Fingerprint:
    """The fingerprint of a file that is in no catalog. Raises `BadMedia`."""
    return maker.fingerprint(path, content_id=path.name, info=probe(path))


def same_moment(copy: Fingerprint, title: Fingerprint, planted: Planted) -> tuple[Float64, Float32]:
    """Seconds in the copy of its windows' middles [n], and their cosines [n] with the window at
    the same moment of the title; the line goes on beyond what was planted. Without the windows
    that are flat or silent on either side."""
    middles = copy.starts + copy.window / 2
    at = planted.licensed_start + planted.speed * (middles - planted.ugc_start)
    nearest = np.abs(title.starts[None, :] + title.window / 2 - at[:, None]).argmin(axis=1)
    cosines = np.einsum("nd,nd->n", copy.unit_vectors(), title.unit_vectors()[nearest])
    known = copy.valid & title.valid[nearest]
    return middles[known], cosines[known].astype(np.float32)


def best(copy: Fingerprint, other: Fingerprint) -> Float32:
    """Cosine [n] of each valid window of the copy with its best window in another title."""
    return _all(copy, other).max(axis=1)


def background(copy: Fingerprint, title: Fingerprint) -> Float32:
    """Median [n] of each valid window's cosines with a whole title: what a matching moment must
    stand out from."""
    return np.median(_all(copy, title), axis=1)


def _all(copy: Fingerprint, title: Fingerprint) -> Float32:
    return copy.unit_vectors()[copy.valid] @ title.unit_vectors()[title.valid].T
