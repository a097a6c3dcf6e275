"""An object store in this process's memory, for tests and dry runs."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from avm_core.errors import BadSettings, ObjectMissing
from avm_core.storage.common import (
    checked_conditions,
    checked_key,
    checked_metadata,
    checked_range,
    lost_race,
    replacing,
)
from avm_core.types import ObjectInfo

SCHEME = "memory://"


@dataclass(slots=True)
class _Bucket:
    lock: threading.Lock = field(default_factory=threading.Lock)
    objects: dict[str, tuple[ObjectInfo, bytes]] = field(default_factory=dict)


_SHARED: dict[str, _Bucket] = {}


class MemoryStore:
    """An `ObjectStore` that forgets everything with its process; thread-safe.

    Two stores made by the constructor share nothing, whatever their URIs; `shared` returns
    views of one bucket per name.
    """

    def __init__(self, uri: str = "memory://default") -> None:
        """`uri` is `memory://name[/prefix]`. Raises `BadSettings` for any other."""
        self._name, self._base = _parts(uri)
        self._uri = SCHEME + (self._name + "/" + self._base).rstrip("/")
        self._bucket = _Bucket()

    @classmethod
    def shared(cls, uri: str) -> MemoryStore:
        """The store of this URI: the same objects for every caller in this process."""
        store = cls(uri)
        # `setdefault` is atomic, so that two threads end up with one bucket.
        store._bucket = _SHARED.setdefault(store._name, store._bucket)
        return store

    @property
    def uri(self) -> str:
        return self._uri

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        with self._bucket.lock:
            keys = sorted(k for k in self._bucket.objects if k.startswith(self._base + prefix))
        for full in keys:
            found = self._bucket.objects.get(full)
            if found is not None:
                yield replace(found[0], key=full[len(self._base) :], metadata=())

    def head(self, key: str) -> ObjectInfo:
        return replace(self._find(key)[0], key=key)

    def get(self, key: str) -> bytes:
        return self._find(key)[1]

    def get_range(
        self, key: str, start: int, end: int, *, version_id: str = "", etag: str = ""
    ) -> bytes:
        checked_range(start, end)
        info, data = self._find(key)
        self._no_versions(key, version_id)
        if etag and info.etag != etag:
            raise lost_race(f"{self._uri}/{key}")
        return data[start:end]

    def download(
        self, key: str, path: Path, *, version_id: str = "", if_match: str | None = None
    ) -> None:
        info, data = self._find(key)
        if if_match is not None and info.etag != if_match:
            raise lost_race(f"{self._uri}/{key}")
        self._no_versions(key, version_id)
        with replacing(path) as file:
            file.write(data)

    def put(
        self,
        key: str,
        data: bytes,
        *,
        if_match: str | None = None,
        if_absent: bool = False,
        metadata: dict[str, str] | None = None,
    ) -> str:
        checked_conditions(if_match, if_absent)
        pairs = tuple(sorted(checked_metadata(metadata).items()))
        full = self._base + checked_key(key)
        data = bytes(data)
        etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
        info = ObjectInfo(full, len(data), etag, datetime.now(UTC), metadata=pairs)
        with self._bucket.lock:
            found = self._bucket.objects.get(full)
            current = found[0].etag if found else None
            if (if_absent and found) or (if_match is not None and if_match != current):
                raise lost_race(f"{self._uri}/{key}")
            self._bucket.objects[full] = (info, data)
        return etag

    def upload(self, key: str, path: Path, *, metadata: dict[str, str] | None = None) -> str:
        return self.put(key, path.read_bytes(), metadata=metadata)

    def delete(self, key: str) -> None:
        with self._bucket.lock:
            self._bucket.objects.pop(self._base + checked_key(key), None)

    def _no_versions(self, key: str, version_id: str) -> None:
        if version_id:
            raise ObjectMissing(f"{self._uri}/{key} has no version {version_id!r}: none are kept")

    def _find(self, key: str) -> tuple[ObjectInfo, bytes]:
        found = self._bucket.objects.get(self._base + checked_key(key))
        if found is None:
            raise ObjectMissing(f"{self._uri}/{key} does not exist: check the key")
        return found


def _parts(uri: str) -> tuple[str, str]:
    """Name and prefix; a prefix ends with "/"."""
    name, _, prefix = uri.removeprefix(SCHEME).strip("/").partition("/")
    if not uri.startswith(SCHEME) or not name:
        raise BadSettings(f"URI {uri!r} must look like {SCHEME}name")
    return name, prefix + "/" if prefix else ""
