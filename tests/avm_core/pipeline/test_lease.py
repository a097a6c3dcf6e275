"""Devices of a host: one task each, and a killed task gives its device back."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest

from avm_core.config import PipelineConfig, Settings
from avm_core.errors import DeviceBusy
from avm_core.models import device as devices
from avm_core.pipeline import lease
from avm_core.pipeline.lease import leased
from avm_core.pipeline.platform import Platform

SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture(autouse=True)
def own_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks of this test alone, in its processes too."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(lease.tempfile, "tempdir", str(tmp_path))


def platform(*, device: str = "cpu", slots: int = 1, wait: float = 0.0) -> Platform:
    config = PipelineConfig(device_slots=slots, device_wait_seconds=wait)
    return Platform(Settings(device=device, pipeline=config))


def hold(slots: int, ready: Any, release: Event) -> None:
    """A task: takes a device, says so, works until it is told to stop."""
    with leased(platform(slots=slots, wait=120.0)) as placed:
        ready.put((os.getpid(), placed.settings.device))
        release.wait()


def start(slots: int) -> tuple[Any, Any, Event]:
    ready, release = SPAWN.Queue(), SPAWN.Event()
    task = SPAWN.Process(target=hold, args=(slots, ready, release), daemon=True)
    task.start()
    return task, ready, release


def test_processes_share_the_slots_and_a_killed_one_frees_its_own() -> None:
    tasks = [start(2) for _ in range(2)]
    pids = [ready.get(timeout=120)[0] for _, ready, _ in tasks]
    with pytest.raises(DeviceBusy, match="DEVICE_SLOTS"), leased(platform(slots=2)):
        pass
    third, third_ready, third_release = start(2)
    time.sleep(0.5)
    assert third_ready.empty()

    os.kill(pids[0], signal.SIGKILL)
    assert third_ready.get(timeout=120) == (third.pid, "cpu")
    with pytest.raises(DeviceBusy), leased(platform(slots=2)):
        pass
    third_release.set()
    third.join(120)
    with leased(platform(slots=2)) as placed:
        assert placed.settings.device == "cpu"
    tasks[1][2].set()
    for task, _, _ in tasks:
        task.join(120)


def test_a_device_is_given_back_after_a_failure() -> None:
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), leased(platform()):
            raise ZeroDivisionError
    with leased(platform()), pytest.raises(DeviceBusy), leased(platform()):
        pass


@pytest.fixture
def four_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    """What torch says on a host with four, of which the environment shows `count`."""
    monkeypatch.setattr(devices.torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(
        devices.torch.cuda,
        "device_count",
        lambda: len(os.environ.get("CUDA_VISIBLE_DEVICES", "0,1,2,3").split(",")),
    )


@pytest.mark.usefixtures("four_devices")
def test_tasks_spread_over_the_visible_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    one, two, three = (platform(device="auto", slots=2) for _ in range(3))
    with leased(one) as first, leased(two) as second, leased(three) as third:
        given = [p.settings.device for p in (first, second, third)]
    assert given == ["cuda:0", "cuda:1", "cuda:0"]


@pytest.mark.usefixtures("four_devices")
def test_one_name_for_two_devices_is_two_locks_and_two_for_one_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    with leased(platform(device="auto")) as one:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
        with leased(platform(device="cuda")) as other:
            assert one.settings.device == other.settings.device == "cuda:0"
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,1")
        with pytest.raises(DeviceBusy), leased(platform(device="cuda:1")):
            pass
