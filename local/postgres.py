"""A Postgres server for a local cluster, run by the programs of the distribution's package.

Its driver comes with the extra `cluster`, so it is imported where it is used.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from local.processes import identity

HOST = "127.0.0.1"
USER = "avm"
# Postgres refuses to run as root; this user comes with the package.
_SERVER_USER = "postgres"


def server_user() -> str | None:
    """Whom the server runs as; None is the one who asks. Raises `RuntimeError` where root asks
    and the package did not make its user."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(_SERVER_USER)
    except KeyError:
        raise RuntimeError(
            "Postgres does not run as root, and there is no user `postgres`: "
            "apt-get install postgresql"
        ) from None
    return _SERVER_USER


def initialise(home: Path, password: str) -> Path:
    """Make an empty server in or, for root, beside `home`; return its data folder.

    Raises `FileNotFoundError` if Postgres is not installed.
    """
    folder = _folder(home)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    secret = folder / "password"
    secret.touch(mode=0o600)
    secret.write_text(password)
    user = server_user()
    if user is not None:
        for path in (folder, secret):
            shutil.chown(path, user, user)
    command = [
        *(_program("initdb"), f"--pgdata={folder / 'data'}", f"--username={USER}"),
        *(f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=folder, **identity(user)
    )
    secret.unlink()
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr}")
    return folder / "data"


def remove(home: Path) -> None:
    """Delete the data of the server of `home`, which must not run."""
    shutil.rmtree(_folder(home), ignore_errors=True)


def command(data: Path, port: int) -> list[str]:
    """What starts the server, which listens on this machine only."""
    options = {
        "listen_addresses": HOST,
        "port": port,
        "unix_socket_directories": "",
        # Each service of Airflow keeps a pool, each task opens the catalog.
        "max_connections": 200,
    }
    pairs = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    return [_program("postgres"), "-D", str(data), *pairs]


def dsn(port: int, password: str, database: str) -> str:
    """libpq's words for one database."""
    return f"host={HOST} port={port} user={USER} password={password} dbname={database}"


def url(port: int, password: str, database: str) -> str:
    """SQLAlchemy's address of one database."""
    return f"postgresql+psycopg2://{USER}:{password}@{HOST}:{port}/{database}"


def wait_ready(port: int, password: str, *, timeout: float = 60.0) -> None:
    """Return when the server answers. Raises `RuntimeError` after `timeout` seconds."""
    import psycopg

    deadline = time.monotonic() + timeout
    while True:
        try:
            psycopg.connect(dsn(port, password, "postgres"), connect_timeout=5).close()
            return
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise RuntimeError(f"Postgres does not answer in {timeout:g} s: {error}") from error
        time.sleep(0.2)


def create_database(port: int, password: str, database: str) -> None:
    """Make an empty database; one of that name is dropped first."""
    import psycopg
    from psycopg import sql

    with psycopg.connect(dsn(port, password, "postgres"), autocommit=True) as connection:
        name = sql.Identifier(database)
        for text in ("DROP DATABASE IF EXISTS {} WITH (FORCE)", "CREATE DATABASE {}"):
            connection.execute(sql.SQL(text).format(name))


def _folder(home: Path) -> Path:
    if os.geteuid() != 0:
        return home / "postgres"
    # The server's user cannot enter a home of root's.
    name = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"avm-postgres-{name}"


def _program(name: str) -> str:
    found = shutil.which(name)
    if found:
        return found
    beside = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if not beside:
        raise FileNotFoundError(f"no program `{name}`: apt-get install postgresql")
    return str(beside[-1])
