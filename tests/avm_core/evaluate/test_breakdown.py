"""Scores per edit, and intervals that a plain resample-and-score loop gives as well."""

from dataclasses import replace

import numpy as np
import pytest

from avm_core.errors import BadSettings
from avm_core.evaluate.breakdown import Upload, gains, score_by_edit
from avm_core.evaluate.metrics import score
from avm_core.evaluate.truth import TruthSegment
from avm_core.types import Match


def truth_row(ugc, start=0.0, end=20.0, licensed="film"):
    return TruthSegment(ugc, licensed, start, end, start + 100, end + 100)


def match(ugc, start=0.0, end=20.0, licensed="film", rating=0.9):
    return Match(
        ugc, licensed, start, end, start + 100, end + 100, 1.0, rating, "audio", rating, 0.0
    )


def upload(ugc, edit="noise", strength="light", clean=False):
    return Upload(ugc, edit, strength, 0.5, clean)


def example(count=30, seed=3):
    """Uploads of two edits and clean ones; found well, badly, twice or not at all."""
    rng = np.random.default_rng(seed)
    truth, matches, uploads = [], [], []
    for number in range(count):
        name, edit = f"u{number}", ("noise", "crop", "clean")[number % 3]
        uploads.append(upload(name, edit, ("light", "heavy")[number % 2], edit == "clean"))
        if edit != "clean":
            truth.append(truth_row(name, 5.0, 35.0))
            error = rng.uniform(-4, 4)
            if rng.random() < 0.8:
                sure = round(rng.uniform(0.3, 1), 1)  # rounded, so that some are equal
                matches.append(match(name, 5.0 + error, 35.0 + error / 2, rating=sure))
            if rng.random() < 0.3:
                matches.append(match(name, 30.0, 50.0, rating=0.5))
        if rng.random() < 0.2:
            matches.append(match(name, licensed="other"))
    return truth, matches, uploads


def test_every_edit_has_the_scores_of_its_own_uploads():
    truth, matches, uploads = example()
    result = score_by_edit(truth, matches, uploads, resamples=10)
    noisy = {u.ugc_id for u in uploads if u.edit == "noise"}
    expected = score(
        [row for row in truth if row.ugc_id in noisy], [m for m in matches if m.ugc_id in noisy]
    )
    got = result["edits"]["noise"]
    for name in ("final", "f1", "iou", "vcsl_f1", "micro_ap", "boundary_median_s", "matches"):
        assert got[name] == expected[name]
    assert set(result["strengths"]["crop"]) == {"light", "heavy"}
    assert result["overall"]["truth_segments"] == 20
    assert got["fp_per_clean_hour"] is None
    false = sum(m.ugc_id in {u.ugc_id for u in uploads if u.clean} for m in matches)
    assert false > 0
    assert result["overall"]["fp_per_clean_hour"] == pytest.approx(false / 5.0)


def test_found_counts_truth_rows_that_are_met_on_both_axes():
    truth = [truth_row("a"), truth_row("b"), truth_row("b", 40, 60)]
    beside = Match("b", "film", 0, 20, 300, 320, 1.0, 0.9, "audio", 0.9, 0.0)
    matches = [match("a", 10, 40), beside, match("b", 45, 50)]
    result = score_by_edit(truth, matches, [upload("a"), upload("b")], resamples=5)
    assert result["overall"]["found"] == pytest.approx(2 / 3)


def test_intervals_equal_those_of_resampling_and_scoring_again():
    """The oracle draws the same uploads, gives copies fresh ids, and scores them plainly."""
    truth, matches, uploads = example()
    resamples, seed = 60, 4
    result = score_by_edit(truth, matches, uploads, resamples=resamples, seed=seed)
    draws = np.random.default_rng(seed).multinomial(
        len(uploads), np.full(len(uploads), 1 / len(uploads)), size=resamples
    )
    names = ("final", "f1", "iou", "vcsl_f1", "micro_ap", "boundary_median_s")
    samples = {name: [] for name in names}
    false = []
    for counts in draws:
        rows, found, hours, wrong = [], [], 0.0, 0
        for chosen, count in zip(uploads, counts, strict=True):
            for copy in range(count):
                name = f"{chosen.ugc_id}-{copy}"
                rows += [_named(row, name) for row in truth if row.ugc_id == chosen.ugc_id]
                mine = [_named(m, name) for m in matches if m.ugc_id == chosen.ugc_id]
                found += mine
                if chosen.clean:
                    hours += chosen.hours
                    wrong += len(mine)
        scores = score(rows, found)
        for name, values in samples.items():
            values.append(scores[name])
        false.append(wrong / hours)
    samples["fp_per_clean_hour"] = false
    for name, values in samples.items():
        expected = np.percentile(values, [2.5, 97.5])
        assert result["overall"]["intervals"][name] == pytest.approx(expected), name


def _named(segment, name):
    return replace(segment, ugc_id=name)


def test_intervals_narrow_with_more_uploads_and_vanish_where_all_are_alike():
    def width(count):
        intervals = score_by_edit(*example(count))["overall"]["intervals"]["final"]
        return intervals[1] - intervals[0]

    assert width(300) < 0.6 * width(30)
    names = [f"u{n}" for n in range(8)]
    alike = score_by_edit(
        [truth_row(n) for n in names], [match(n) for n in names], [upload(n) for n in names]
    )
    assert alike["overall"]["intervals"]["final"] == [1.0, 1.0]
    assert alike["overall"]["intervals"]["boundary_median_s"] == [0.0, 0.0]


def test_matches_of_unknown_uploads_are_refused():
    with pytest.raises(BadSettings, match="upload 'x' is not in the list"):
        score_by_edit([truth_row("a")], [match("x")], [upload("a")])


def test_every_interval_holds_the_score_itself():
    result = score_by_edit(*example(60), resamples=200)
    for scores in (result["overall"], result["edits"]["noise"], result["edits"]["crop"]):
        for name, interval in scores["intervals"].items():
            if scores[name] is None:
                assert interval is None, name
            else:
                assert interval[0] <= scores[name] <= interval[1], name
                assert interval[0] < interval[1], name
    assert {"micro_ap", "found", "fp_per_clean_hour"} < set(result["overall"]["intervals"])
    clean = result["edits"]["clean"]
    assert clean["intervals"]["fp_per_clean_hour"][0] < clean["fp_per_clean_hour"]
    assert clean["boundary_median_s"] is clean["intervals"]["boundary_median_s"] is None


def test_edits_that_are_equally_good_in_every_upload_have_a_micro_ap_without_spread():
    names = [f"u{n}" for n in range(6)]
    halves = [match(n, 0.0, 10.0) for n in names]  # half the truth, nothing beside it
    result = score_by_edit([truth_row(n) for n in names], halves, [upload(n) for n in names])
    assert result["overall"]["micro_ap"] == pytest.approx(0.5)
    assert result["overall"]["intervals"]["micro_ap"] == pytest.approx([0.5, 0.5])


def test_the_same_seed_gives_the_same_intervals_and_another_seed_others():
    def final(seed):
        return score_by_edit(*example(), resamples=50, seed=seed)["overall"]["intervals"]["final"]

    assert final(1) == final(1)
    assert final(1) != final(2)


def test_a_set_without_uploads_or_without_matches_has_scores():
    nothing = score_by_edit([], [], [])
    assert nothing["overall"]["uploads"] == 0
    assert (nothing["overall"]["intervals"], nothing["edits"]) == ({}, {})
    unfound = score_by_edit([truth_row("a")], [], [upload("a")])["overall"]
    assert unfound["final"] == unfound["found"] == 0.0
    assert unfound["intervals"]["final"] == unfound["intervals"]["micro_ap"] == [0.0, 0.0]


def test_a_gain_is_sure_where_the_intervals_of_both_overlap():
    """Every upload is found a little better, hard ones and easy ones: that cannot be chance."""
    truth = [truth_row(f"u{n}") for n in range(24)]
    uploads = [upload(f"u{n}") for n in range(24)]
    errors = np.random.default_rng(5).uniform(1, 9, 24)
    base, better = (
        [match(f"u{n}", end=20.0 - error + more) for n, error in enumerate(errors)]
        for more in (0.0, 0.5)
    )
    old, new = (score_by_edit(truth, found, uploads)["overall"] for found in (base, better))
    assert new["intervals"]["iou"][0] < old["intervals"]["iou"][1]
    low, high = gains(truth, base, better, uploads)["iou"]
    assert 0 < low <= new["iou"] - old["iou"] <= high
    back = gains(truth, better, base, uploads)
    assert back["iou"] == pytest.approx([-high, -low])
    assert back["f1"] == [0.0, 0.0]
    assert gains(truth, base, [], uploads)["boundary_median_s"] is None


def test_a_gain_agrees_with_scoring_every_draw_of_both():
    truth, matches, uploads = example()
    worse = [m for n, m in enumerate(matches) if n % 3]
    rng = np.random.default_rng(0)
    draws = rng.multinomial(30, np.full(30, 1 / 30), size=50)
    differences = []
    for draw in draws:
        both = []
        for found in (worse, matches):
            rows, hits = [], []
            for number, times in enumerate(draw):
                for copy in range(times):
                    named = f"u{number}"
                    rows += [
                        replace(r, ugc_id=f"{named}-{copy}") for r in truth if r.ugc_id == named
                    ]
                    hits += [
                        replace(m, ugc_id=f"{named}-{copy}") for m in found if m.ugc_id == named
                    ]
            both.append(score(rows, hits)["final"])
        differences.append(both[1] - both[0])
    expected = np.percentile(differences, (2.5, 97.5))
    got = gains(truth, worse, matches, uploads, resamples=50)["final"]
    assert got == pytest.approx(expected.tolist())
