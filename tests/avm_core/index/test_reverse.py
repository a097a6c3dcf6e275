"""Searched backwards, each stored media has the hits of its own forward search."""

from __future__ import annotations

import numpy as np
import pytest

from avm_core.config import IndexConfig
from avm_core.errors import IndexMismatch
from avm_core.index import reverse as reverse_module
from avm_core.index.exact import ExactIndex
from avm_core.index.reverse import search_back
from avm_core.index.segment import searchable
from avm_core.index.snapshot import publish
from tests.avm_core.index.builders import (
    AUDIO,
    FLAT,
    HNSW,
    NAME,
    OTHER,
    make_batch,
    make_fingerprint,
    noisy_copy,
    open_current,
)

CONFIGS = {"flat": FLAT, "hnsw": HNSW, "device": IndexConfig(device="cpu:0")}


def back(store, cache, probe, config, k, floor):
    reader = open_current(store, cache, config)
    return {hits.media_id: hits for hits in search_back(reader, probe, k=k, min_similarity=floor)}


def check(found, media, probe, k, floor):
    """Against a forward search of every stored media in an index of the probe alone."""
    oracle, seen = ExactIndex([("probe", probe)]), set()
    for name, fingerprint in media:
        expected = oracle.search(fingerprint, k=k, min_similarity=floor)
        if not len(expected.query):
            continue
        seen.add(name)
        hits, windows = found[name], searchable(fingerprint)
        np.testing.assert_array_equal(hits.starts, fingerprint.starts[windows])
        np.testing.assert_array_equal(windows[hits.window], expected.query)
        np.testing.assert_array_equal(probe.starts[hits.probe], expected.ref_start)
        np.testing.assert_array_equal(hits.score, expected.score)
    assert set(found) == seen
    return seen


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@pytest.mark.parametrize(("k", "floor"), [(1, 0.5), (3, 0.0), (500, 0.3)])
def test_hits_are_those_of_the_forward_search(store, tmp_path, config, k, floor):
    media = make_batch(7)
    valid = np.arange(40) % 5 != 2
    media.append(("holes", make_fingerprint(3, windows=40, valid=valid)))
    publish(store, NAME, AUDIO, media[:3], config=config)
    publish(store, NAME, AUDIO, media[3:], config=config)
    probe = noisy_copy(media[3][1], seed=11, begin=4, end=20)
    probe.valid[5] = False
    found = back(store, tmp_path, probe, config, k, floor)
    assert {"m03", "holes"} <= check(found, media, probe, k, floor)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_no_upload_hides_another(store, tmp_path, config):
    jingle = make_fingerprint(1, windows=12)
    media = [(f"u{number:03d}", jingle) for number in range(150)]
    publish(store, NAME, AUDIO, media, config=config)
    probe = noisy_copy(jingle, seed=2)
    found = back(store, tmp_path, probe, config, 2, 0.5)
    assert len(found) == 150
    if config is not HNSW:  # a graph of 150 equals reaches most of them
        check(found, media, probe, 2, 0.5)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_removed_media_have_no_hits(store, tmp_path, config):
    media = make_batch(5)
    publish(store, NAME, AUDIO, media, config=config)
    publish(store, NAME, AUDIO, [], remove=["m01", "m04"], config=config)
    found = back(store, tmp_path, media[1][1], config, 3, -1.0)
    left = [item for item in media if item[0] not in ("m01", "m04")]
    assert len(check(found, left, media[1][1], 3, -1.0)) == 3


@pytest.mark.parametrize("most", [8, 64, 4096])
def test_windows_that_a_graph_cannot_settle_are_scanned(store, tmp_path, monkeypatch, most):
    monkeypatch.setattr(reverse_module, "MAX_GRAPH_NEIGHBOURS", most)
    monkeypatch.setattr(reverse_module, "_FIRST_NEIGHBOURS", 4)
    monkeypatch.setattr(reverse_module, "ROWS_AT_ONCE", 50)
    twins = [(f"t{number:02d}", make_fingerprint(3, windows=23)) for number in range(20)]
    media = make_batch(6) + twins
    publish(store, NAME, AUDIO, media, config=HNSW)
    probe = noisy_copy(media[3][1], seed=9)
    check(back(store, tmp_path, probe, HNSW, 5, 0.4), media, probe, 5, 0.4)


def test_a_limit_asks_a_graph_once_and_finds_the_nearest_uploads(store, tmp_path, monkeypatch):
    media = make_batch(8)
    publish(store, NAME, AUDIO, media, config=HNSW)
    monkeypatch.setattr(reverse_module, "nearest_on", None)  # no scan
    config = HNSW.model_copy(update={"back_neighbours": 3})
    probe = noisy_copy(media[3][1], seed=9)
    found = back(store, tmp_path, probe, config, 50, -1.0)
    assert sum(len(hits.window) for hits in found.values()) == 3 * len(probe.starts)
    best = found["m03"]
    copied = best.window == best.probe
    np.testing.assert_array_equal(best.window[copied], np.arange(len(probe.starts)))


def test_a_probe_of_another_fingerprinter_is_refused_with_both_names(store, tmp_path):
    publish(store, NAME, AUDIO, make_batch(2), config=FLAT)
    with pytest.raises(IndexMismatch, match=f"{OTHER}.*{AUDIO}"):
        back(store, tmp_path, make_fingerprint(1, fingerprinter=OTHER), FLAT, 3, 0.0)


def test_an_empty_index_has_no_hits(store, tmp_path):
    publish(store, NAME, AUDIO, [], config=FLAT)
    assert back(store, tmp_path, make_fingerprint(1), FLAT, 3, -1.0) == {}
