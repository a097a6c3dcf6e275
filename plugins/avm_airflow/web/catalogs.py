"""Read-only catalogs of this process: opened once, lent to one request at a time."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from avm_airflow.hooks import AvmHook
from avm_core.errors import StoreUnavailable

if TYPE_CHECKING:
    from avm_core.catalog import Catalog
    from avm_core.pipeline.platform import Platform

_KEPT = 4
_SECONDS = 20.0
_AGE = 600.0


@cache
def platform() -> Platform:
    """The platform of this API server. Raises `BadSettings`."""
    return AvmHook().get_platform()


class CatalogPool:
    """Lends open catalogs. A query that runs longer than `seconds` is stopped, so that no filter
    can hold a thread of the API server for ever."""

    def __init__(self, seconds: float = _SECONDS) -> None:
        self._idle: queue.LifoQueue[tuple[float, Catalog]] = queue.LifoQueue(_KEPT)
        self._seconds = seconds

    @contextmanager
    def lend(self, seconds: float | None = None) -> Iterator[Catalog]:
        """One catalog for one thread. Raises `StoreUnavailable` when the time is over."""
        opened, catalog = self._take()
        over = threading.Event()

        def stop() -> None:
            over.set()
            catalog.interrupt()

        timer = threading.Timer(seconds or self._seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            yield catalog
        except BaseException as error:
            catalog.close()
            if over.is_set():
                raise StoreUnavailable("the query took too long: narrow the filters") from error
            raise
        else:
            self._give_back(opened, catalog)
        finally:
            timer.cancel()

    def query(self, name: str, **params: Any) -> list[dict[str, Any]]:
        """Rows of one statement below `page/` or elsewhere."""
        with self.lend() as catalog:
            return catalog.query(name, **params)

    def _take(self) -> tuple[float, Catalog]:
        while True:
            try:
                opened, catalog = self._idle.get_nowait()
            except queue.Empty:
                return time.monotonic(), platform().catalog()
            if time.monotonic() - opened < _AGE:
                return opened, catalog
            catalog.close()

    def _give_back(self, opened: float, catalog: Catalog) -> None:
        try:
            self._idle.put_nowait((opened, catalog))
        except queue.Full:
            catalog.close()


POOL = CatalogPool()
