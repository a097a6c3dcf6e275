"""Publishers, a compactor and readers in processes of their own, on a folder and on real S3."""

from __future__ import annotations

import multiprocessing
import tempfile
from pathlib import Path

import pytest

from avm_core.config import S3Config
from avm_core.index.exact import ExactIndex
from avm_core.index.reader import SnapshotReader
from avm_core.index.snapshot import compact, current, media_ids, publish, verify
from avm_core.storage import open_store
from tests.avm_core.index.builders import (
    AUDIO,
    FLAT,
    NAME,
    assert_same_hits,
    make_batch,
    noisy_copy,
)

PUBLISHERS, EACH = 3, 4
_SPAWN = multiprocessing.get_context("spawn")


def publish_one_by_one(uri, s3, number, start, done):
    """Add `EACH` media in as many publishes, and remove the first of them in another."""
    store = open_store(uri, s3)
    start.wait()
    for item in make_batch(EACH, first=number * EACH):
        publish(store, NAME, AUDIO, [item], config=FLAT)
    publish(store, NAME, AUDIO, [], remove=[f"m{number * EACH:02d}"], config=FLAT)
    compact(store, NAME, config=FLAT)
    done.put(("published", number, None))


def read_until(uri, s3, stop, start, done):
    """Open and search whatever is current, all the time; report versions and what broke."""
    store, versions = open_store(uri, s3), []
    query = noisy_copy(make_batch(1)[0][1], seed=1)
    start.wait()
    try:
        while not stop.is_set():
            manifest = current(store, NAME)
            if manifest is None or manifest.version in versions[-1:]:
                continue
            with tempfile.TemporaryDirectory() as cache:
                reader = SnapshotReader.open(store, manifest, cache_dir=Path(cache), config=FLAT)
                assert set(reader.media_ids) == set(media_ids(store, manifest))
                reader.search(query, k=3, min_similarity=0.0)
            versions.append(manifest.version)
    except Exception as error:
        done.put(("read", repr(error), versions))
    else:
        done.put(("read", None, versions))


def race(uri, s3):
    """Run all of them at once; returns the reader's report."""
    start, stop, done = _SPAWN.Barrier(PUBLISHERS + 1), _SPAWN.Event(), _SPAWN.Queue()
    reader = _SPAWN.Process(target=read_until, args=(uri, s3, stop, start, done))
    writers = [
        _SPAWN.Process(target=publish_one_by_one, args=(uri, s3, number, start, done))
        for number in range(PUBLISHERS)
    ]
    for process in (reader, *writers):
        process.start()
    published = [done.get(timeout=120) for _ in writers]
    stop.set()
    report = done.get(timeout=120)
    for process in (reader, *writers):
        process.join()
    assert {kind for kind, _, _ in published} == {"published"}, published
    return report


def check(uri, s3, tmp_path):
    _, error, versions = race(uri, s3)
    assert error is None
    assert versions == sorted(set(versions))
    store = open_store(uri, s3)
    manifest = current(store, NAME)
    media = make_batch(PUBLISHERS * EACH)
    left = [item for number, item in enumerate(media) if number % EACH]
    assert set(media_ids(store, manifest)) == {name for name, _ in left}
    assert verify(store, manifest) == []
    # Every publish, removal and compaction that changed anything is one version.
    assert manifest.version >= PUBLISHERS * (EACH + 1)
    query = noisy_copy(media[5][1], seed=2)
    reader = SnapshotReader.open(store, manifest, cache_dir=tmp_path / "cache", config=FLAT)
    assert_same_hits(
        reader.search(query, k=9, min_similarity=0.0),
        ExactIndex(left).search(query, k=9, min_similarity=0.0),
    )


def test_processes_on_a_folder(tmp_path):
    (tmp_path / "lake").mkdir()
    check(str(tmp_path / "lake"), S3Config(), tmp_path)


@pytest.mark.s3
def test_processes_on_real_s3(bucket_uri, s3_config, tmp_path):
    check(bucket_uri, s3_config, tmp_path)
