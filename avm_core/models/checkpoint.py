"""Weights that AVM trained: one safetensors file that also says what it is, checked when read."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from avm_core.errors import BadSettings, ChecksumMismatch

_KEY = "avm"
_SHIPPED = Path(__file__).parent / "trained"


def trained(name: str) -> Path:
    """The file with the shipped weights of a fingerprinter."""
    return _SHIPPED / f"{name}.safetensors"


def write_weights(path: Path, tensors: dict[str, torch.Tensor], card: dict[str, Any]) -> str:
    """Write tensors with `card` (config, data, metrics; JSON) beside them; returns the sha256."""
    kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    data = save_tensors(kept, metadata={_KEY: json.dumps(card, sort_keys=True)})
    partial = path.with_name(f".partial-{path.name}")
    partial.write_bytes(data)
    partial.replace(path)
    return hashlib.sha256(data).hexdigest()


def read_weights(
    path: Path, sha256: str | None = None
) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Tensors and card. Raises `BadSettings` if there is no such file, and `ChecksumMismatch` if
    it is not the one of `sha256` or no weights of ours."""
    if not path.is_file():
        raise BadSettings(f"there are no weights at {path}: train them or reinstall AVM")
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if sha256 is not None and digest != sha256:
        raise ChecksumMismatch(
            f"{path.name} has sha256 {digest[:12]}…, expected {sha256[:12]}…: reinstall AVM"
        )
    try:
        tensors = load_tensors(data)
        size = int.from_bytes(data[:8], "little")
        card = json.loads(json.loads(data[8 : 8 + size])["__metadata__"][_KEY])
    except Exception as error:
        raise ChecksumMismatch(f"{path.name} holds no weights of AVM ({error})") from error
    return tensors, card
