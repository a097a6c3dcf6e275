"""Tests of starting and stopping a real SeaweedFS."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from avm_core.config import S3Config
from avm_core.errors import StoreUnavailable
from avm_core.storage import ensure_bucket, open_store
from local.seaweed import Ports, PortTaken, Seaweed

pytestmark = pytest.mark.s3


def start(folder: Path, ports: Ports | None = None) -> Seaweed:
    return Seaweed.start(folder, access_key="avm", secret_key="not-a-secret", ports=ports)


def config(server: Seaweed) -> S3Config:
    return S3Config(
        endpoint_url=server.endpoint_url,
        access_key=server.access_key,
        secret_key=server.secret_key,
    )


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_objects_survive_a_stop_and_a_kill_on_other_ports(tmp_path: Path) -> None:
    expected = {"a/1": b"1" * 9_000_000, "a/2": b"2"}
    with start(tmp_path) as server:
        ensure_bucket("s3://kept", config(server))
        for key, value in expected.items():
            open_store("s3://kept", config(server)).put(key, value)
    assert not is_running(server.pid)
    for number in range(2):
        server = start(tmp_path)
        store = open_store("s3://kept", config(server))
        assert {info.key: store.get(info.key) for info in store.list()} == expected
        expected[f"b/{number}"] = b"new"
        store.put(f"b/{number}", b"new")
        server.kill()
        assert not is_running(server.pid)


def test_stop_ends_its_own_server_only(tmp_path: Path) -> None:
    first, second = start(tmp_path / "first"), start(tmp_path / "second")
    assert os.getsid(first.pid) == first.pid != os.getsid(0)
    ensure_bucket("s3://alive", config(second))
    first.stop()
    first.stop()
    assert not is_running(first.pid)
    open_store("s3://alive", config(second)).put("a", b"1")
    with pytest.raises(StoreUnavailable):
        open_store("s3://alive", config(first)).get("a")
    second.stop()
    assert not is_running(second.pid)


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} of 127.0.0.1 is taken"):
            start(tmp_path, Ports.free(s3=port))
    assert not (tmp_path / "data").exists()


def test_a_port_taken_in_the_last_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("s3", "filer"):
        ports = Ports.free()
        with socket.create_server(("127.0.0.1", getattr(ports, name))), monkeypatch.context() as m:
            m.setattr("local.seaweed._is_free", lambda port: True)
            with pytest.raises(PortTaken, match=str(getattr(ports, name))):
                start(tmp_path, ports)


def test_a_server_that_ends_shows_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripts = {"disk is full": "echo disk is full; exit 3", "broken": "echo broken >&2; exit 1"}
    for number, (message, script) in enumerate(scripts.items()):
        program = tmp_path / f"weed{number}"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setattr("local.seaweed.weed_program", lambda program=program: program)
        with pytest.raises(RuntimeError, match=message):
            start(tmp_path / "store")


def test_free_ports_differ_and_are_free() -> None:
    for ports in (Ports.free(), Ports.free(s3=Ports.free().s3)):
        assert len(set(ports.all())) == len(ports.all())
        for port in ports.all():
            socket.create_server(("127.0.0.1", port)).close()


def test_secrets_are_private(tmp_path: Path) -> None:
    for _ in range(2):
        with start(tmp_path):
            assert stat.S_IMODE((tmp_path / "s3.json").stat().st_mode) == 0o600
