"""Choose where a network runs."""

from __future__ import annotations

import os

import torch

from avm_core.errors import BadSettings


def resolve_device(name: str) -> str:
    """`auto` is CUDA when there is one; a CUDA device that is not there is `BadSettings`."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise BadSettings(f"AVM_DEVICE is {name!r} but there is no CUDA device: use auto or cpu")
    return name


def visible_devices(name: str) -> dict[str, str]:
    """The devices that `name` may mean, as torch calls them, and what they are on this host.

    With CUDA_VISIBLE_DEVICES=2,3 device `cuda:0` is `cuda-2`: two processes that see different
    devices under one name must not take them for the same. UUIDs and numbers of one device are
    different names, so use one of the two on a host.
    """
    if (found := resolve_device(name)) == "cpu":
        return {"cpu": "cpu"}
    seen = [entry.strip() for entry in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")]
    count = torch.cuda.device_count()
    names = {
        f"cuda:{at}": f"cuda-{seen[at] if at < len(seen) and seen[at] else at}"
        for at in range(count)
    }
    if found == "cuda":
        return names
    if found not in names:
        raise BadSettings(f"AVM_DEVICE is {name!r} but there are {', '.join(names)}")
    return {found: names[found]}


def wait_for(device: str) -> None:
    """Return when `device` (as resolved) has done all that was asked of it: CUDA answers
    before it works, so that a stage timed without this would show in the next one."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def limit_threads(count: int) -> None:
    """Let networks that the calling thread runs use `count` cores."""
    torch.set_num_threads(count)
