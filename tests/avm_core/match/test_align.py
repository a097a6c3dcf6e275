"""Planted copies are found where they were planted, and nothing else is."""

import dataclasses
import itertools

import numpy as np
import pytest

from avm_core.config import MatchConfig
from avm_core.match.align import align
from tests.builders import cut, make_fingerprint, make_tape, splice

CONFIG = MatchConfig()
BOTH = ("audio", "video")
# The synthetic windows climb in a straight line where real ones jump, which moves every cut
# out by up to 0.8 s; pictures are a second apart.
NEAR = 1.25


def prints(tapes, **options):
    return {m: make_fingerprint(tape, modality=m, **options) for m, tape in tapes.items()}


def tapes(seed, seconds, modalities=BOTH):
    return {m: make_tape(seed, seconds, m) for m in modalities}


def spliced(*parts):
    """Each part is tapes by modality, or (tapes, start, end[, speed])."""
    cuts = [
        part if isinstance(part, dict) else {m: _cut(t, *part[1:]) for m, t in part[0].items()}
        for part in parts
    ]
    return {m: splice(*(c[m] for c in cuts)) for m in cuts[0]}


def _cut(tape, start, end, speed=1.0):
    return cut(tape, start, end, speed=speed)


def found(ugc, licensed, config=CONFIG, *, noise=0.35, phase=0.0):
    """Matches of a noisy upload whose pictures are sampled half a second off."""
    upload = {m: make_fingerprint(t, modality=m, noise=noise) for m, t in ugc.items()}
    title = {
        m: make_fingerprint(t, modality=m, phase=0.5 if m == "video" else phase)
        for m, t in licensed.items()
    }
    return align("upload", "title", upload, title, config)


def spans(matches):
    return [(m.ugc_start, m.ugc_end, m.licensed_start, m.licensed_end) for m in matches]


def assert_spans(matches, wanted, near=NEAR):
    assert len(matches) == len(wanted), spans(matches)
    np.testing.assert_allclose(spans(matches), wanted, atol=near)


def assert_sane(matches, ugc_end, licensed_end):
    for match in matches:
        assert 0 <= match.ugc_start < match.ugc_end <= ugc_end
        assert 0 <= match.licensed_start < match.licensed_end <= licensed_end
        assert CONFIG.min_score <= match.score <= 1
        assert match.ugc_end - match.ugc_start >= CONFIG.min_duration - 1e-3
    for one, two in itertools.pairwise(matches):
        assert one.ugc_end <= two.ugc_start


# --- one copy ---------------------------------------------------------------------------------


@pytest.mark.parametrize("modalities", [("audio",), ("video",), BOTH])
@pytest.mark.parametrize(("start", "end"), [(30, 70), (11, 31), (55, 115)])
def test_a_copy_is_found_where_it_was_planted(modalities, start, end):
    for seed in (1, 20):
        title, other = tapes(seed, 120, modalities), tapes(seed + 1, 60, modalities)
        matches = found(spliced((other, 0, 20), (title, start, end), (other, 30, 60)), title)
        assert_spans(matches, [(20, 20 + end - start, start, end)])
        match = matches[0]
        assert (match.ugc_id, match.licensed_id, match.speed) == ("upload", "title", 1.0)
        assert match.modality == ("both" if len(modalities) == 2 else modalities[0])
        assert (match.audio_score > 0) == ("audio" in modalities)
        assert (match.video_score > 0) == ("video" in modalities)


@pytest.mark.parametrize("speed", [0.8, 0.9, 0.96, 1.0427, 1.1, 1.25])
@pytest.mark.parametrize("modalities", [("audio",), ("video",), BOTH])
def test_a_copy_at_another_speed_is_found(speed, modalities):
    title, other = tapes(3, 130, modalities), tapes(4, 60, modalities)
    ugc = spliced((other, 0, 20), (title, 30, 90, speed), (other, 30, 55))
    matches = found(ugc, title)
    assert_spans(matches, [(20, 20 + 60 / speed, 30, 90)], near=1.5)
    assert matches[0].speed == pytest.approx(speed, rel=0.02)


def test_the_speed_of_a_long_copy_is_exact():
    title = tapes(5, 400, ("audio",))
    for speed in (0.96, 1.0427):
        matches = found(spliced((title, 10, 390, speed)), title)
        assert_spans(matches, [(0, 380 / speed, 10, 390)])
        assert matches[0].speed == pytest.approx(speed, abs=1e-3)


@pytest.mark.parametrize(
    ("start", "end", "before", "after"),
    [(0, 40, 15, 15), (80, 120, 15, 15), (40, 80, 0, 20), (40, 80, 20, 0), (0, 120, 0, 0)],
)
@pytest.mark.parametrize("modalities", [("audio",), ("video",), BOTH])
def test_a_copy_at_the_very_start_or_end(start, end, before, after, modalities):
    title, other = tapes(6, 120, modalities), tapes(7, 60, modalities)
    ugc = spliced((other, 0, before), (title, start, end), (other, 30, 30 + after))
    matches = found(ugc, title)
    assert_spans(matches, [(before, before + end - start, start, end)])
    assert_sane(matches, before + end - start + after, 120)


def test_an_upload_that_goes_on_beyond_the_title_is_clipped():
    whole = tapes(8, 100)
    first, second = spliced((whole, 0, 60)), spliced((whole, 40, 100))
    for ugc, title, wanted in (
        (first, second, (40, 60, 0, 20)),
        (second, first, (0, 20, 40, 60)),
    ):
        matches = found(ugc, title)
        assert_spans(matches, [wanted])
        assert_sane(matches, 60, 60)


def test_the_position_does_not_depend_on_where_windows_start():
    title, other = tapes(9, 100, ("audio",)), tapes(10, 40, ("audio",))
    for shift in (0.1, 0.2):
        ugc = spliced((other, 0, 15 + shift), (title, 30, 60), (other, 20, 35))
        matches = found(ugc, title, phase=0.15)
        assert matches[0].licensed_start - matches[0].ugc_start == pytest.approx(
            15 - shift, abs=0.1
        )


# --- several copies ---------------------------------------------------------------------------


def test_two_stretches_in_order():
    title, other = tapes(11, 150), tapes(12, 60)
    ugc = spliced((title, 10, 40), (other, 0, 20), (title, 90, 130))
    assert_spans(found(ugc, title), [(0, 30, 10, 40), (50, 90, 90, 130)])


def test_two_stretches_in_swapped_order():
    title, other = tapes(13, 150), tapes(14, 60)
    ugc = spliced((title, 90, 130), (other, 0, 20), (title, 10, 40))
    matches = found(ugc, title)
    assert_spans(matches, [(0, 40, 90, 130), (60, 90, 10, 40)])
    assert_sane(matches, 90, 150)


def test_three_stretches_back_to_back():
    title = tapes(15, 200)
    ugc = spliced((title, 100, 130), (title, 10, 40), (title, 160, 190))
    matches = found(ugc, title)
    assert_spans(matches, [(0, 30, 100, 130), (30, 60, 10, 40), (60, 90, 160, 190)])
    assert_sane(matches, 90, 200)


def test_the_same_stretch_twice():
    title, other = tapes(16, 120), tapes(17, 60)
    ugc = spliced((title, 30, 60), (other, 0, 20), (title, 30, 60))
    assert_spans(found(ugc, title), [(0, 30, 30, 60), (50, 80, 30, 60)])


def test_a_passage_that_the_title_repeats_is_claimed_once():
    for modalities in (("audio",), ("video",), BOTH):
        first, chorus, bridge, last = (tapes(18 + i, 30, modalities) for i in range(4))
        title = spliced(first, chorus, bridge, chorus, last)
        matches = found(spliced(first, chorus, last), title)
        assert_sane(matches, 90, 150)
        assert matches[0].ugc_start == pytest.approx(0, abs=NEAR)
        assert matches[-1].ugc_end == pytest.approx(90, abs=NEAR)
        assert {round(m.licensed_start - m.ugc_start) for m in matches} == {0, 60}


@pytest.mark.parametrize("modalities", [("audio",), BOTH])
def test_a_piece_cut_out_of_the_title_leaves_two_matches(modalities):
    title, other = tapes(23, 120, modalities), tapes(24, 30, modalities)
    ugc = spliced((other, 0, 15), (title, 10, 45), (title, 55, 90))
    assert_spans(found(ugc, title), [(15, 50, 10, 45), (50, 85, 55, 90)], near=1.5)


def test_foreign_material_on_one_line():
    title, other = tapes(25, 120), tapes(26, 60)
    short = spliced((title, 10, 45), (other, 0, 4), (title, 49, 90))
    assert_spans(found(short, title), [(0, 80, 10, 90)])
    # More than `max_gap` of it: two matches with the same offset.
    long = spliced((title, 10, 45), (other, 0, 15), (title, 60, 90))
    assert_spans(found(long, title), [(0, 35, 10, 45), (50, 80, 60, 90)])


# --- two modalities ---------------------------------------------------------------------------


@pytest.mark.parametrize("carried", BOTH)
def test_the_other_modality_may_contradict(carried):
    for seed in (27, 31):
        title, other = tapes(seed, 120), tapes(seed + 1, 120)
        copy = spliced((other, 0, 20), (title, 30, 80), (other, 90, 110))
        foreign = tapes(seed + 2, 90)
        ugc = {m: copy[m] if m == carried else foreign[m] for m in BOTH}
        matches = found(ugc, title)
        assert_spans(matches, [(20, 70, 30, 80)])
        assert matches[0].modality == carried
        assert (matches[0].audio_score > 0) == (carried == "audio")
        assert (matches[0].video_score > 0) == (carried == "video")


def test_both_modalities_score_higher_than_one():
    title = tapes(35, 120)
    ugc = spliced((tapes(36, 20), 0, 20), (title, 30, 50), (tapes(37, 20), 0, 20))
    both = found(ugc, title, noise=0.9)
    for modality in BOTH:
        alone = found({modality: ugc[modality]}, title, noise=0.9)
        assert both[0].score > alone[0].score


def test_a_modality_on_one_side_only_does_not_count():
    title = tapes(38, 100)
    ugc = spliced((title, 20, 60))
    only = [{"audio": ugc["audio"]}, {"video": ugc["video"]}]
    for one, other in (only, only[::-1]):
        assert found(one, other) == []
        assert found(one, title) == found(one, one | title) != []
    assert found({}, title) == found(ugc, {}) == found({}, {}) == []


def test_each_modality_may_carry_a_part():
    title, other = tapes(39, 150), tapes(40, 150)
    copy = spliced((title, 20, 100))
    foreign = spliced((other, 20, 100))
    half = round(40 / 0.05)
    ugc = {
        "audio": splice(copy["audio"][:half], foreign["audio"][half:]),
        "video": splice(foreign["video"][:half], copy["video"][half:]),
    }
    matches = found(ugc, title)
    assert_spans(matches, [(0, 80, 20, 100)])
    assert matches[0].modality == "both"


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


def test_more_noise_gives_a_lower_score():
    title = tapes(70, 120)
    ugc = spliced((title, 30, 55))
    for modality in BOTH:
        one = {modality: ugc[modality]}
        scores = [found(one, title, noise=noise)[0].score for noise in (0.1, 0.4, 0.7)]
        assert scores == sorted(scores, reverse=True)
        assert scores[0] > scores[-1]
