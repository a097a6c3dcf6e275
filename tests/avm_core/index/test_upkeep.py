"""Verification names damage, compaction keeps the hits, garbage collection keeps what is used."""

from __future__ import annotations

from datetime import timedelta

import pytest

from avm_core.errors import BadSettings
from avm_core.index.reader import SnapshotReader
from avm_core.index.snapshot import collect_garbage, compact, current, media_ids, publish, verify
from tests.avm_core.index.builders import (
    AUDIO,
    FLAT,
    HNSW,
    NAME,
    assert_same_hits,
    make_batch,
    make_fingerprint,
    noisy_copy,
    open_current,
)

HOUR = timedelta(hours=1)


def test_verify_names_missing_and_changed_objects(store):
    publish(store, NAME, AUDIO, make_batch(2), config=HNSW)
    manifest = publish(store, NAME, AUDIO, make_batch(4), config=HNSW)
    assert verify(store, manifest) == []
    first, second = manifest.segments
    store.delete(first.media_key)
    store.put(second.graph_key, store.get(second.graph_key)[:-1])
    problems = verify(store, manifest)
    assert len(problems) == 2
    assert problems[0] == f"{first.media_key}: missing"
    assert problems[1].startswith(f"{second.graph_key}: sha256 ")


@pytest.mark.parametrize("config", [FLAT, HNSW])
def test_compaction_gives_the_same_hits_from_one_segment(store, tmp_path, config):
    media = make_batch(8)
    for part in (media[:3], media[3:4], media[4:]):
        publish(store, NAME, AUDIO, part, config=FLAT)
    before = publish(store, NAME, AUDIO, [], remove=["m02", "m06"], config=FLAT)
    old = open_current(store, tmp_path, config)
    after = compact(store, NAME, config=config, cache_dir=tmp_path)
    assert (after.version, len(after.segments), after.tombstones) == (5, 1, ())
    assert after.windows < before.windows
    assert after.segments[0].kind == ("flat" if config is FLAT else "hnsw")
    assert media_ids(store, after) == media_ids(store, before)
    new = open_current(store, tmp_path, config)
    for seed in (1, 6):
        query = noisy_copy(media[seed][1], seed=seed)
        hits = [r.search(query, k=4, min_similarity=0.1) for r in (old, new)]
        assert_same_hits(hits[1], hits[0])
    assert compact(store, NAME, config=config) == after


def test_a_media_can_be_removed_and_added_after_compaction(store):
    media = make_batch(3)
    publish(store, NAME, AUDIO, media[:2], config=FLAT)
    publish(store, NAME, AUDIO, media[2:], config=FLAT)
    compact(store, NAME, config=FLAT)
    gone = publish(store, NAME, AUDIO, [], remove=["m00"], config=FLAT)
    assert media_ids(store, gone) == {"m01": 1, "m02": 2}
    back = publish(store, NAME, AUDIO, media[:1], config=FLAT)
    assert media_ids(store, back) == {"m00": 5, "m01": 1, "m02": 2}
    assert media_ids(store, compact(store, NAME, config=FLAT)) == {"m00": 5, "m01": 1, "m02": 2}


def test_what_others_publish_during_a_compaction_is_kept(store, monkeypatch):
    media = make_batch(5)
    publish(store, NAME, AUDIO, media[:2], config=FLAT)
    publish(store, NAME, AUDIO, media[2:4], config=FLAT)
    put, rivals = store.put, []

    def with_rival(key, data, **kwargs):
        if "snapshots/3-" in key and not rivals:
            rivals.append(key)
            publish(store, NAME, AUDIO, media[4:], remove=["m01"], config=FLAT)
        return put(key, data, **kwargs)

    monkeypatch.setattr(store, "put", with_rival)
    after = compact(store, NAME, config=FLAT)
    assert after.version == 4
    assert [segment.media_count for segment in after.segments] == [4, 1]
    assert media_ids(store, after) == {"m00": 1, "m02": 2, "m03": 2, "m04": 3}


def test_two_compactions_at_once_do_not_lose_or_double_media(store, monkeypatch):
    media = make_batch(4)
    publish(store, NAME, AUDIO, media[:2], config=FLAT)
    publish(store, NAME, AUDIO, media[2:], config=FLAT)
    put, rivals = store.put, []

    def with_rival(key, data, **kwargs):
        if "snapshots/3-" in key and not rivals:
            rivals.append(key)
            compact(store, NAME, config=FLAT)
        return put(key, data, **kwargs)

    monkeypatch.setattr(store, "put", with_rival)
    after = compact(store, NAME, config=FLAT)
    assert (after.version, len(after.segments)) == (3, 1)
    assert set(media_ids(store, after)) == {"m00", "m01", "m02", "m03"}


def test_compacting_away_everything_leaves_an_empty_index(store, tmp_path):
    publish(store, NAME, AUDIO, make_batch(2), config=FLAT)
    publish(store, NAME, AUDIO, [], remove=["m00", "m01"], config=FLAT)
    after = compact(store, NAME, config=FLAT)
    assert (after.segments, after.tombstones) == ((), ())
    reader = open_current(store, tmp_path)
    assert len(reader.search(make_fingerprint(1), k=3, min_similarity=-1.0).query) == 0


def test_compacting_an_index_that_is_not_there_is_refused(store):
    with pytest.raises(BadSettings, match="publish to it first"):
        compact(store, NAME, config=FLAT)


def collect(store, *, grace=2 * HOUR):
    return set(collect_garbage(store, NAME, grace_seconds=grace.total_seconds(), now=store.now))


def test_garbage_collection_deletes_only_old_and_unreferenced_objects(store, tmp_path):
    media = make_batch(4)
    first = publish(store, NAME, AUDIO, media[:2], config=HNSW)
    second = publish(store, NAME, AUDIO, media[2:], config=HNSW)
    store.now += 100 * HOUR
    compacted = compact(store, NAME, config=HNSW)
    store.now += HOUR
    # The second snapshot was current until an hour ago: its objects stay, the first one goes.
    assert collect(store) == {f"index/{NAME}/snapshots/1-{first.snapshot_id}.json"}
    assert verify(store, second) == []
    store.now += 2 * HOUR
    used = {key for ref in second.segments for key, _, _ in ref.objects()}
    assert collect(store) == {*used, f"index/{NAME}/snapshots/2-{second.snapshot_id}.json"}
    assert verify(store, compacted) == []
    assert current(store, NAME) == compacted
    assert collect(store) == set()
    SnapshotReader.open(store, compacted, cache_dir=tmp_path, config=HNSW)


def test_a_lost_race_does_not_shorten_the_grace_of_the_winner(store, monkeypatch):
    media = make_batch(4)
    publish(store, NAME, AUDIO, media[:2], config=FLAT)
    put, rivals = store.put, []

    def with_rival(key, data, **kwargs):
        if "snapshots/2-" in key and not rivals:
            rivals.append(publish_rival())
            store.now += HOUR
            store.die_at = "CURRENT"
        return put(key, data, **kwargs)

    def publish_rival():
        rivals.append("started")
        return publish(store, NAME, AUDIO, media[2:3], config=FLAT)

    monkeypatch.setattr(store, "put", with_rival)
    with pytest.raises(KeyboardInterrupt):
        publish(store, NAME, AUDIO, media[3:], config=FLAT)
    store.die_at = ""
    winner = current(store, NAME)
    store.now += 100 * HOUR
    compact(store, NAME, config=FLAT)
    store.now += HOUR
    collect(store)
    assert verify(store, winner) == []


def test_leftovers_of_a_killed_publisher_go_after_the_grace_time(store):
    kept = publish(store, NAME, AUDIO, make_batch(2), config=FLAT)
    store.now += 10 * HOUR
    store.die_at = "snapshots/"
    with pytest.raises(KeyboardInterrupt):
        publish(store, NAME, AUDIO, make_batch(3), config=FLAT)
    orphans = store.keys() - {key for ref in kept.segments for key, _, _ in ref.objects()}
    orphans = {key for key in orphans if "/segments/" in key}
    assert len(orphans) == 2
    store.now += HOUR
    assert collect(store) == set()
    store.now += 2 * HOUR
    assert collect(store) == orphans
    assert verify(store, kept) == []


def test_a_publisher_that_runs_again_saves_its_old_leftovers(store):
    store.die_at = "snapshots/"
    with pytest.raises(KeyboardInterrupt):
        publish(store, NAME, AUDIO, make_batch(2), config=FLAT)
    store.now += 10 * HOUR
    with pytest.raises(KeyboardInterrupt):
        publish(store, NAME, AUDIO, make_batch(2), config=FLAT)
    assert collect(store) == set()
    store.die_at = ""
    assert verify(store, publish(store, NAME, AUDIO, make_batch(2), config=FLAT)) == []


def test_other_indexes_are_left_alone(store):
    publish(store, NAME, AUDIO, make_batch(2), config=FLAT)
    publish(store, f"{NAME}/2030-01-01", AUDIO, make_batch(2), config=FLAT)
    publish(store, f"{NAME}2", AUDIO, make_batch(2), config=FLAT)
    keys = store.keys()
    store.now += 10 * HOUR
    assert collect(store) == set()
    assert store.keys() == keys


def test_an_index_whose_pointer_is_lost_keeps_everything(store):
    publish(store, NAME, AUDIO, make_batch(2), config=FLAT)
    publish(store, NAME, AUDIO, make_batch(4), config=FLAT)
    store.delete(f"index/{NAME}/CURRENT")
    store.now += 10 * HOUR
    assert collect(store) == set()
