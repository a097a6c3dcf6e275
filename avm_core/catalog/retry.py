"""Trying a transaction again when another writer was first."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

import duckdb

from avm_core.errors import CatalogConflict

T = TypeVar("T")

# DuckDB has one class for a lost race and for other I/O trouble, so its text has to decide.
_BUSY = (
    "database is locked",
    "conflict",
    "could not serialize",
    "deadlock",
    "duplicate key",
    "unique constraint",
    "database schema has changed",
)


def is_conflict(error: duckdb.Error) -> bool:
    """Whether another writer caused the failure, so that the same call may succeed later."""
    text = str(error).lower()
    return isinstance(error, duckdb.TransactionException) or any(word in text for word in _BUSY)


def retry(attempt: Callable[[], T], *, max_retries: int, what: str) -> T:
    """The result of `attempt`, called again after a conflict at most `max_retries` times.

    Waits up to 2 s between attempts, with jitter. Raises `CatalogConflict` when all are used
    up; any other error passes through.
    """
    for round_ in range(max_retries + 1):
        try:
            return attempt()
        except duckdb.Error as error:
            if not is_conflict(error):
                raise
            if round_ == max_retries:
                raise CatalogConflict(
                    f"{what}: other writers were faster {max_retries + 1} times; run it again, "
                    f"or raise catalog.max_retries ({error})"
                ) from error
        time.sleep(random.uniform(0.2, 1.0) * min(2.0, 0.05 * 2**round_))
    raise AssertionError("unreachable")
