"""Read-only connections between two uses.

A new connection reads the schema of the whole lake before its first statement, which takes
longer than most statements. Each use sees what was committed before it, as on a new one.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from pathlib import Path

import duckdb

from avm_core.config import CatalogConfig, S3Config

_MOST = 2  # catalogs; a process works on one
Key = tuple[str, str, str, int, int]
_idle: OrderedDict[Key, duckdb.DuckDBPyConnection] = OrderedDict()
_lock = threading.Lock()
# Those of the parent of this process: to close them here would end threads that are not here.
_foreign: list[object] = []


def key_of(config: CatalogConfig, s3: S3Config | None) -> Key | None:
    """What a connection may be used for again; None if its catalog is not there."""
    file = Path(config.dsn.removeprefix("sqlite:"))
    place = (config.dsn, config.data_path, repr(s3))
    if not config.dsn.startswith("sqlite:"):
        return (*place, 0, 0)
    try:
        found = file.stat()
    except OSError:
        return None
    # Another file of the same name is another catalog.
    return (*place, found.st_dev, found.st_ino)


def take(key: Key | None) -> duckdb.DuckDBPyConnection | None:
    """A connection that nobody uses, which is now the caller's alone."""
    with _lock:
        return _idle.pop(key, None) if key else None


def give(key: Key | None, connection: duckdb.DuckDBPyConnection) -> None:
    """Keep the connection for the next `take`, or close it if there are enough."""
    if key is None:
        connection.close()
        return
    with _lock:
        surplus = [_idle.pop(key)] if key in _idle else []
        _idle[key] = connection
        while len(_idle) > _MOST:
            surplus.append(_idle.popitem(last=False)[1])
    for spare in surplus:
        spare.close()


def _forget() -> None:
    global _idle, _lock
    _foreign.append(_idle)
    _idle, _lock = OrderedDict(), threading.Lock()


os.register_at_fork(after_in_child=_forget)
