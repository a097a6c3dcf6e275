"""Rules that every store shares: keys, metadata, conditions and whole-or-nothing files."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from avm_core.errors import BadSettings, PreconditionFailed

_METADATA_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
CHUNK = 1 << 20


def checked_key(key: str) -> str:
    """The key itself. Raises `BadSettings` if no store can hold it."""
    if not key or key.startswith("/") or "\0" in key:
        raise BadSettings(f"object key {key!r} must be relative, not empty and without NUL")
    return key


def checked_metadata(metadata: Mapping[str, str] | None) -> dict[str, str]:
    """A copy with names in lower case. Raises `BadSettings` for a name that S3 cannot carry."""
    lowered = {name.lower(): value for name, value in (metadata or {}).items()}
    for name in lowered:
        if not _METADATA_NAME.fullmatch(name):
            raise BadSettings(
                f"metadata name {name!r} may hold only Latin letters, digits, '-' and '_'"
            )
    return lowered


def checked_conditions(if_match: str | None, if_absent: bool) -> None:
    """Raises `BadSettings` if both conditions are given: no object satisfies them."""
    if if_match is not None and if_absent:
        raise BadSettings("pass either if_match or if_absent: together they never hold")


def checked_range(start: int, end: int) -> None:
    """Raises `BadSettings` unless [start, end) holds a byte."""
    if not 0 <= start < end:
        raise BadSettings(f"bytes [{start}, {end}) are none: ask for 0 <= start < end")


def lost_race(where: str) -> PreconditionFailed:
    """The error of a conditional write that found another version."""
    return PreconditionFailed(
        f"{where} was written by someone else meanwhile: read it again and repeat the change"
    )


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file that takes the place of `path` at the end, or vanishes if the body raises.

    The temporary file is hidden and in the same folder, so that the rename is atomic.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not the file's own name: that may be as long as the file system allows.
    temporary = path.parent / f".{uuid.uuid4().hex}.part"
    try:
        with temporary.open("xb") as file:
            yield file
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
