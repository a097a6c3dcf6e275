"""Which pairs are worth aligning, from windows found by an exact search."""

import numpy as np
import pytest

from avm_core.config import MatchConfig
from avm_core.match.candidates import find_candidates, merge_candidates
from avm_core.types import Candidate, Hits
from tests.builders import cut, make_fingerprint, make_tape, splice

CONFIG = MatchConfig()


def search(query, refs, *, k=50, bar=0.5):
    """What an exact index answers: up to k windows of all references per query window."""
    ids = tuple(refs)
    vectors = query.unit_vectors()
    rows = []
    for window in np.flatnonzero(query.valid):
        found = []
        for ordinal, ref in enumerate(refs.values()):
            scores = ref.unit_vectors() @ vectors[window]
            for at in np.flatnonzero((scores >= bar) & ref.valid):
                found.append((window, -scores[at], ordinal, ref.starts[at]))
        rows += sorted(found)[:k]
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    return Hits(
        ids,
        table[:, 0].astype(np.int64),
        table[:, 2].astype(np.int64),
        table[:, 3],
        -table[:, 1].astype(np.float32),
    )


@pytest.fixture(scope="module")
def tapes():
    return {name: make_tape(seed, 60.0) for seed, name in enumerate("abcd", start=50)}


@pytest.fixture(scope="module")
def titles(tapes):
    return {name: make_fingerprint(tape) for name, tape in tapes.items()}


@pytest.fixture(scope="module")
def upload(tapes):
    """30 s of a, 18 s of c, 12 s of something else."""
    return make_fingerprint(
        splice(cut(tapes["a"], 10, 40), cut(tapes["c"], 20, 38), make_tape(60, 12.0)), noise=0.3
    )


def test_the_titles_in_an_upload_are_found_best_first(upload, titles):
    found = find_candidates("upload", upload, search(upload, titles), CONFIG)
    assert [(c.query_id, c.ref_id) for c in found] == [("upload", "a"), ("upload", "c")]
    assert found[0].score == pytest.approx(30, abs=5)
    assert found[1].score == pytest.approx(18, abs=5)


def test_forward_and_reverse_search_find_the_same_pairs(tapes, titles, upload):
    uploads = {"upload": upload, "other": make_fingerprint(61)}
    forward = find_candidates("upload", upload, search(upload, titles), CONFIG)
    reverse = {}
    for name, title in titles.items():
        for candidate in find_candidates(name, title, search(title, uploads), CONFIG):
            reverse[candidate.ref_id, candidate.query_id] = candidate.score
    assert {(c.query_id, c.ref_id) for c in forward} == set(reverse)
    for candidate in forward:
        assert reverse[candidate.query_id, candidate.ref_id] == pytest.approx(
            candidate.score, abs=3
        )


@pytest.mark.parametrize("speed", [0.85, 1.2])
def test_a_copy_at_another_speed_is_a_candidate(tapes, titles, speed):
    query = make_fingerprint(splice(make_tape(62, 10.0), cut(tapes["b"], 5, 45, speed=speed)))
    found = find_candidates("upload", query, search(query, titles), CONFIG)
    assert [c.ref_id for c in found] == ["b"]


def test_hits_that_agree_on_no_line_are_no_candidate(upload):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        count = len(upload.starts)
        hits = Hits(
            ("noise", "never hit"),
            np.arange(count),
            np.zeros(count, np.int64),
            rng.uniform(0, 600, count),
            np.full(count, 0.9, np.float32),
        )
        assert find_candidates("upload", upload, hits, CONFIG) == []


def test_agreement_shorter_than_a_third_of_a_match_is_no_candidate(upload):
    for seconds, wanted in ((4.0, []), (6.0, ["a"])):
        count = round(seconds / 0.25)
        query = np.arange(40, 40 + count)
        hits = Hits(
            ("a",),
            query,
            np.zeros(count, np.int64),
            upload.starts[query] + 100.0,
            np.full(count, 0.9, np.float32),
        )
        assert [c.ref_id for c in find_candidates("u", upload, hits, CONFIG)] == wanted


def test_many_hits_of_one_window_count_once(upload):
    hits = Hits(
        ("a", "b"),
        np.repeat([5, 6], 100),
        np.zeros(200, np.int64),
        np.full(200, 30.0),
        np.full(200, 0.9, np.float32),
    )
    assert find_candidates("upload", upload, hits, CONFIG) == []


def test_at_most_so_many_candidates_are_kept(upload, titles):
    hits = search(upload, titles)
    for most, wanted in ((1, ["a"]), (2, ["a", "c"])):
        config = MatchConfig(max_candidates=most)
        found = find_candidates("upload", upload, hits, config)
        assert [c.ref_id for c in found] == wanted
        assert merge_candidates({"audio": found, "video": found[:1]}, config)[0].ref_id == "a"


def test_no_hits_no_candidates(upload):
    nothing = make_fingerprint(make_tape(1, 1.0))
    assert len(nothing.starts) == 0
    for query in (upload, nothing):
        assert find_candidates("upload", query, search(query, {}), CONFIG) == []


def test_scores_of_both_modalities_add_up():
    audio = [Candidate("u", "a", 10.0), Candidate("u", "b", 9.0)]
    video = [Candidate("u", "b", 5.0), Candidate("u", "c", 12.0)]
    merged = merge_candidates({"audio": audio, "video": video}, CONFIG)
    assert [(c.ref_id, c.score) for c in merged] == [("b", 14.0), ("c", 12.0), ("a", 10.0)]
    assert (
        merge_candidates({"audio": audio, "video": video}, MatchConfig(max_candidates=2))
        == (merged[:2])
    )
    assert merge_candidates({}, CONFIG) == []


def test_equal_scores_are_ordered_by_title():
    tied = [Candidate("u", name, 7.0) for name in "cab"]
    assert [c.ref_id for c in merge_candidates({"audio": tied}, CONFIG)] == ["a", "b", "c"]
