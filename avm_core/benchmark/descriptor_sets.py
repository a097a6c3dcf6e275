"""Descriptors by the million that are spread as real ones: real prints, and mixtures of them.

A mixture takes a stretch of one real print and a stretch of another, at shares that differ from
stretch to stretch, and adds noise with the covariance of the real descriptors that drifts in
time as they do. So its neighbourhoods are those of a large library of other works in the same
style, which is what makes a search hard; random directions would be easy.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from avm_core.errors import BadSettings, ChecksumMismatch
from avm_core.fingerprint import codec
from avm_core.types import Fingerprint, FingerprinterId, Float32

WALK = FingerprinterId("audio_bench.walk", "00000000")
_WINDOWS_PER_MEDIA = 2_000
_NOISE = 0.35  # of a mixture's length; see `likeness`
_DRIFT = 4  # windows over which the noise is averaged


def read_prints(folder: Path, name: str, *, of: str = "*") -> list[Fingerprint]:
    """Artefacts of fingerprinter `name` (`<name>-<hash>` folders of `*/prints/`) below `folder`, of
    one set or of all.

    Those of one config only: of the hash with the most. Raises `BadSettings` if there are
    fewer than two.
    """
    by_hash: dict[str, list[Path]] = {}
    for path in sorted(folder.glob(f"{of}/prints/{name}-*/*")):
        by_hash.setdefault(path.parent.name, []).append(path)
    # The later of equals: a deterministic choice.
    paths = max(by_hash.items(), key=lambda pair: (len(pair[1]), pair[0]))[1] if by_hash else []
    prints = {}
    for path in paths:
        try:
            value = codec.decode(path.read_bytes())
        except ChecksumMismatch:
            continue  # a file that another run is just writing
        if np.count_nonzero(value.valid) > 1:
            prints[value.content_id] = value
    if len(prints) < 2:
        raise BadSettings(
            f"no prints of {name} below {folder}: run `avm bench quality --set dev` first"
        )
    return [prints[key] for key in sorted(prints)]


def walks(count: int = 60, windows: int = 200, dims: int = 128) -> list[Fingerprint]:
    """Stand-ins where no benchmark set was made yet: directions that drift as those of a
    programme do, by a fingerprinter of their own. Every third is a noisy copy of the one before.
    """
    rng = np.random.default_rng(0)
    made: list[Float32] = []
    for number in range(count):
        if number % 3 == 2:
            noise = rng.standard_normal((windows, dims), dtype=np.float32)
            made.append(made[-1] + 0.3 * noise)
            continue
        white = rng.standard_normal((windows + _DRIFT, dims), dtype=np.float32)
        made.append(np.add.accumulate(white)[_DRIFT:] - np.add.accumulate(white)[:-_DRIFT])
    return [
        Fingerprint(
            content_id=f"walk{number:04d}",
            fingerprinter=WALK,
            descriptors=codec.quantise(rows),
            starts=np.arange(windows, dtype=np.float64) * 0.5,
            window=3.0,
            valid=np.ones(windows, np.bool_),
            duration=windows * 0.5 + 2.5,
        )
        for number, rows in enumerate(made)
    ]


def grow(
    prints: Sequence[Fingerprint], windows: int, *, seed: int = 0
) -> Iterator[tuple[str, Fingerprint]]:
    """(media id, fingerprint) with `windows` valid windows in all: the real ones, then mixtures
    of them."""
    rng = np.random.default_rng(seed)
    made = 0
    for value in prints:
        rows = value.descriptors[value.valid][: windows - made]
        if len(rows):
            yield value.content_id, wrap(value, value.content_id, rows)
        made += len(rows)
    units = [value.unit_vectors()[value.valid] for value in prints]
    root = _root_of_covariance(np.concatenate(units))
    for number in itertools.count():
        if made >= windows:
            return
        size = min(_WINDOWS_PER_MEDIA, windows - made)
        name = f"{number:064x}"
        yield name, wrap(prints[0], name, codec.quantise(_mixture(rng, units, root, size)))
        made += size


def wrap(like: Fingerprint, content_id: str, descriptors: np.ndarray) -> Fingerprint:
    """A fingerprint of the rows, all valid, at the pace and by the fingerprinter of `like`."""
    step, count = like.step, len(descriptors)
    return Fingerprint(
        content_id=content_id,
        fingerprinter=like.fingerprinter,
        descriptors=np.ascontiguousarray(descriptors),
        starts=np.arange(count, dtype=np.float64) * step,
        window=like.window,
        valid=np.ones(count, np.bool_),
        duration=count * step + like.window,
    )


def likeness(left: Float32, right: Float32) -> dict[str, float]:
    """Median and 99th percentile of the cosines of unit rows, and how alike the nearest is."""
    scores = left @ right.T
    return {
        "p50": float(np.median(scores)),
        "p99": float(np.percentile(scores, 99)),
        "nearest": float(np.median(scores.max(axis=1))),
    }


def _root_of_covariance(vectors: Float32) -> Float32:
    values, axes = np.linalg.eigh(np.cov(vectors.T))
    return np.asarray(axes * np.sqrt(np.maximum(values, 0.0)), np.float32)


def _mixture(
    rng: np.random.Generator, units: Sequence[Float32], root: Float32, size: int
) -> Float32:
    parts, left = [], size
    while left:
        one, two = (units[place] for place in rng.choice(len(units), 2, replace=False))
        count = min(len(one), len(two), left)
        start, other = (int(rng.integers(0, len(rows) - count + 1)) for rows in (one, two))
        angle = rng.uniform(0.2, np.pi / 2 - 0.2)
        mixed = np.cos(angle) * one[start : start + count]
        mixed = mixed + np.sin(angle) * two[other : other + count]
        white = rng.standard_normal((count + _DRIFT - 1, root.shape[1]), dtype=np.float32)
        drifting = sum(white[shift : shift + count] for shift in range(_DRIFT)) / np.sqrt(_DRIFT)
        parts.append(mixed + _NOISE * drifting @ root.T)
        left -= count
    return np.concatenate(parts).astype(np.float32)
