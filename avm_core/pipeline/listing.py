"""A listing beside the inventory: both in the order of their keys, a stretch at a time.

Neither is held as a whole, and the store is asked nothing about what the inventory knows.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from avm_core.catalog import Catalog
from avm_core.errors import StoreUnavailable
from avm_core.pipeline.metadata import kind_of
from avm_core.pipeline.staging import Rows
from avm_core.storage import object_uri
from avm_core.types import ObjectInfo, ObjectStore, Role

# Listed objects per question to the catalog: some dozens of pages, some tens of megabytes.
STRETCH = 50_000

# Sorts after every key: no character is greater.
_END = "\U0010ffff"
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Stretch:
    """Neighbouring keys: objects as listed by URI, and the rows that the catalog has of them."""

    media: dict[str, ObjectInfo] = field(default_factory=dict)
    files: dict[str, ObjectInfo] = field(default_factory=dict)
    known_media: Rows = field(default_factory=list)
    known_files: Rows = field(default_factory=list)


def stretches(store: ObjectStore, catalog: Catalog, role: Role) -> Iterator[Stretch]:
    """Every object and every known row below the store, stretch by stretch.

    The last one comes only when the listing has ended by itself: what fails half-way raises.
    Raises `StoreUnavailable` for a listing that is out of order.
    """
    base = f"{store.uri}/"
    after, last = base, ""
    listing = store.list()
    while objects := list(itertools.islice(listing, STRETCH)):
        for info in objects:
            if info.key <= last:
                raise StoreUnavailable(
                    f"{store.uri} lists {info.key!r} after {last!r}: a listing must be in the "
                    "order of keys; use another endpoint of the store"
                )
            last = info.key
        until = base + last
        yield _stretch(store, catalog, role, objects, after, until)
        after = until
    yield _stretch(store, catalog, role, (), after, base + _END)


def _stretch(
    store: ObjectStore,
    catalog: Catalog,
    role: Role,
    objects: Iterable[ObjectInfo],
    after: str,
    until: str,
) -> Stretch:
    limits: dict[str, Any] = {
        "role": role,
        "base": f"{store.uri}/",
        "after": after,
        "until": until,
    }
    found = Stretch(
        known_media=catalog.query("media/known", **limits),
        known_files=catalog.query("metadata_file/known", **limits),
    )
    for info in objects:
        if info.key.endswith("/"):
            continue  # how some tools show a folder
        if not _is_text(info.key):
            _log.warning("a name in %s is not UTF-8 and is left out: %a", store.uri, info.key)
            continue
        into = found.media if kind_of(info.key) is None else found.files
        into[object_uri(store, info.key)] = info
    return found


def _is_text(key: str) -> bool:
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True
