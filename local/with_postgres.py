"""`python -m local.with_postgres COMMAND …`: run a command beside a Postgres server of its own.

`{dsn}` in the command is the DSN of an empty catalog database, AVM_TEST_POSTGRES names the server
for tests. The server and what it holds are gone when the command has ended. Exits as it does.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local import postgres
from local.home import free_ports
from local.processes import Service, launch, stop

_DATABASE = "bench"


@contextmanager
def server() -> Iterator[str]:
    """libpq's words for an empty database, while its server runs."""
    with tempfile.TemporaryDirectory(prefix="avm-postgres-home-") as name:
        home, password = Path(name), secrets.token_hex(16)
        [port] = free_ports({"postgres": 0}).values()
        data = postgres.initialise(home, password)
        started = launch(
            postgres.command(data, port),
            env=os.environ,
            cwd=data.parent,
            log=home / "postgres.log",
            user=postgres.server_user(),
        )
        service = Service.of(started.pid)
        try:
            postgres.wait_ready(port, password)
            postgres.create_database(port, password, _DATABASE)
            yield postgres.dsn(port, password, _DATABASE)
        finally:
            stop([service])
            postgres.remove(home)


def main() -> int:
    """The command line."""
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    # Ended from outside, the server would live on.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with server() as words:
        command = [part.replace("{dsn}", f"postgres:{words}") for part in sys.argv[1:]]
        env = {**os.environ, "AVM_TEST_POSTGRES": words.removesuffix(f" dbname={_DATABASE}")}
        return subprocess.run(command, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
