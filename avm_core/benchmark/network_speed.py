"""What other forms of the audio network would save on this machine, next to the one in use."""

from __future__ import annotations

from typing import Any

import numpy as np

from avm_core.benchmark.timing import REPEATS, best_of
from avm_core.models.audio_encoder import AudioEncoder
from avm_core.models.device import limit_threads
from avm_core.models.forms import encoder_forms

_CONTEXTS = 512  # as many as a stream computes at once


def measure_network(encoder: AudioEncoder, repeats: int = 3 * REPEATS) -> dict[str, Any]:
    """{form: {"x", "vs_plain", "cosine"}} on one core: seconds of sound per second; time as a
    multiple of the form in use; and the least cosine between their context embeddings."""
    limit_threads(1)
    forms = encoder_forms(encoder, _CONTEXTS)
    seconds = _CONTEXTS * encoder.config.context_seconds
    plain = forms["plain"]()
    spent: dict[str, list[float]] = {name: [] for name in forms}
    for _ in range(repeats):  # in turn: a disturbance hits them all
        for name, form in forms.items():
            spent[name].append(best_of(form, 1))
    base = min(spent["plain"])
    return {
        name: {
            "x": seconds / min(times),
            "vs_plain": min(times) / base,
            "cosine": _least_cosine(plain, forms[name]()),
        }
        for name, times in spent.items()
    }


def _least_cosine(one: np.ndarray, other: np.ndarray) -> float:
    norms = np.linalg.norm(one, axis=0) * np.linalg.norm(other, axis=0)
    return float((np.einsum("dn,dn->n", one, other) / norms).min())
