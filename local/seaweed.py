"""Start and stop a SeaweedFS on this machine: the object store of local stacks and of tests."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path

_HOST = "127.0.0.1"
_START_ATTEMPTS = 3
# SeaweedFS's worker finds its admin's gRPC port by this offset, whatever the flags say.
_GRPC_OFFSET = 10_000
# Below the range from which Linux picks the ports of outgoing connections.
_FREE_RANGE = range(12_000, 22_000)


class PortTaken(RuntimeError):
    """Another process listens on a port that SeaweedFS needs."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the parts of one SeaweedFS listen; all of them on 127.0.0.1."""

    s3: int
    s3_grpc: int
    master: int
    master_grpc: int
    volume: int
    volume_grpc: int
    filer: int
    filer_grpc: int
    admin: int

    @classmethod
    def free(cls, *, s3: int | None = None) -> Ports:
        """Ports that nobody uses now; `s3` fixes the one that clients see."""
        names = [field.name for field in fields(cls) if field.name != "s3" or s3 is None]
        chosen: dict[str, int] = {} if s3 is None else {"s3": s3}
        numbers = random.sample(_FREE_RANGE, len(_FREE_RANGE))
        for number in numbers:
            if not names:
                return cls(**chosen)
            needed = (number, number + _GRPC_OFFSET)
            if number not in chosen.values() and all(_is_free(port) for port in needed):
                chosen[names.pop()] = number
        raise PortTaken(f"no free ports between {_FREE_RANGE.start} and {_FREE_RANGE.stop}")

    def all(self) -> tuple[int, ...]:
        """Every port that must be free."""
        return (*astuple(self), self.admin + _GRPC_OFFSET)


@dataclass(slots=True)
class Seaweed:
    """A running SeaweedFS that leads its own session.

    `directory` keeps its data, settings and log (`seaweed.log`) and may be started again, on
    other ports too; `log_start` is where this start's part of the log begins, in bytes.
    """

    directory: Path
    ports: Ports
    access_key: str
    secret_key: str
    process: subprocess.Popen[bytes]
    log_start: int = 0

    @classmethod
    def start(
        cls,
        directory: str | Path,
        *,
        access_key: str,
        secret_key: str,
        ports: Ports | None = None,
        timeout: float = 60.0,
    ) -> Seaweed:
        """Start a server over `directory` and wait until it answers.

        `timeout` in seconds. Raises `PortTaken`, `FileNotFoundError` without the `weed` program,
        `RuntimeError` with the end of the log if the server ends or does not answer.
        """
        for attempt in range(_START_ATTEMPTS):
            try:
                chosen = ports or Ports.free()
                server = cls._launch(Path(directory).resolve(), access_key, secret_key, chosen)
                server.wait_ready(timeout=timeout)
                return server
            except PortTaken:
                # Two starts at one moment may have found the same free port.
                if ports is not None or attempt == _START_ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    @classmethod
    def _launch(cls, directory: Path, access_key: str, secret_key: str, ports: Ports) -> Seaweed:
        taken = [port for port in ports.all() if not _is_free(port)]
        if taken:
            raise PortTaken(
                f"SeaweedFS cannot start: port {', '.join(map(str, taken))} of {_HOST} is taken; "
                "stop what listens there or pass other ports"
            )
        data = directory / "data"
        data.mkdir(parents=True, exist_ok=True)
        # Weed keeps the flags of the last start in it and would mix them with the new ones.
        (data / "mini.options").unlink(missing_ok=True)
        config = directory / "s3.json"
        _write_config(config, access_key, secret_key)
        with (directory / "seaweed.log").open("ab") as log:
            log_start = log.tell()
            process = subprocess.Popen(
                [str(weed_program()), *_arguments(data, config, ports)],
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return cls(directory, ports, access_key, secret_key, process, log_start)

    @property
    def endpoint_url(self) -> str:
        return f"http://{_HOST}:{self.ports.s3}"

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def log(self) -> Path:
        return self.directory / "seaweed.log"

    def wait_ready(self, *, timeout: float = 60.0) -> None:
        """Return once the S3 port answers; `timeout` in seconds. Stops the server otherwise."""
        deadline = time.monotonic() + timeout
        while not self._answers():
            if self.process.poll() is not None:
                self._clean_up()
                said = self._log_end()
                kind = PortTaken if "Port allocation failed" in said else RuntimeError
                raise kind(f"SeaweedFS has ended, {self.log} says:\n{said}")
            if time.monotonic() > deadline:
                self.stop(patience=0)
                raise RuntimeError(
                    f"SeaweedFS does not answer in {timeout:g} s, {self.log} says:\n"
                    f"{self._log_end()}"
                )
            time.sleep(0.05)

    def stop(self, *, patience: float = 15.0) -> None:
        """End exactly this server: SIGTERM, after `patience` seconds SIGKILL. Idempotent."""
        if self.process.poll() is None:
            self._signal(signal.SIGTERM if patience > 0 else signal.SIGKILL)
            try:
                self.process.wait(max(patience, 5.0))
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
                self.process.wait()
        self._clean_up()

    def kill(self) -> None:
        """SIGKILL, as a crash would: acknowledged objects survive it."""
        self.stop(patience=0)

    def __enter__(self) -> Seaweed:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _signal(self, number: signal.Signals) -> None:
        # It leads its own process group and is not reaped yet, so the id cannot be another's.
        os.killpg(self.process.pid, number)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.endpoint_url}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _log_end(self) -> str:
        said = self.log.read_bytes()[self.log_start :].decode(errors="replace")
        return "\n".join(said.splitlines()[-15:])

    def _clean_up(self) -> None:
        # Weed leaves some of its sockets behind; a killed one leaves all.
        for port in self.ports.all():
            for path in Path(tempfile.gettempdir()).glob(f"seaweedfs-*-{port}.sock"):
                path.unlink(missing_ok=True)


def weed_program() -> Path:
    """The `weed` beside this interpreter, else the one on PATH. Raises `FileNotFoundError`."""
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.is_file() else shutil.which("weed")
    if found is None:
        raise FileNotFoundError("no `weed` program: install AVM with the extra `airflow`")
    return Path(found)


def _arguments(data: Path, config: Path, ports: Ports) -> Iterator[str]:
    yield from ("-logtostderr=true", "mini", f"-dir={data}", f"-s3.config={config}")
    # Without both it binds every address and announces the host's own.
    yield from (f"-ip={_HOST}", f"-ip.bind={_HOST}")
    for part in ("s3", "master", "volume", "filer"):
        yield f"-{part}.port={getattr(ports, part)}"
        yield f"-{part}.port.grpc={getattr(ports, f'{part}_grpc')}"
    yield from (f"-admin.port={ports.admin}", f"-admin.port.grpc={ports.admin + _GRPC_OFFSET}")
    yield from ("-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0")
    # Each bucket takes volumes of its own; the default, free disk / volume size, runs out.
    yield "-volume.max=10000"
    # A bucket that is not there must be an error, as on S3.
    yield from ("-s3.autoCreateBucket=false", "-master.telemetry=false")


def _write_config(path: Path, access_key: str, secret_key: str) -> None:
    identity = {
        "name": "avm",
        "credentials": [{"accessKey": access_key, "secretKey": secret_key}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"identities": [identity]}, file)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port in TIME_WAIT counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
        return True
