"""An object store in a local folder, correct under many threads and processes of one host."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import BinaryIO

from avm_core.errors import (
    AccessDenied,
    BadSettings,
    BucketMissing,
    ObjectMissing,
    StoreUnavailable,
)
from avm_core.storage import sidecar
from avm_core.storage.common import (
    CHUNK,
    checked_conditions,
    checked_key,
    checked_metadata,
    checked_range,
    lost_race,
    replacing,
)
from avm_core.types import ObjectInfo

SCHEME = "file://"


class LocalStore:
    """An `ObjectStore` over a folder: an object is a file, its key the path below the folder.

    Files that others put there are objects too. Names that begin with "." are not: keys with
    such a part raise `BadSettings`. Etags are the md5 of the bytes, read from the file where
    this store did not write it. A folder that is not there is made by the first write; `list`
    raises `BucketMissing` for it.
    """

    def __init__(self, directory: str | Path) -> None:
        self._root = Path(os.path.abspath(directory))

    @property
    def uri(self) -> str:
        """`file://` and the path as it is: no percent-encoding."""
        return SCHEME + self._root.as_posix().rstrip("/")

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        if not self._root.is_dir():
            raise BucketMissing(
                f"folder '{self._root}' does not exist: create it or fix the setting that names it"
            )
        for key in self._keys(self._root, "", prefix):
            try:
                yield self._info(key, self._root / key, with_metadata=False)
            except ObjectMissing:
                # Deleted since the folder was read, or a link to nowhere.
                continue

    def head(self, key: str) -> ObjectInfo:
        return self._info(key, self._path(key), with_metadata=True)

    def get(self, key: str) -> bytes:
        with self._errors(key), self._path(key).open("rb") as file:
            return file.read()

    def get_range(
        self, key: str, start: int, end: int, *, version_id: str = "", etag: str = ""
    ) -> bytes:
        """As the protocol; the version of a file that others put there is not known: to tell
        it would mean to read the whole file."""
        checked_range(start, end)
        path = self._path(key)
        with self._errors(key), path.open("rb") as file:
            self._no_versions(key, version_id)
            note = sidecar.read(path, os.fstat(file.fileno())) if etag else None
            if note is not None and note.etag != etag:
                raise lost_race(self._name(key))
            file.seek(start)
            return file.read(end - start)

    def download(
        self, key: str, path: Path, *, version_id: str = "", if_match: str | None = None
    ) -> None:
        with self._errors(key):
            source = self._path(key).open("rb")
        with source:
            self._no_versions(key, version_id)
            self._require(key, if_match)
            with replacing(path) as file:
                shutil.copyfileobj(source, file, CHUNK)
                # Others may write into a file, not only replace it.
                self._require(key, if_match)

    def _require(self, key: str, etag: str | None) -> None:
        if etag is not None and self.head(key).etag != etag:
            raise lost_race(self._name(key))

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
        pairs = checked_metadata(metadata)
        path = self._path(key)
        with self._errors(key, writing=True), self._staged(path) as (staged, file):
            file.write(data)
            etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
            self._commit(key, path, staged, file, etag, pairs, if_match, if_absent)
        return etag

    def upload(self, key: str, path: Path, *, metadata: dict[str, str] | None = None) -> str:
        pairs = checked_metadata(metadata)
        target = self._path(key)
        digest = hashlib.md5(usedforsecurity=False)
        with (
            path.open("rb") as source,
            self._errors(key, writing=True),
            self._staged(target) as (staged, file),
        ):
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                file.write(chunk)
            etag = digest.hexdigest()
            self._commit(key, target, staged, file, etag, pairs, None, False)
        return etag

    def delete(self, key: str) -> None:
        path = self._path(key)
        if not path.parent.is_dir():
            return
        with self._errors(key, writing=True), _locked(path.parent):
            try:
                before = path.stat()
                path.unlink()
            except FileNotFoundError:
                return
            sidecar.remove(path, before)

    def _commit(
        self,
        key: str,
        path: Path,
        staged: Path,
        file: BinaryIO,
        etag: str,
        metadata: dict[str, str],
        if_match: str | None,
        if_absent: bool,
    ) -> None:
        file.flush()
        os.fsync(file.fileno())
        with _locked(path.parent):
            before = path.stat() if path.exists() else None
            if (if_absent and before) or (if_match is not None and not before):
                raise lost_race(self._name(key))
            if if_match is not None and self.head(key).etag != if_match:
                raise lost_race(self._name(key))
            # First: once the object is visible its metadata must be too.
            after = os.fstat(file.fileno())
            sidecar.write(path, after, etag, metadata)
            os.replace(staged, path)
            if before is not None:
                sidecar.remove(path, before, but=after)
            _sync_folder(path.parent)

    @contextmanager
    def _staged(self, path: Path) -> Iterator[tuple[Path, BinaryIO]]:
        """A temporary file in the object's folder, gone at the end unless it was renamed."""
        folder = sidecar.folder_of(path)
        folder.mkdir(parents=True, exist_ok=True)
        staged = folder / f"{uuid.uuid4().hex}.part"
        try:
            with staged.open("xb") as file:
                yield staged, file
        finally:
            staged.unlink(missing_ok=True)

    def _info(self, key: str, path: Path, *, with_metadata: bool) -> ObjectInfo:
        with self._errors(key):
            while True:
                status = path.stat()
                if not path.is_file():
                    raise FileNotFoundError(errno.ENOENT, "not a file", str(path))
                note = sidecar.read(path, status)
                etag = note.etag if note else _md5_of(str(path), *sidecar.identity(status))
                # A writer may have replaced the file, and dropped the note, in between.
                if sidecar.identity(path.stat()) == sidecar.identity(status):
                    break
        modified = datetime.fromtimestamp(status.st_mtime, UTC)
        pairs = tuple(sorted(note.metadata.items())) if note and with_metadata else ()
        return ObjectInfo(key, status.st_size, etag, modified, metadata=pairs)

    def _keys(self, folder: Path, above: str, prefix: str) -> Iterator[str]:
        """Keys of the files below `folder`, sorted as whole keys; `above` ends with "/"."""
        for name in self._names(folder, above):
            key = above + name
            if not (key.startswith(prefix) or prefix.startswith(key)):
                continue
            if name.endswith("/"):
                yield from self._keys(folder / name, key, prefix)
            elif key.startswith(prefix) and (folder / name).is_file():
                yield key

    def _names(self, folder: Path, above: str) -> Sequence[str]:
        try:
            with self._errors(above), os.scandir(folder) as entries:
                # With its slash a folder sorts where its keys do.
                return sorted(
                    entry.name + ("/" if entry.is_dir(follow_symlinks=False) else "")
                    for entry in entries
                    if not entry.name.startswith(".")
                )
        except ObjectMissing:
            # The folder was removed since its own was read.
            return ()

    def _path(self, key: str) -> Path:
        """The file of a key. Raises `BadSettings` for a key that leaves the folder."""
        parts = checked_key(key).split("/")
        if any(not part or part.startswith(".") for part in parts):
            raise BadSettings(
                f"object key {key!r} cannot be a file in '{self._root}': no part of it may be "
                "empty or begin with '.'"
            )
        path = self._root.joinpath(*parts)
        # A link to a file is someone's way to collect files; a linked folder leads writes astray.
        if not path.parent.resolve().is_relative_to(self._root.resolve()):
            raise BadSettings(f"object key {key!r} leads out of '{self._root}' through a link")
        return path

    def _no_versions(self, key: str, version_id: str) -> None:
        if version_id:
            raise ObjectMissing(f"{self._name(key)} has no version {version_id!r}: none kept")

    def _name(self, key: str) -> str:
        return f"file '{self._root / key}'"

    @contextmanager
    def _errors(self, key: str, *, writing: bool = False) -> Iterator[None]:
        """Say what an OSError of the object's file means."""
        try:
            yield
        except PermissionError as error:
            raise AccessDenied(
                f"{self._name(key)} refuses access: fix its permissions ({error.strerror})"
            ) from error
        except OSError as error:
            unfit = error.errno in (errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG)
            if writing and unfit:
                raise BadSettings(
                    f"object key {key!r} cannot be a file in '{self._root}': {error.strerror}"
                ) from error
            if unfit or error.errno == errno.ENOENT:
                raise ObjectMissing(f"{self._name(key)} does not exist: check the key") from error
            raise StoreUnavailable(
                f"{self._name(key)}: {error.strerror or error}; check the disk"
            ) from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Alone among all writers of this folder, in any thread or process."""
    hidden = folder / sidecar.FOLDER
    hidden.mkdir(exist_ok=True)
    with (hidden / "lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@lru_cache(maxsize=65_536)
def _md5_of(path: str, inode: int, size: int, modified_ns: int) -> str:
    """md5 hex of a file; the other arguments make a changed file another entry of the cache."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, partial(hashlib.md5, usedforsecurity=False)).hexdigest()
