"""Object stores behind one protocol: S3, a local folder, memory; chosen by URI."""

from __future__ import annotations

from pathlib import Path

from avm_core.config import S3Config
from avm_core.errors import BadSettings
from avm_core.storage.local import LocalStore
from avm_core.storage.memory import MemoryStore
from avm_core.types import ObjectStore

__all__ = [
    "LocalStore",
    "MemoryStore",
    "ensure_bucket",
    "object_uri",
    "open_store",
    "resolve",
    "split_uri",
]

_SCHEMES = ("s3://", "file://", "memory://")


def open_store(uri: str, config: S3Config) -> ObjectStore:
    """The store of `s3://bucket[/prefix]`, `file:///folder`, a plain path or `memory://name`.

    Makes no request. Memory stores of one name hold the same objects within this process.
    Raises `BadSettings` for another scheme.
    """
    if uri.startswith("s3://"):
        # Here, so that whoever works on folders does not wait for boto3.
        from avm_core.storage.s3 import S3Store

        return S3Store(uri, config)
    if uri.startswith("memory://"):
        return MemoryStore.shared(uri)
    return LocalStore(_local_path(uri))


def split_uri(uri: str) -> tuple[str, str]:
    """Store URI and key of one object: the bucket, folder or memory store, and the rest.

    URIs are taken as they are, never percent-decoded. Raises `BadSettings` if there is no key.
    """
    if uri.startswith(("s3://", "memory://")):
        scheme, _, rest = uri.partition("://")
        name, _, key = rest.partition("/")
        base = f"{scheme}://{name}"
    else:
        path = _local_path(uri)
        name, key, base = path.parent.as_posix(), path.name, f"file://{path.parent.as_posix()}"
    if not name or not key or uri.endswith("/"):
        raise BadSettings(f"URI {uri!r} names no object: write the store and the key")
    return base, key


def resolve(uri: str, config: S3Config) -> tuple[ObjectStore, str]:
    """An opened store and a key for the URI of one object. Raises `BadSettings`."""
    base, key = split_uri(uri)
    return open_store(base, config), key


def object_uri(store: ObjectStore, key: str) -> str:
    """The URI of one object; `resolve` takes it back."""
    return f"{store.uri}/{key}"


def ensure_bucket(uri: str, config: S3Config) -> None:
    """Make the bucket or folder of a store if it is missing; for local set-ups and tests.

    Raises `AccessDenied`, `StoreUnavailable`, or `BadSettings` for a name that is not allowed.
    """
    if uri.startswith("s3://"):
        from avm_core.storage.s3 import S3Store

        S3Store(uri, config).ensure_bucket()
    elif not uri.startswith("memory://"):
        _local_path(uri).mkdir(parents=True, exist_ok=True)


def _local_path(uri: str) -> Path:
    path = uri.removeprefix("file://")
    if not path or (path == uri and "://" in uri):
        raise BadSettings(f"URI {uri!r} must begin with {', '.join(_SCHEMES)} or be a path")
    return Path(path).absolute()
