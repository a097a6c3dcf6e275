"""A local folder of index objects named by their sha256, shared by all processes of a host."""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from avm_core.errors import ChecksumMismatch
from avm_core.index.manifest import SegmentRef
from avm_core.index.segment import MediaEntry, read_entries
from avm_core.types import ObjectStore


def fetch(store: ObjectStore, key: str, *, sha256: str, size: int, cache_dir: Path) -> Path:
    """The local file with the object's bytes; downloads it unless it is there.

    The file appears in one step and only after its checksum was verified; a file that is
    there is trusted if its size is right (`drop_damaged` looks closer). Raises
    `ChecksumMismatch`, `ObjectMissing`.
    """
    target = cache_dir / sha256[:2] / f"{sha256}{Path(key).suffix}"
    if target.is_file() and target.stat().st_size == size:
        _mark_used(target)
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    # Several processes may fetch the same object: each writes its own file, the last one stays.
    draft = target.with_name(f".{uuid.uuid4().hex}.part")
    try:
        store.download(key, draft)
        check(file_sha256(draft), sha256, key)
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    return target


def drop_damaged(cache_dir: Path) -> list[Path]:
    """Delete the cached files whose bytes are not those of their name; return them.

    The next `fetch` downloads them again. A process that has one mapped keeps the old bytes.
    """
    damaged = [path for path in _files(cache_dir) if file_sha256(path) != path.stem]
    for path in damaged:
        path.unlink(missing_ok=True)
    return damaged


def drop_unused(cache_dir: Path, *, grace_seconds: float, now: datetime) -> list[Path]:
    """Delete the cached files that nobody fetched for `grace_seconds`; return them.

    On Linux and macOS a reader that has one mapped goes on undisturbed.
    """
    horizon = now.timestamp() - grace_seconds
    unused = [path for path in _files(cache_dir) if path.stat().st_mtime < horizon]
    for path in unused:
        path.unlink(missing_ok=True)
    return unused


def _files(cache_dir: Path) -> Iterator[Path]:
    """Cached objects, none of which is still being written."""
    for path in sorted(cache_dir.glob("[0-9a-f][0-9a-f]/*")):
        if path.is_file() and not path.name.startswith("."):
            yield path


def _mark_used(path: Path) -> None:
    # Only a hint: the cache may be read-only, or the file somebody else's.
    with contextlib.suppress(OSError):
        os.utime(path)


def fetch_entries(store: ObjectStore, ref: SegmentRef) -> tuple[MediaEntry, ...]:
    """The media of a segment. Raises `ChecksumMismatch`, `ObjectMissing`."""
    data = store.get(ref.media_key)
    check(hashlib.sha256(data).hexdigest(), ref.media_sha256, ref.media_key)
    return read_entries(data)


def file_sha256(path: Path) -> str:
    """Hex digest of a file, streaming."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check(found: str, expected: str, key: str) -> None:
    """Raises `ChecksumMismatch` if the digests differ."""
    if found != expected:
        raise ChecksumMismatch(
            f"index object {key} has sha256 {found[:12]}…, its manifest says {expected[:12]}…: "
            f"restore the object, or publish its media again into a fresh index"
        )
