"""An index made anew: the same hits, and what others did meanwhile is kept."""

from __future__ import annotations

import pytest

from avm_core.errors import ChecksumMismatch, PreconditionFailed
from avm_core.index.rebuild import rebuild
from avm_core.index.snapshot import compact, current, media_ids, publish, verify
from tests.avm_core.index.builders import (
    AUDIO,
    FLAT,
    HNSW,
    NAME,
    assert_same_hits,
    make_batch,
    noisy_copy,
    open_current,
)


@pytest.fixture
def old(store):
    """m00…m03 in two segments, m01 removed."""
    publish(store, NAME, AUDIO, make_batch(2), config=FLAT)
    publish(store, NAME, AUDIO, make_batch(2, first=2), config=FLAT)
    return publish(store, NAME, AUDIO, [], remove=["m01"], config=FLAT)


def living():
    return [pair for pair in make_batch(4) if pair[0] != "m01"]


@pytest.mark.parametrize("config", [FLAT, HNSW])
def test_a_rebuilt_index_gives_the_same_hits(store, tmp_path, old, config):
    query = noisy_copy(make_batch(4)[2][1], seed=9)
    before = open_current(store, tmp_path).search(query, k=5, min_similarity=0.3)
    made = rebuild(store, old, [("", living())], config=config)
    assert made == current(store, NAME)
    assert (len(made.segments), made.tombstones, made.version) == (1, (), old.version + 1)
    assert made.segments[0].kind == ("hnsw" if config is HNSW else "flat")
    assert verify(store, made) == []
    assert media_ids(store, made) == {"m00": 1, "m02": 2, "m03": 2}
    after = open_current(store, tmp_path, config).search(query, k=5, min_similarity=0.3)
    assert_same_hits(after, before)


def test_what_is_published_or_removed_meanwhile_is_kept(store, old):
    publish(store, NAME, AUDIO, make_batch(1, first=4), config=FLAT)
    publish(store, NAME, AUDIO, [], remove=["m03", "m04"], config=FLAT)
    publish(store, NAME, AUDIO, make_batch(1, first=4), config=FLAT)
    made = rebuild(store, old, [("", living())], config=FLAT)
    assert media_ids(store, made) == {"m00": 1, "m02": 2, "m04": 6}


def test_a_compaction_meanwhile_is_a_lost_race(store, old):
    newest = compact(store, NAME, config=FLAT)
    with pytest.raises(PreconditionFailed, match="run it again"):
        rebuild(store, old, [("", living())], config=FLAT)
    assert current(store, NAME) == newest


@pytest.mark.parametrize("how", ["full", "compact"])
def test_the_pointer_stays_when_an_object_cannot_be_read_back(store, old, monkeypatch, how):
    real = type(store).put

    def torn(self, key, data, **kwargs):
        return real(self, key, data[:-1] if key.endswith(".jsonl") else data, **kwargs)

    monkeypatch.setattr(type(store), "put", torn)
    if how == "full":
        with pytest.raises(ChecksumMismatch, match="the old one goes on"):
            rebuild(store, old, [("", living())], config=FLAT)
    else:
        with pytest.raises(ChecksumMismatch, match="the old one goes on"):
            compact(store, NAME, config=FLAT, verified=True)
    assert current(store, NAME) == old
