"""`CURRENT`, the one mutable object of an index, and how it is moved without losing a writer."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator

from avm_core.errors import (
    BadSettings,
    ChecksumMismatch,
    IndexMismatch,
    ObjectMissing,
    PreconditionFailed,
)
from avm_core.index.manifest import IndexManifest
from avm_core.types import ObjectStore

MAX_ATTEMPTS = 50
MAX_PAUSE = 1.0

Change = Callable[[IndexManifest | None], IndexManifest | None]


def index_prefix(index_name: str) -> str:
    """Key prefix of an index, with its trailing slash. Raises `BadSettings` for a bad name."""
    parts = index_name.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise BadSettings(f"index name {index_name!r}: use words separated by single slashes")
    return f"index/{index_name}/"


def manifest_key(manifest: IndexManifest) -> str:
    """Where a manifest is stored."""
    prefix = index_prefix(manifest.index_name)
    return f"{prefix}snapshots/{manifest.version}-{manifest.snapshot_id}.json"


def current(store: ObjectStore, index_name: str) -> IndexManifest | None:
    """The snapshot that `CURRENT` points to; None if nothing was published yet.

    Raises `ChecksumMismatch` or `IndexMismatch` if it cannot be read.
    """
    key = f"{index_prefix(index_name)}CURRENT"
    try:
        data = store.get(key)
    except ObjectMissing:
        return None
    try:
        target = str(json.loads(data)["manifest"])
    except (ValueError, KeyError, TypeError) as error:
        raise ChecksumMismatch(
            f"{key} cannot be read ({error}): write the key of a snapshot into it"
        ) from error
    return IndexManifest.from_bytes(store.get(target), key=target)


def older_snapshots(store: ObjectStore, manifest: IndexManifest) -> Iterator[IndexManifest]:
    """The snapshots that led to `manifest`, newest first, back to the first that is gone
    or damaged.

    The chain of parents, so that what a publisher wrote that lost its race is not among them.
    """
    prefix = f"{index_prefix(manifest.index_name)}snapshots/"
    keys = {
        info.key.rsplit("-", 1)[-1].removesuffix(".json"): info.key for info in store.list(prefix)
    }
    parent = manifest.parent_id
    while parent in keys:
        key = keys.pop(parent)
        try:
            older = IndexManifest.from_bytes(store.get(key), key=key)
        except (ChecksumMismatch, IndexMismatch, ObjectMissing):
            return
        yield older
        parent = older.parent_id


def commit(store: ObjectStore, index_name: str, change: Change) -> IndexManifest | None:
    """Move `CURRENT` to `change(current snapshot)`; repeat the change if somebody was faster.

    `change` returns its argument to leave everything as it is. Raises `PreconditionFailed`
    once all attempts lost the race.
    """
    pointer = f"{index_prefix(index_name)}CURRENT"
    for attempt in range(MAX_ATTEMPTS):
        # The tag is read before the content: if the two differ, the conditional write fails.
        etag = _etag(store, pointer)
        base = current(store, index_name)
        new = change(base)
        if new is base or new is None:
            return base
        key = manifest_key(new)
        store.put(key, new.to_bytes())
        target = {"manifest": key, "snapshot_id": new.snapshot_id, "version": new.version}
        data = json.dumps(target).encode()
        try:
            store.put(pointer, data, if_match=etag, if_absent=etag is None)
        except PreconditionFailed:
            time.sleep(random.uniform(0, min(MAX_PAUSE, 0.01 * 2**attempt)))
            continue
        return new
    raise PreconditionFailed(
        f"index {index_name}: another writer was faster {MAX_ATTEMPTS} times; run fewer "
        f"publishers at once, or try again"
    )


def _etag(store: ObjectStore, key: str) -> str | None:
    try:
        return store.head(key).etag
    except ObjectMissing:
        return None
