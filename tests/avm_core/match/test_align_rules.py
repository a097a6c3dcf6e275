"""What is no match, what is not looked at, and what every alignment promises."""

import dataclasses
import itertools

import numpy as np
import pytest

from avm_core.config import MatchConfig
from avm_core.match import align as align_module
from avm_core.match.align import align
from avm_core.match.vote import Votes
from tests.avm_core.match.planted import (
    BOTH,
    CONFIG,
    assert_spans,
    found,
    prints,
    spans,
    spliced,
    tapes,
)
from tests.builders import make_tape

# --- what is no match -------------------------------------------------------------------------


@pytest.mark.parametrize("modalities", [("audio",), ("video",), BOTH])
def test_unrelated_contents_never_match(modalities):
    for seed in range(100, 130):
        ugc, title = tapes(seed, 90, modalities), tapes(seed + 1000, 120, modalities)
        assert found(ugc, title) == []


@pytest.mark.parametrize("modalities", [("audio",), ("video",), BOTH])
def test_a_copy_below_the_shortest_match_is_not_reported(modalities):
    title, other = tapes(41, 100, modalities), tapes(42, 100, modalities)
    for seconds in (5, 12):
        ugc = spliced((other, 0, 30), (title, 40, 40 + seconds), (other, 50, 80))
        assert found(ugc, title) == []
    shorter = MatchConfig(min_duration=9.0)
    assert_spans(found(ugc, title, shorter), [(30, 42, 40, 52)])


@pytest.mark.parametrize("modality", BOTH)
def test_a_static_content_does_not_match_itself(modality):
    still = {modality: np.tile(make_tape(43, 0.05, modality), (1600, 1))}
    assert found(still, still, noise=0.0) == []
    assert found(still, still, noise=0.2) == []


def test_a_static_stretch_in_a_copy_does_not_move_it():
    for modality in BOTH:
        title = make_tape(44, 120, modality)
        title[round(50 / 0.05) : round(60 / 0.05)] = title[round(50 / 0.05)]
        ugc = spliced((tapes(45, 20, (modality,)), 0, 20), ({modality: title}, 30, 90))
        assert_spans(found(ugc, {modality: title}), [(20, 80, 30, 90)])


def test_a_loop_says_where_only_if_it_is_longer_than_a_window():
    for seconds, wanted in ((4.0, []), (20.0, [(0, 80, 0, 80)])):
        loop = {"audio": np.tile(make_tape(46, seconds), (round(80 / seconds), 1))}
        assert_spans(found(loop, loop), wanted)


def test_empty_and_tiny_fingerprints_do_not_match():
    title = tapes(47, 60)
    empty = {m: tape[:0] for m, tape in title.items()}
    tiny = {m: tape[:90] for m, tape in title.items()}
    for ugc, licensed in itertools.product((empty, tiny, title), repeat=2):
        if ugc is not title or licensed is not title:
            assert found(ugc, licensed) == []


# --- validity ---------------------------------------------------------------------------------


def test_windows_that_are_not_valid_are_not_looked_at():
    title = tapes(48, 100, ("audio",))
    ugc = spliced((title, 20, 70))
    upload, licensed = prints(ugc), prints(title)
    wanted = align("u", "l", upload, licensed, CONFIG)
    assert len(wanted) == 1
    for side in (upload, licensed):
        one = side["audio"]
        none = {"audio": dataclasses.replace(one, valid=np.zeros_like(one.valid))}
        pair = (none, licensed) if side is upload else (upload, none)
        assert align("u", "l", *pair, CONFIG) == []
    # Garbage behind the mask changes nothing.
    masked = prints(ugc, invalid=(20.0, 24.0))["audio"]
    garbage = masked.descriptors.copy()
    garbage[~masked.valid] = 55
    broken = dataclasses.replace(masked, descriptors=garbage)
    first = align("u", "l", {"audio": masked}, licensed, CONFIG)
    assert first == align("u", "l", {"audio": broken}, licensed, CONFIG)
    assert_spans(first, [(0, 50, 20, 70)])


def test_silence_inside_a_copy_does_not_end_it():
    title = tapes(49, 100, ("audio",))
    upload = prints(spliced((title, 20, 80)), invalid=(25.0, 29.0))
    matches = align("u", "l", upload, prints(title), CONFIG)
    assert_spans(matches, [(0, 60, 20, 80)])


def test_a_rival_is_fitted_once_while_its_votes_stay(monkeypatch):
    """Excerpts in falling order: the line of each is a rival to those of the others."""
    title = tapes(55, 200)
    ugc = spliced(*((title, start, start + 20) for start in (160, 120, 80, 40, 0)))
    fitted, asked = [], []
    fit, best = align_module.fit_line, Votes.best

    def counted(evidence, line):
        fitted.append((line.speed, line.offset, round(line.votes, 6)))
        return fit(evidence, line)

    monkeypatch.setattr(align_module, "fit_line", counted)
    monkeypatch.setattr(Votes, "best", lambda self: asked.append(self) or best(self))
    assert len(found(ugc, title)) == 5
    assert len(set(fitted)) == len(fitted) < len(asked) / 2


# --- promises ---------------------------------------------------------------------------------


def test_equal_input_gives_equal_matches():
    title = tapes(50, 120)
    ugc = spliced((title, 70, 110, 1.05), (tapes(51, 20), 0, 20), (title, 10, 40))
    first = found(ugc, title)
    assert len(first) == 2
    assert found(ugc, title) == first


def test_swapping_the_sides_swaps_the_spans():
    title = tapes(52, 120)
    ugc = spliced((tapes(53, 20), 0, 20), (title, 30, 80), (tapes(54, 20), 0, 15))
    one = found(ugc, title, noise=0.0)[0]
    two = align("title", "upload", prints(title), prints(ugc), CONFIG)[0]
    assert spans([one])[0] == pytest.approx(spans([two])[0][2:] + spans([two])[0][:2], abs=1.5)


@pytest.mark.parametrize("lowest", [0.0, 0.999])
def test_the_lowest_score_is_kept(lowest):
    config = MatchConfig(min_score=lowest)
    for seed in range(60, 66):
        title, other = tapes(seed, 90), tapes(seed + 10, 90)
        ugc = spliced((other, 0, 20), (title, 30, 50), (other, 40, 60))
        matches = found(ugc, title, config, noise=1.1)
        assert all(m.score > 0 and m.score >= lowest for m in matches)
        assert all(m.audio_score > 0 or m.video_score > 0 for m in matches)


def test_evidence_in_too_little_of_a_stretch_is_no_match_at_any_score():
    title = tapes(66, 100, ("audio",))
    upload, licensed = prints(spliced((title, 20, 80))), prints(title)
    assert len(align("u", "l", upload, licensed, CONFIG)) == 1
    for every in (12, 16):
        valid = np.arange(len(upload["audio"].valid)) % every == 0
        sparse = {"audio": dataclasses.replace(upload["audio"], valid=valid)}
        assert align("u", "l", sparse, licensed, MatchConfig(min_score=0.0)) == []


def test_more_noise_gives_a_lower_score():
    title = tapes(70, 120)
    ugc = spliced((title, 30, 55))
    for modality in BOTH:
        one = {modality: ugc[modality]}
        scores = [found(one, title, noise=noise)[0].score for noise in (0.1, 0.4, 0.7)]
        assert scores == sorted(scores, reverse=True)
        assert scores[0] > scores[-1]
