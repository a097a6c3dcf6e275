"""Planted copies are found where they were planted."""

import pytest

from avm_core.match.align import align
from tests.avm_core.match.planted import (
    BOTH,
    CONFIG,
    NEAR,
    assert_sane,
    assert_spans,
    found,
    prints,
    spans,
    spliced,
    tapes,
)
from tests.builders import make_tape, splice

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


@pytest.mark.parametrize("modality", BOTH)
def test_black_or_silence_beyond_the_title_is_not_claimed(modality):
    title, other = tapes(55, 60, (modality,)), tapes(56, 20, (modality,))
    for ugc, gap, wanted in (
        (spliced((title, 30, 60), (other, 0, 20)), (30.0, 50.0), (0, 30, 30, 60)),
        (spliced((other, 0, 20), (title, 0, 30)), (0.0, 20.0), (20, 50, 0, 30)),
    ):
        matches = align("u", "l", prints(ugc, invalid=gap), prints(title), CONFIG)
        assert_spans(matches, [wanted], near=1.0)


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
    both = found(ugc, title, noise=0.7)
    for modality in BOTH:
        alone = found({modality: ugc[modality]}, title, noise=0.7)
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


def test_of_repeats_in_a_title_the_one_that_was_copied_is_found():
    """Music repeats itself nearly: all repeats get as many votes, one is a little more alike."""
    for own, seed in ((0, 71), (1, 72), (2, 73), (1, 74), (2, 75), (0, 76)):
        passage = make_tape(seed, 30)
        repeats = [passage + 0.2 * make_tape(100 * seed + n, 30) for n in range(3)]
        title = {"audio": splice(*repeats)}
        other = {"audio": make_tape(seed + 50, 20)}
        ugc = {"audio": splice(other["audio"], repeats[own][20:], other["audio"][::-1])}
        matches = found(ugc, title, noise=0.1)
        assert spans(matches)[0][2] == pytest.approx(30 * own + 1, abs=NEAR)
