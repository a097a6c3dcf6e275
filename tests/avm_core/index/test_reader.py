"""A snapshot answers as the brute-force oracle does, and refuses what it cannot trust."""

from __future__ import annotations

import threading
import tracemalloc

import numpy as np
import pytest

from avm_core.config import IndexConfig
from avm_core.errors import ChecksumMismatch, IndexMismatch
from avm_core.index import reader as reader_module
from avm_core.index.exact import ExactIndex
from avm_core.index.reader import SnapshotReader
from avm_core.index.snapshot import publish
from avm_core.types import Fingerprint
from tests.avm_core.index.builders import (
    AUDIO,
    FLAT,
    HNSW,
    NAME,
    OTHER,
    assert_same_hits,
    make_batch,
    make_fingerprint,
    noisy_copy,
    open_current,
)


@pytest.mark.parametrize(("k", "min_similarity"), [(1, 0.0), (7, 0.5), (20, -1.0), (1000, 0.2)])
def test_flat_snapshot_of_several_segments_equals_the_oracle(store, tmp_path, k, min_similarity):
    media = make_batch(9)
    for part in (media[5:], media[:2], media[2:5]):
        publish(store, NAME, AUDIO, part, config=FLAT)
    reader, oracle = open_current(store, tmp_path), ExactIndex(media)
    for seed in (2, 6):
        query = noisy_copy(media[seed][1], seed=100 + seed, begin=3, end=18)
        found = reader.search(query, k=k, min_similarity=min_similarity)
        assert_same_hits(found, oracle.search(query, k=k, min_similarity=min_similarity))
        assert len(found.query)


def test_a_planted_copy_is_found_where_it_was_planted(store, tmp_path):
    media = make_batch(6)
    publish(store, NAME, AUDIO, media, config=FLAT)
    query = noisy_copy(media[4][1], seed=7, begin=5, end=15)
    hits = open_current(store, tmp_path).search(query, k=1, min_similarity=0.5)
    assert {hits.ref_ids[ref] for ref in hits.ref} == {"m04"}
    np.testing.assert_array_equal(hits.ref_start, hits.query * 0.5 + 2.5)
    assert len(hits.query) == 10


def test_equal_scores_are_ordered_by_media_id_and_start_across_segments(store, tmp_path):
    same = np.repeat(make_fingerprint(1, windows=1).descriptors.astype(float), 3, axis=0)
    media = [(name, make_fingerprint(1, vectors=same)) for name in ("c", "a", "b")]
    for item in media:
        publish(store, NAME, AUDIO, [item], config=FLAT)
    query = make_fingerprint(1, vectors=same[:2])
    found = open_current(store, tmp_path).search(query, k=5, min_similarity=0.9)
    assert [found.ref_ids[ref] for ref in found.ref] == ["a", "a", "a", "b", "b"] * 2
    assert found.ref_start.tolist() == [0.0, 0.5, 1.0, 0.0, 0.5] * 2
    assert_same_hits(found, ExactIndex(media).search(query, k=5, min_similarity=0.9))


def test_only_valid_query_windows_are_searched_and_keep_their_ordinal(store, tmp_path):
    media = make_batch(2)
    publish(store, NAME, AUDIO, media, config=FLAT)
    valid = np.zeros(20, np.bool_)
    valid[[3, 11]] = True
    query = make_fingerprint(0, windows=20, valid=valid)
    hits = open_current(store, tmp_path).search(query, k=1, min_similarity=0.99)
    assert hits.query.tolist() == [3, 11]
    assert hits.ref_start.tolist() == [1.5, 5.5]


def test_query_or_index_without_windows_gives_no_hits(store, tmp_path):
    silent = make_fingerprint(1, windows=4, valid=np.zeros(4, np.bool_))
    empty = publish(store, NAME, AUDIO, [], config=FLAT)
    reader = SnapshotReader.open(store, empty, cache_dir=tmp_path, config=FLAT)
    assert (reader.media_ids, len(reader.search(silent, k=5, min_similarity=-1.0).query)) == ((), 0)
    publish(store, NAME, AUDIO, [("silent", silent), ("sound", make_fingerprint(2))], config=FLAT)
    reader = open_current(store, tmp_path)
    assert reader.media_ids == ("silent", "sound")
    assert len(reader.search(silent, k=5, min_similarity=-1.0).query) == 0
    hits = reader.search(make_fingerprint(2), k=1, min_similarity=0.9)
    assert {reader.media_ids[ref] for ref in hits.ref} == {"sound"}


@pytest.mark.parametrize("graphs", [1, 4])
def test_graph_recall_against_the_oracle(store, tmp_path, graphs):
    media = [(f"m{i:02d}", make_fingerprint(i, windows=500, dims=96)) for i in range(40)]
    each = 20_000 // graphs
    config = IndexConfig(hnsw_from=each, segment_windows=each)
    manifest = publish(store, NAME, AUDIO, media, config=config)
    assert [(s.kind, s.windows) for s in manifest.segments] == [("hnsw", each)] * graphs
    reader, oracle = open_current(store, tmp_path, config), ExactIndex(media)
    wanted = found = 0
    for seed in (3, 29):
        query = noisy_copy(media[seed][1], seed=seed, begin=100, end=160)
        truth = oracle.search(query, k=20, min_similarity=0.3)
        hits = reader.search(query, k=20, min_similarity=0.3)
        expected = dict(zip(_keys(truth), truth.score, strict=True))
        actual = dict(zip(_keys(hits), hits.score, strict=True))
        common = expected.keys() & actual.keys()
        assert all(expected[key] == actual[key] for key in common)
        wanted, found = wanted + len(expected), found + len(common)
    assert wanted > 1000
    assert found / wanted >= 0.95


def _keys(hits):
    return zip(hits.query.tolist(), hits.ref.tolist(), hits.ref_start.tolist(), strict=True)


def test_flat_and_graph_segments_are_searched_together(store, tmp_path):
    media = make_batch(8)
    publish(store, NAME, AUDIO, media[:4], config=HNSW)
    publish(store, NAME, AUDIO, media[4:], config=FLAT)
    reader, oracle = open_current(store, tmp_path), ExactIndex(media)
    query = noisy_copy(media[1][1], seed=5)
    hits = reader.search(query, k=5, min_similarity=0.2)
    assert_same_hits(hits, oracle.search(query, k=5, min_similarity=0.2))


@pytest.mark.parametrize("most", [0, 4, 4096])
def test_graph_with_many_removed_media_still_gives_k_live_hits(store, tmp_path, monkeypatch, most):
    monkeypatch.setattr(reader_module, "MAX_GRAPH_NEIGHBOURS", most)
    media = make_batch(10)
    twins = [(f"twin{i}", make_fingerprint(3, windows=23)) for i in range(6)]
    publish(store, NAME, AUDIO, media + twins, config=HNSW)
    publish(store, NAME, AUDIO, [], remove=[name for name, _ in twins], config=HNSW)
    query = noisy_copy(media[3][1], seed=9)
    found = open_current(store, tmp_path, HNSW).search(query, k=4, min_similarity=-1.0)
    assert_same_hits(found, ExactIndex(media).search(query, k=4, min_similarity=-1.0))


def test_query_of_another_fingerprinter_or_width_is_refused(store, tmp_path):
    publish(store, NAME, AUDIO, make_batch(2), config=FLAT)
    reader = open_current(store, tmp_path)
    for query in (make_fingerprint(1, fingerprinter=OTHER), make_fingerprint(1, dims=16)):
        with pytest.raises(IndexMismatch, match="fingerprint the query"):
            reader.search(query, k=3, min_similarity=0.0)


@pytest.mark.parametrize("suffix", ["safetensors", "jsonl", "usearch"])
def test_changed_object_is_refused_and_leaves_no_file_behind(store, tmp_path, suffix):
    publish(store, NAME, AUDIO, make_batch(3), config=HNSW)
    (key,) = [key for key in store.keys("index/") if key.endswith(suffix)]
    data = bytearray(store.get(key))
    data[len(data) // 2] ^= 1
    store.put(key, bytes(data))
    with pytest.raises(ChecksumMismatch, match=suffix):
        open_current(store, tmp_path, HNSW)
    digest = key.rsplit("/", 1)[-1]
    assert digest not in {path.name for path in tmp_path.rglob("*")}
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("suffix", ["safetensors", "usearch"])
def test_truncated_file_in_the_cache_is_fetched_again(store, tmp_path, suffix):
    media = make_batch(3)
    publish(store, NAME, AUDIO, media, config=HNSW)
    query = noisy_copy(media[0][1], seed=1)
    before = open_current(store, tmp_path, HNSW).search(query, k=3, min_similarity=0.0)
    (path,) = tmp_path.rglob(f"*.{suffix}")
    path.unlink()
    path.write_bytes(b"short")
    after = open_current(store, tmp_path, HNSW).search(query, k=3, min_similarity=0.0)
    assert_same_hits(after, before)


def test_a_filled_cache_needs_no_second_download(store, tmp_path):
    media = make_batch(3)
    manifest = publish(store, NAME, AUDIO, media, config=HNSW)
    open_current(store, tmp_path, HNSW)
    for ref in manifest.segments:
        store.delete(ref.key)
        store.delete(ref.graph_key)
    reader = open_current(store, tmp_path, HNSW)
    assert len(reader.search(media[1][1], k=1, min_similarity=0.9).query) == 21


def test_many_threads_share_one_cache(store, tmp_path):
    media = make_batch(4)
    publish(store, NAME, AUDIO, media, config=HNSW)
    query, results = noisy_copy(media[2][1], seed=2), []
    start = threading.Barrier(4)

    def work():
        start.wait()
        reader = open_current(store, tmp_path, HNSW)
        results.append(reader.search(query, k=3, min_similarity=0.0))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for hits in results[1:]:
        assert_same_hits(hits, results[0])


def test_a_reader_keeps_the_snapshot_it_opened(store, tmp_path):
    media = make_batch(4)
    publish(store, NAME, AUDIO, media[:2], config=FLAT)
    reader = open_current(store, tmp_path)
    publish(store, NAME, AUDIO, media[2:], remove=["m00"], config=FLAT)
    assert reader.media_ids == ("m00", "m01")
    assert open_current(store, tmp_path).media_ids == ("m01", "m02", "m03")


def test_a_long_upload_is_searched_in_pieces_with_the_same_hits(store, tmp_path, monkeypatch):
    monkeypatch.setattr(reader_module, "QUERIES_AT_ONCE", 7)
    media = make_batch(5)
    publish(store, NAME, AUDIO, media[:3], config=FLAT)
    publish(store, NAME, AUDIO, media[3:], config=FLAT)
    valid = np.arange(22) % 4 != 1
    query = make_fingerprint(2, windows=22, valid=valid)
    found = open_current(store, tmp_path).search(query, k=4, min_similarity=-1.0)
    assert_same_hits(found, ExactIndex(media).search(query, k=4, min_similarity=-1.0))


def test_twenty_hours_need_no_more_memory_than_their_hits_and_a_block(store, tmp_path):
    media = make_batch(12)
    for part in (media[:4], media[4:8], media[8:]):
        publish(store, NAME, AUDIO, part, config=FLAT)
    hours = 20 * 3600 * 4
    rng = np.random.default_rng(1)
    vectors = rng.integers(-127, 128, (hours, 32), dtype=np.int8)
    copy = media[5][1].descriptors
    vectors[200_000 : 200_000 + len(copy)] = copy
    query = Fingerprint(
        content_id="long",
        fingerprinter=AUDIO,
        descriptors=vectors,
        starts=np.arange(hours) * 0.25,
        window=4.0,
        valid=np.ones(hours, np.bool_),
        duration=hours * 0.25,
    )
    reader = open_current(store, tmp_path)
    tracemalloc.start()
    hits = reader.search(query, k=50, min_similarity=0.6)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    result = sum(column.nbytes for column in (hits.query, hits.ref, hits.ref_start, hits.score))
    assert peak < 3 * result + 60e6, "the score matrix alone would be 380 MB"
    best = hits.query[(hits.score > 0.999) & (hits.ref == hits.ref_ids.index("m05"))]
    np.testing.assert_array_equal(best, 200_000 + np.arange(len(copy)))
