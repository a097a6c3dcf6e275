"""Small media that no one else has."""

from __future__ import annotations

import io
import wave

import numpy as np

_RATE = 8_000


def wav(seed: int, seconds: int = 6) -> bytes:
    """White noise as a WAV file: 8 bits, one channel, 8 kHz; another for each seed."""
    samples = np.random.default_rng(seed).integers(0, 256, seconds * _RATE, dtype=np.uint8)
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(_RATE)
        file.writeframes(samples.tobytes())
    return data.getvalue()
