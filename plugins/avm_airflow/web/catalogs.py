"""Read-only catalogs for requests, each for a limited time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from avm_airflow.hooks import AvmHook
from avm_core.errors import StoreUnavailable

if TYPE_CHECKING:
    from avm_core.catalog import Catalog
    from avm_core.pipeline.platform import Platform

_SECONDS = 20.0


@cache
def platform() -> Platform:
    """The platform of this API server. Raises `BadSettings`."""
    return AvmHook().get_platform()


class CatalogPool:
    """Lends open catalogs. A query that runs longer than `seconds` is stopped, so that no filter
    can hold a thread of the API server for ever."""

    def __init__(self, seconds: float = _SECONDS) -> None:
        self._seconds = seconds

    @contextmanager
    def lend(self, seconds: float | None = None) -> Iterator[Catalog]:
        """One catalog for one thread. Raises `StoreUnavailable` when the time is over."""
        over = threading.Event()
        with platform().catalog() as catalog:

            def stop() -> None:
                over.set()
                catalog.interrupt()

            timer = threading.Timer(seconds or self._seconds, stop)
            timer.daemon = True
            timer.start()
            try:
                yield catalog
            except BaseException as error:
                if over.is_set():
                    raise StoreUnavailable("the query took too long: narrow the filters") from error
                raise
            finally:
                # Only then may the catalog be another's: a late stop would hit the wrong query.
                timer.cancel()
                timer.join()

    def query(self, name: str, **params: Any) -> list[dict[str, Any]]:
        """Rows of one statement below `page/` or elsewhere."""
        with self.lend() as catalog:
            return catalog.query(name, **params)


POOL = CatalogPool()
