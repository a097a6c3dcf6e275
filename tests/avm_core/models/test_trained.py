"""Shipped weights give the vectors of the day they were trained, whoever changes the code.

`AVM_WRITE_GOLDEN=1 pytest tests/avm_core/models/test_trained.py` writes the golden file of
weights that have none; delete the file first to write it anew. Change one only together with the
version in the registry.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from avm_core.fingerprint.codec import quantise
from avm_core.models.audio_networks import load_network, stream_of
from avm_core.models.checkpoint import trained

NAMES = sorted(path.stem for path in trained("any").parent.glob("audio_*.safetensors"))
GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "trained"
SECONDS = 12
STRIDE = 3  # every third window is enough


def signal(rate):
    """Chirps over chords that change four times a second: sums of sines, nothing random."""
    time = np.arange(SECONDS * rate) / rate
    beat = np.floor(4 * time)
    chord = sum(
        np.sin(2 * np.pi * (220 + 90 * ((factor * beat) % 31)) * time) for factor in (3, 7, 12)
    )
    chirp = np.sin(2 * np.pi * (400 * time + 600 * (time % 2.5) ** 2))
    return (0.1 * chord + 0.2 * chirp).astype(np.float32)


def describe(name):
    stream = stream_of(load_network(trained(name)))
    vectors, valid = zip(*stream.describe([signal(stream.config.sample_rate)]), strict=True)
    return quantise(np.concatenate(vectors)[::STRIDE]), np.concatenate(valid)[::STRIDE]


@pytest.mark.parametrize("name", NAMES)
def test_vectors_are_those_of_the_golden_file(name):
    path = GOLDEN / f"{name}.npz"
    found, valid = describe(name)
    if os.environ.get("AVM_WRITE_GOLDEN") and not path.exists():
        path.parent.mkdir(exist_ok=True)
        np.savez_compressed(path, descriptors=found)
    assert path.exists(), "new weights need a golden file: see the top of this test"
    with np.load(path) as golden:
        wanted = golden["descriptors"].astype(np.float64)
    assert valid.all()
    assert len(found) > 5
    assert found.shape == wanted.shape
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(wanted, axis=1)
    assert ((found * wanted).sum(axis=1) / lengths).min() >= 0.999


def test_the_golden_signal_has_different_moments():
    for name in NAMES:
        unit = describe(name)[0].astype(np.float64)
        unit /= np.linalg.norm(unit, axis=1, keepdims=True)
        cosines = unit @ unit.T
        assert np.max(cosines - np.eye(len(unit))) < 0.95


def test_there_are_weights_and_no_golden_file_without_them():
    assert NAMES
    assert {path.stem for path in GOLDEN.glob("*.npz")} <= set(NAMES)
