"""Publishing is idempotent, survives kills and races, and honours removals."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from avm_core.errors import BadSettings, IndexMismatch, ObjectMissing, PreconditionFailed
from avm_core.index import pointer
from avm_core.index.exact import ExactIndex
from avm_core.index.snapshot import current, media_ids, publish
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


def test_nothing_is_current_before_the_first_publish(store):
    assert current(store, NAME) is None


def test_versions_count_up_and_name_their_parent(store):
    media = make_batch(4)
    first = publish(store, NAME, AUDIO, media[:2], config=FLAT)
    second = publish(store, NAME, str(AUDIO), media[2:], config=FLAT)
    assert (first.version, first.parent_id) == (1, "")
    assert (second.version, second.parent_id) == (2, first.snapshot_id)
    assert (second.fingerprinter, second.dims) == (str(AUDIO), 32)
    assert current(store, NAME) == second
    assert media_ids(store, second) == {"m00": 1, "m01": 1, "m02": 2, "m03": 2}
    assert media_ids(store, first) == {"m00": 1, "m01": 1}


def test_layout_of_the_objects(store):
    manifest = publish(store, NAME, AUDIO, make_batch(2), config=HNSW)
    (ref,) = manifest.segments
    prefix = f"index/{NAME}"
    assert store.keys("index/") == {
        f"{prefix}/CURRENT",
        f"{prefix}/snapshots/1-{manifest.snapshot_id}.json",
        f"{prefix}/segments/{ref.sha256}.safetensors",
        f"{prefix}/segments/{ref.media_sha256}.jsonl",
        f"{prefix}/segments/{ref.graph_sha256}.usearch",
    }


@pytest.mark.parametrize("config", [FLAT, HNSW])
def test_publishing_again_changes_nothing(store, config):
    media = make_batch(3)
    first = publish(store, NAME, AUDIO, media, config=config)
    keys = store.keys()
    assert publish(store, NAME, AUDIO, media, config=config) == first
    assert publish(store, NAME, AUDIO, media[:1] * 2, remove=["unknown"], config=config) == first
    assert store.keys() == keys


def test_only_new_media_make_a_segment(store):
    publish(store, NAME, AUDIO, make_batch(3), config=FLAT)
    second = publish(store, NAME, AUDIO, make_batch(5), config=FLAT)
    assert [segment.media_count for segment in second.segments] == [3, 2]
    assert media_ids(store, second)["m04"] == 2


def test_snapshot_id_says_what_is_inside_not_when(store):
    one = publish(store, "one/audio", AUDIO, make_batch(2), config=FLAT)
    publish(store, "two", AUDIO, make_batch(2), config=FLAT)
    store.delete("index/one/audio/CURRENT")
    again = publish(store, "one/audio", AUDIO, make_batch(2)[::-1], config=FLAT)
    other = publish(store, "two", AUDIO, make_batch(3), config=FLAT)
    assert again.snapshot_id == one.snapshot_id
    assert len({one.snapshot_id, other.snapshot_id}) == 2


@pytest.mark.parametrize("die_at", ["jsonl", "usearch", "snapshots/", "CURRENT"])
def test_a_kill_leaves_the_old_snapshot_and_the_same_call_finishes(store, tmp_path, die_at):
    media = make_batch(4)
    old = publish(store, NAME, AUDIO, media[:2], config=HNSW)
    store.die_at = die_at
    with pytest.raises(KeyboardInterrupt):
        publish(store, NAME, AUDIO, media[1:], remove=["m00"], config=HNSW)
    assert current(store, NAME) == old
    assert open_current(store, tmp_path, HNSW).media_ids == ("m00", "m01")
    store.die_at = ""
    new = publish(store, NAME, AUDIO, media[1:], remove=["m00"], config=HNSW)
    assert new.version == 2
    assert open_current(store, tmp_path, HNSW).media_ids == ("m01", "m02", "m03")


def test_publishers_at_once_all_end_up_in_the_index(store, tmp_path):
    media = make_batch(12)
    start = threading.Barrier(6)
    done = []

    def work(part):
        start.wait()
        done.append(publish(store, NAME, AUDIO, part, config=FLAT))

    # Neighbours overlap by one media, so two publishers also race for the same id.
    threads = [threading.Thread(target=work, args=(media[i : i + 3],)) for i in range(0, 12, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(manifest.version for manifest in done) == [1, 2, 3, 4, 5, 6]
    final = current(store, NAME)
    assert sum(segment.media_count for segment in final.segments) == 12
    query = noisy_copy(media[7][1], seed=1)
    found = open_current(store, tmp_path).search(query, k=6, min_similarity=0.0)
    assert_same_hits(found, ExactIndex(media).search(query, k=6, min_similarity=0.0))


def test_a_publisher_that_always_loses_says_so(store, monkeypatch):
    monkeypatch.setattr(pointer, "MAX_ATTEMPTS", 3)
    monkeypatch.setattr(pointer, "MAX_PAUSE", 0.0)
    put, tries = store.put, []

    def lose(key, data, **kwargs):
        if key.endswith("CURRENT"):
            tries.append(key)
            raise PreconditionFailed(key)
        return put(key, data, **kwargs)

    monkeypatch.setattr(store, "put", lose)
    with pytest.raises(PreconditionFailed, match="3 times"):
        publish(store, NAME, AUDIO, make_batch(2), config=FLAT)
    assert len(tries) == 3


def test_removed_media_are_not_found_and_may_come_back_changed(store, tmp_path):
    media = make_batch(4)
    publish(store, NAME, AUDIO, media, config=FLAT)
    second = publish(store, NAME, AUDIO, [], remove=["m01", "m03", "m01"], config=FLAT)
    assert media_ids(store, second) == {"m00": 1, "m02": 1}
    query = noisy_copy(media[1][1], seed=4)
    left = [media[0], media[2]]
    found = open_current(store, tmp_path).search(query, k=30, min_similarity=-1.0)
    assert_same_hits(found, ExactIndex(left).search(query, k=30, min_similarity=-1.0))
    changed = ("m01", make_fingerprint(50, windows=9))
    third = publish(store, NAME, AUDIO, [changed], config=FLAT)
    assert media_ids(store, third) == {"m00": 1, "m01": 3, "m02": 1}
    found = open_current(store, tmp_path).search(query, k=30, min_similarity=-1.0)
    assert_same_hits(found, ExactIndex([*left, changed]).search(query, k=30, min_similarity=-1.0))
    assert publish(store, NAME, AUDIO, [changed], remove=["m03"], config=FLAT) == third


def test_media_without_valid_windows_count_as_published(store):
    silent = make_fingerprint(1, windows=3, valid=np.zeros(3, np.bool_))
    first = publish(store, NAME, AUDIO, [("a", silent), ("b", silent)], config=FLAT)
    assert (first.windows, media_ids(store, first)) == (0, {"a": 1, "b": 1})
    assert publish(store, NAME, AUDIO, [("a", silent), ("b", silent)], config=FLAT) == first


def test_an_empty_publish_creates_an_empty_index(store):
    empty = publish(store, NAME, AUDIO, [], config=FLAT)
    assert (empty.version, empty.segments, empty.dims) == (1, (), 0)
    assert publish(store, NAME, AUDIO, [], config=FLAT) == empty


def test_another_fingerprinter_needs_replace(store, tmp_path):
    publish(store, NAME, AUDIO, make_batch(2), config=FLAT)
    old = publish(store, NAME, AUDIO, [], remove=["m00"], config=FLAT)
    new = [(f"n{i}", make_fingerprint(i, fingerprinter=OTHER, dims=16)) for i in range(2)]
    with pytest.raises(IndexMismatch, match="replace=True"):
        publish(store, NAME, OTHER, new, config=FLAT)
    fresh = publish(store, NAME, OTHER, new, config=FLAT, replace=True)
    assert (fresh.version, fresh.parent_id, fresh.dims) == (3, old.snapshot_id, 16)
    assert (fresh.tombstones, media_ids(store, fresh)) == ((), {"n0": 3, "n1": 3})
    assert publish(store, NAME, OTHER, new, config=FLAT, replace=True) == fresh
    hits = open_current(store, tmp_path).search(new[1][1], k=1, min_similarity=0.9)
    assert {hits.ref_ids[ref] for ref in hits.ref} == {"n1"}


def test_input_that_contradicts_itself_is_refused(store):
    audio = ("a", make_fingerprint(1))
    other = ("b", make_fingerprint(2, fingerprinter=OTHER))
    with pytest.raises(IndexMismatch, match="'b'"):
        publish(store, NAME, AUDIO, [audio, other], config=FLAT)
    with pytest.raises(BadSettings, match="both added and removed"):
        publish(store, NAME, AUDIO, [audio], remove=["a"], config=FLAT)
    publish(store, NAME, AUDIO, [audio], config=FLAT)
    with pytest.raises(IndexMismatch, match=r"\[16, 32\]"):
        publish(store, NAME, AUDIO, [("b", make_fingerprint(2, dims=16))], config=FLAT)
    for name in ("", "/audio", "audio/", "a//b", "a/../b"):
        with pytest.raises(BadSettings, match="index name"):
            publish(store, name, AUDIO, [audio], config=FLAT)


def test_a_current_that_points_nowhere_is_told(store):
    manifest = publish(store, NAME, AUDIO, make_batch(2), config=FLAT)
    store.delete(f"index/{NAME}/snapshots/1-{manifest.snapshot_id}.json")
    with pytest.raises(ObjectMissing):
        current(store, NAME)
