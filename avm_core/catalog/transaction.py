"""A transaction that is undone unless its body commits it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import duckdb


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[Callable[[], None]]:
    """BEGIN; the body calls the yielded function to COMMIT, otherwise everything is rolled back."""
    connection.execute("BEGIN TRANSACTION")
    committed = False

    def commit() -> None:
        nonlocal committed
        connection.execute("COMMIT")
        committed = True

    try:
        yield commit
    finally:
        if not committed:
            # A commit that failed has ended the transaction already.
            with suppress(duckdb.Error):
                connection.execute("ROLLBACK")
