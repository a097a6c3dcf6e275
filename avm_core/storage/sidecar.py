"""Notes beside the files of a local store: the etag and metadata of exactly one file version."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

# In each folder, not at the store's root: stores over a folder and over its parent must agree.
FOLDER = ".avm-objects"


@dataclass(frozen=True, slots=True)
class Note:
    """What the file system does not keep about an object."""

    etag: str
    metadata: dict[str, str]


def folder_of(path: Path) -> Path:
    """The hidden folder beside an object's file."""
    return path.parent / FOLDER


def identity(status: os.stat_result) -> tuple[int, int, int]:
    """Inode, size and modification time [ns]: they change whenever the bytes do."""
    return status.st_ino, status.st_size, status.st_mtime_ns


def read(path: Path, status: os.stat_result) -> Note | None:
    """The note of this version of the file, None if the store did not write it."""
    try:
        found = json.loads(_note_path(path, status).read_bytes())
        return Note(found["etag"], found["metadata"])
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        # A note torn by a power cut says nothing; the file itself is still an object.
        return None


def write(path: Path, status: os.stat_result, etag: str, metadata: dict[str, str]) -> None:
    """Keep a note of a file version that is about to be at `path`."""
    target = _note_path(path, status)
    with target.open("w") as file:
        json.dump({"etag": etag, "metadata": metadata}, file)
        if metadata:
            # Without metadata nothing is lost with the note: the etag can be computed.
            file.flush()
            os.fsync(file.fileno())


def remove(path: Path, status: os.stat_result, *, but: os.stat_result | None = None) -> None:
    """Drop the note of a former version, unless it is that of `but`."""
    if but is None or identity(status) != identity(but):
        _note_path(path, status).unlink(missing_ok=True)


def _note_path(path: Path, status: os.stat_result) -> Path:
    version = "\0".join([path.name, *map(str, identity(status))])
    name = hashlib.sha256(os.fsencode(version)).hexdigest()[:32]
    return folder_of(path) / f"{name}.json"
