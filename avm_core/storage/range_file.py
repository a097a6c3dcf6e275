"""An object as a file that is read where it is needed: a decoder seeks in it without a copy."""

from __future__ import annotations

import io
import os
from collections import OrderedDict

from avm_core.errors import Terminal
from avm_core.types import ObjectStore

_KEPT = 24


class TooMuchRead(Terminal):
    """The bytes that a reader was allowed are used up."""


class RangeFile(io.RawIOBase):
    """Read-only and seekable. At most `limit` bytes are fetched, then `read` raises
    `TooMuchRead`: a decoder that runs wild must not load an object of many gigabytes. `block`
    bytes are fetched at a time."""

    def __init__(
        self,
        store: ObjectStore,
        key: str,
        size: int,
        *,
        version_id: str = "",
        etag: str = "",
        limit: int = 256 << 20,
        block: int = 512 << 10,
    ) -> None:
        self._store, self._key, self._size = store, key, size
        self._version_id, self._etag = version_id, etag
        self._left, self._size_of_block = limit, block
        self._at = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        number, skip = divmod(self._at, self._size_of_block)
        if self._at >= self._size or not len(view):
            return 0
        piece = self._block(number)[skip : skip + len(view)]
        view[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def _block(self, number: int) -> bytes:
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number]
        start = number * self._size_of_block
        end = min(start + self._size_of_block, self._size)
        if self._left < end - start:
            raise TooMuchRead(f"{self._key} needs more bytes read than one look may cost")
        data = self._store.get_range(
            self._key, start, end, version_id=self._version_id, etag=self._etag
        )
        self._left -= len(data)
        self._blocks[number] = data
        if len(self._blocks) > _KEPT:
            self._blocks.popitem(last=False)
        return data
