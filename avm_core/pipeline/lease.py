"""Devices of a host, handed out to tasks: a lock on a file for each, freed with its process.

Airflow's pool says how many tasks may fingerprint at once, not on which device, and a task that
is killed cannot give anything back: the kernel does, as it holds the lock.
"""

from __future__ import annotations

import fcntl
import logging
import os
import random
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from avm_core.errors import DeviceBusy
from avm_core.models.device import visible_devices
from avm_core.pipeline.platform import Platform

_LOOK_AGAIN = 0.5  # seconds
_log = logging.getLogger(__name__)


@contextmanager
def leased(platform: Platform) -> Iterator[Platform]:
    """The same platform with `device` set to one that no other task of this host has.

    Waits up to `pipeline.device_wait_seconds`; raises `DeviceBusy`. `auto` is any CUDA device
    that CUDA_VISIBLE_DEVICES shows, the CPU where there is none.
    """
    config = platform.settings.pipeline
    devices = visible_devices(platform.settings.device)
    deadline = time.monotonic() + config.device_wait_seconds
    held = _take(devices, config.device_slots)
    if held is None:
        _log.info("waiting for one of %s: all are at work", ", ".join(devices))
    while held is None:
        if time.monotonic() >= deadline:
            raise DeviceBusy(
                f"{', '.join(devices)}: {config.device_slots} task(s) each, and none became free "
                f"in {config.device_wait_seconds:.0f} s; give the pool gpu as many slots as this "
                "host has devices, or raise AVM_PIPELINE__DEVICE_SLOTS"
            )
        time.sleep(_LOOK_AGAIN * random.uniform(0.5, 1.0))
        held = _take(devices, config.device_slots)
    device, lock = held
    try:
        _log.info("works on %s", device)
        yield Platform(platform.settings.model_copy(update={"device": device}))
    finally:
        lock.close()


def _take(devices: dict[str, str], slots: int) -> tuple[str, IO[bytes]] | None:
    """A device and its open lock, the idle devices first; None if all are taken."""
    folder = _folder()
    for slot in range(slots):
        for device, name in devices.items():
            lock = _open(folder / f"{re.sub(r'[^A-Za-z0-9-]', '_', name)}.{slot}.lock")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return device, lock
            except BlockingIOError:
                lock.close()
    return None


def _folder() -> Path:
    folder = Path(tempfile.gettempdir()) / "avm-devices"
    folder.mkdir(exist_ok=True)
    with suppress(PermissionError):  # another user's
        folder.chmod(0o1777)
    return folder


def _open(path: Path) -> IO[bytes]:
    """Opened for reading: then another user's file can be locked too, in a sticky folder."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    return os.fdopen(descriptor, "rb")
