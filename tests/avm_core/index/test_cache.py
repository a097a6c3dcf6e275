"""The local cache: what is damaged or unused goes, what is used stays."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from avm_core.index.cache import drop_damaged, drop_unused
from avm_core.index.snapshot import publish
from tests.avm_core.index.builders import (
    AUDIO,
    HNSW,
    NAME,
    assert_same_hits,
    make_batch,
    noisy_copy,
    open_current,
)


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_damaged_copy_of_the_right_size_is_dropped_and_fetched_again(store, tmp_path):
    media = make_batch(3)
    publish(store, NAME, AUDIO, media, config=HNSW)
    query = noisy_copy(media[1][1], seed=1)
    before = open_current(store, tmp_path, HNSW).search(query, k=3, min_similarity=0.0)
    whole, hurt = files(tmp_path)
    data = bytearray(hurt.read_bytes())
    data[len(data) // 2] ^= 1
    hurt.unlink()
    hurt.write_bytes(bytes(data))
    assert drop_damaged(tmp_path) == [hurt]
    assert files(tmp_path) == [whole]
    assert drop_damaged(tmp_path) == []
    after = open_current(store, tmp_path, HNSW).search(query, k=3, min_similarity=0.0)
    assert_same_hits(after, before)


def test_only_copies_that_nobody_opened_lately_go(store, tmp_path):
    media = make_batch(4)
    publish(store, NAME, AUDIO, media[:2], config=HNSW)
    open_current(store, tmp_path, HNSW)
    old = files(tmp_path)
    publish(store, NAME, AUDIO, media[2:], remove=["m00", "m01"], config=HNSW)
    reader = open_current(store, tmp_path, HNSW)
    new = [path for path in files(tmp_path) if path not in old]
    now = datetime.now(UTC)
    past = (now - timedelta(days=3)).timestamp()
    for path in (*old, *new):
        os.utime(path, (past, past))
    open_current(store, tmp_path, HNSW)  # a use
    for path in old[:1]:
        os.utime(path, (past, past))
    gone = drop_unused(tmp_path, grace_seconds=86_400, now=now)
    assert gone == old[:1]
    assert files(tmp_path) == sorted([*old[1:], *new])
    assert drop_unused(tmp_path, grace_seconds=0, now=now + timedelta(days=9))
    assert files(tmp_path) == []
    hits = reader.search(media[2][1], k=1, min_similarity=0.9)
    assert {hits.ref_ids[ref] for ref in hits.ref} == {"m02"}


def test_a_cache_that_is_not_there_is_empty(tmp_path):
    assert drop_damaged(tmp_path / "none") == []
    assert drop_unused(tmp_path / "none", grace_seconds=0, now=datetime.now(UTC)) == []
