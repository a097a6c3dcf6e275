"""A Redis server for a local cluster: Celery's broker."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

HOST = "127.0.0.1"


def command(home: Path, port: int, password: str) -> list[str]:
    """Write the server's settings and return what starts it.

    Raises `FileNotFoundError` if Redis is not installed.
    """
    program = shutil.which("redis-server")
    if program is None:
        raise FileNotFoundError("no program `redis-server`: apt-get install redis-server")
    folder = home / "redis"
    folder.mkdir(exist_ok=True)
    settings = folder / "redis.conf"
    settings.unlink(missing_ok=True)
    descriptor = os.open(settings, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        # Written through to the disk every second, so that a restart loses no queue.
        file.write(
            f"bind {HOST}\nport {port}\nrequirepass {password}\ndir {folder}\n"
            "daemonize no\nappendonly yes\n"
        )
    return [program, str(settings)]


def url(port: int, password: str) -> str:
    """Celery's address of the server."""
    return f"redis://:{password}@{HOST}:{port}/0"


def wait_ready(port: int, password: str, *, timeout: float = 30.0) -> None:
    """Return when the server answers. Raises `RuntimeError` after `timeout` seconds."""
    import redis  # comes with the extra `cluster`

    deadline = time.monotonic() + timeout
    while True:
        try:
            with redis.Redis(HOST, port, password=password) as client:
                client.ping()
            return
        except redis.RedisError as error:
            if time.monotonic() > deadline:
                raise RuntimeError(f"Redis does not answer in {timeout:g} s: {error}") from error
        time.sleep(0.1)
