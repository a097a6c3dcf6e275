"""Read-only connections between two uses.

A new connection reads the schema of the whole lake before its first statement, which takes
longer than most statements. Each use sees what was committed before it, as on a new one.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

import duckdb

from avm_core.config import CatalogConfig, S3Config

_MOST = 4  # threads of one process that read at once; those beyond open their own
Key = tuple[str, str, str, int, int]
_idle: list[tuple[Key, duckdb.DuckDBPyConnection]] = []
_lock = threading.Lock()
# Those of the parent of this process: to close them here would end threads that are not here.
_foreign: list[object] = []


def key_of(config: CatalogConfig, s3: S3Config | None) -> Key | None:
    """What a connection may be used for again; None if its catalog is not there."""
    place = (config.dsn, config.data_path, repr(s3))
    if not config.dsn.startswith("sqlite:"):
        return (*place, 0, 0)
    try:
        found = Path(config.dsn.removeprefix("sqlite:")).stat()
    except OSError:
        return None
    # Another file of the same name is another catalog.
    return (*place, found.st_dev, found.st_ino)


def take(key: Key | None) -> duckdb.DuckDBPyConnection | None:
    """A connection that nobody uses, which is now the caller's alone."""
    with _lock:
        for place in reversed(range(len(_idle))):
            if _idle[place][0] == key:
                return _idle.pop(place)[1]
    return None


def give(key: Key, connection: duckdb.DuckDBPyConnection) -> None:
    """Keep the connection for the next `take`; the oldest is closed if there are enough."""
    with _lock:
        _idle.append((key, connection))
        surplus = _idle[:-_MOST]
        del _idle[:-_MOST]
    for _, spare in surplus:
        spare.close()


def _forget() -> None:
    global _idle, _lock
    _foreign.append(_idle)
    _idle, _lock = [], threading.Lock()


os.register_at_fork(after_in_child=_forget)
