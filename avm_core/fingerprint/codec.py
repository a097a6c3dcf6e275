"""Fingerprints as bytes: safetensors, so that equal fingerprints are equal files.

Where an artefact lives is a function of content and fingerprinter alone, which makes a
re-run overwrite with the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save

from avm_core.errors import ChecksumMismatch
from avm_core.types import Fingerprint, FingerprinterId, Float32, Int8

FORMAT_VERSION = 1


def artefact_key(content_id: str, fingerprinter: FingerprinterId) -> str:
    """Key below the lake's base: `fingerprints/<fingerprinter>/<content_id>.safetensors`."""
    return f"fingerprints/{fingerprinter}/{content_id}.safetensors"


def quantise(vectors: Float32) -> Int8:
    """Rows [N, D] scaled so that the largest magnitude is 127: cosine ignores the scale, and
    the full int8 range keeps the rounding error lowest."""
    peak = np.abs(vectors).max(axis=1, keepdims=True) if len(vectors) else np.ones((0, 1))
    return np.rint(vectors * (127.0 / np.maximum(peak, 1e-12))).astype(np.int8)


def encode(fingerprint: Fingerprint) -> bytes:
    """The artefact's bytes; equal fingerprints give equal bytes."""
    arrays: dict[str, npt.NDArray[Any]] = {
        "descriptors": np.ascontiguousarray(fingerprint.descriptors),
        "starts": np.ascontiguousarray(fingerprint.starts),
        "valid": np.ascontiguousarray(fingerprint.valid),
    }
    if fingerprint.view.any():
        arrays["view"] = np.ascontiguousarray(fingerprint.view)
    header = {
        "format": FORMAT_VERSION,
        "content_id": fingerprint.content_id,
        "fingerprinter": fingerprint.fingerprinter.name,
        "config_hash": fingerprint.fingerprinter.config_hash,
        "window": fingerprint.window,
        "duration": fingerprint.duration,
    }
    if fingerprint.reason:
        header["reason"] = fingerprint.reason
    text = json.dumps({**header, "sha256": _digest(header, arrays)}, sort_keys=True)
    # One metadata entry: safetensors does not keep the order of several.
    return save(arrays, metadata={"avm": text})


def decode(data: bytes) -> Fingerprint:
    """Read an artefact. Raises `ChecksumMismatch` for damaged or foreign bytes."""
    try:
        arrays = load(data)
        size = int.from_bytes(data[:8], "little")
        header = json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["avm"])
        if header["format"] != FORMAT_VERSION:
            raise ChecksumMismatch(
                f"fingerprint format {header['format']}, this AVM reads {FORMAT_VERSION}"
            )
        if header.pop("sha256") != _digest(header, arrays):
            raise ValueError("checksum differs")
        return Fingerprint(
            content_id=header["content_id"],
            fingerprinter=FingerprinterId(header["fingerprinter"], header["config_hash"]),
            descriptors=arrays["descriptors"],
            starts=arrays["starts"],
            window=header["window"],
            valid=arrays["valid"],
            duration=header["duration"],
            reason=header.get("reason", ""),
            # Most have none, and older artefacts never do.
            view=arrays.get("view", np.zeros(len(arrays["starts"]), np.int8)),
        )
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ChecksumMismatch(
            f"fingerprint artefact is damaged ({error}): delete it and fingerprint again"
        ) from error


def _digest(header: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> str:
    """sha256 of all that an artefact says: safetensors itself keeps no checksum."""
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in (n for n in ("descriptors", "starts", "valid", "view") if n in arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()
