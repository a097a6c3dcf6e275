"""Scores per edit, and intervals that a plain resample-and-score loop gives as well."""

import numpy as np
import pytest

from avm_core.errors import BadSettings
from avm_core.evaluate.breakdown import Upload, score_by_edit
from avm_core.evaluate.metrics import score
from avm_core.evaluate.plots import write_plots
from avm_core.evaluate.tables import to_markdown
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
                matches.append(match(name, 5.0 + error, 35.0 + error / 2))
            if rng.random() < 0.3:
                matches.append(match(name, 30.0, 50.0))
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
    samples = {name: [] for name in ("final", "f1", "iou", "vcsl_f1", "boundary_median_s")}
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
    from dataclasses import replace

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


def test_tables_say_missing_and_never_zero():
    result = score_by_edit([truth_row("a")], [match("a")], [upload("a")], resamples=5)
    text = to_markdown({"ours": result, "theirs": {"missing": "install it"}})
    lines = text.splitlines()
    assert lines[2].startswith("| ours   | 1.000 [1.000, 1.000]")
    assert lines[3].count("missing") == 11
    assert "| `noise`      | 1.000 | missing |" in lines
    assert lines[-1] == "- theirs: missing, install it"
    assert len({line.count("|") for line in lines[:4]}) == 1


def test_plots_are_pictures_with_something_on_them(tmp_path):
    from PIL import Image

    truth, matches, uploads = example()
    result = score_by_edit(truth, matches, uploads, resamples=20)
    written = write_plots({"ours": result, "theirs": {"missing": "x"}}, tmp_path)
    assert [path.name for path in written] == ["overall.png", "edits.png"]
    for path in written:
        pixels = np.asarray(Image.open(path).convert("L"))
        assert min(pixels.shape) > 150
        assert (pixels < 128).mean() > 0.005
    assert write_plots({"theirs": {"missing": "x"}}, tmp_path) == []
