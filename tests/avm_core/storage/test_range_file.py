"""An object read like a file: the same bytes, in few requests, within a limit."""

from __future__ import annotations

import os
import random

import pytest

from avm_core.storage.memory import MemoryStore
from avm_core.storage.range_file import RangeFile, TooMuchRead

SIZE = 3_000_000
DATA = random.Random(1).randbytes(SIZE)


class Counting(MemoryStore):
    """Remembers how many bytes it gave away."""

    given = 0

    def get_range(
        self, key: str, start: int, end: int, *, version_id: str = "", etag: str = ""
    ) -> bytes:
        data = super().get_range(key, start, end, version_id=version_id, etag=etag)
        self.given += len(data)
        return data


@pytest.fixture
def store() -> Counting:
    made = Counting("memory://films")
    made.put("film", DATA)
    return made


def test_reads_the_bytes_that_are_there(store: Counting) -> None:
    file = RangeFile(store, "film", SIZE)
    rng = random.Random(2)
    for _ in range(60):
        at, count = rng.randrange(SIZE), rng.randrange(1, 700_000)
        file.seek(at)
        got = b""
        while len(got) < count and (piece := file.read(count - len(got))):
            got += piece
        assert got == DATA[at : at + count]
    file.seek(-10, os.SEEK_END)
    assert file.read() == DATA[-10:]
    assert file.tell() == SIZE
    assert file.read(5) == b""


def test_a_look_at_the_end_does_not_load_the_middle(store: Counting) -> None:
    file = RangeFile(store, "film", SIZE)
    file.read(100)
    file.seek(SIZE - 100)
    file.read(100)
    file.seek(0)
    file.read(100)
    assert store.given < SIZE / 2


def test_the_limit_holds(store: Counting) -> None:
    file = RangeFile(store, "film", SIZE, limit=1_200_000)
    with pytest.raises(TooMuchRead, match="film"):
        file.read()
    assert store.given <= 1_200_000
