"""Choose where a network runs."""

from __future__ import annotations

import torch

from avm_core.errors import BadSettings


def resolve_device(name: str) -> str:
    """`auto` is CUDA when there is one; a CUDA device that is not there is `BadSettings`."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise BadSettings(f"AVM_DEVICE is {name!r} but there is no CUDA device: use auto or cpu")
    return name


def wait_for(device: str) -> None:
    """Return when `device` (as resolved) has done all that was asked of it: CUDA answers
    before it works, so that a stage timed without this would show in the next one."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def limit_threads(count: int) -> None:
    """Let networks that the calling thread runs use `count` cores."""
    torch.set_num_threads(count)
