"""Tables of results, cell by cell."""

import pytest

from avm_core.errors import BadSettings
from avm_core.evaluate.breakdown import Upload, score_by_edit
from avm_core.evaluate.tables import METRICS, to_markdown
from tests.avm_core.evaluate.builders import make_match, make_truth

UPLOADS = [
    Upload("a", "noise", "light", 0.5, clean=False),
    Upload("b", "crop", "light", 0.5, clean=False),
    Upload("c", "none", "", 0.5, clean=True),
]
TRUTH = [make_truth("a"), make_truth("b")]


def cells(line):
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def result(*matches, uploads=UPLOADS, truth=TRUTH):
    return score_by_edit(truth, matches, uploads, resamples=20)


def test_every_cell_of_the_overall_table():
    alike = [make_match("a"), make_match("b")]
    clean = [Upload(n, "noise", "light", 0.5, clean=False) for n in "ab"]
    text = to_markdown({"ours": result(*alike, uploads=clean)})
    header, rule, row = (cells(line) for line in text.splitlines()[:3])
    assert len(header) == len(rule) == len(row) == len(METRICS) + 1
    one = "1.000 [1.000, 1.000]"
    assert dict(zip(header, row, strict=True)) == {
        "system": "ours",
        "final": one,
        "F1": one,
        "IoU": one,
        "VCSL F1": one,
        "µAP": one,
        "found": one,
        "match ratio": "1.00",
        "boundary median s": "0.00 [0.00, 0.00]",
        "boundary p90 s": "0.00",
        "speed error": "0.0000",
        "FP per clean h": "–",
    }
    assert set(rule[0]) == {"-"}


def test_cells_per_edit_and_columns_that_line_up():
    # crop: 20 of 30 seconds on both axes, IoU (2/3)^2, F1 1: final 2 * 4/9 / (13/9) = 8/13.
    half = make_match("b", at=(0, 20), of=(100, 120))
    spurious = make_match("c")
    results = {"ours": result(make_match("a"), half, spurious), "mute": result()}
    lines = to_markdown(results | {"theirs": {"missing": "install it"}}).splitlines()
    edits = lines[lines.index("") + 1 :]
    assert [cells(line) for line in edits[:1] + edits[2:4]] == [
        ["edit (final)", "ours", "mute", "theirs"],
        ["`noise`", "1.000", "0.000", "missing"],
        ["`crop`", "0.615", "0.000", "missing"],
    ]
    assert len({len(line) for line in lines[:5]}) == len({len(line) for line in edits[:4]}) == 1
    assert not any("`none`" in line for line in lines)
    assert set(cells(lines[4])[1:]) == {"missing"}
    assert cells(lines[4])[0] == "theirs"
    assert lines[-1] == "- theirs: missing, install it"
    assert cells(lines[2])[-1].startswith("2.00")  # one false match in half a clean hour


def test_chosen_metrics_and_the_share_found_per_edit():
    half = make_match("b", at=(0, 20), of=(100, 120))
    results = {"ours": result(make_match("a"), half, uploads=UPLOADS[:2])}
    text = to_markdown(results, metrics=("f1", "boundary_p90_s"), per_edit="found")
    lines = text.splitlines()
    assert cells(lines[0]) == ["system", "F1", "boundary p90 s"]
    assert cells(lines[2]) == ["ours", "1.000 [1.000, 1.000]", "10.00"]
    assert cells(lines[4]) == ["edit (found)", "ours"]
    assert cells(lines[7]) == ["`crop`", "1.000"]
    for wrong in ({"metrics": ("beauty",)}, {"per_edit": "beauty"}):
        with pytest.raises(BadSettings, match="beauty"):
            to_markdown(results, **wrong)


def test_a_bar_in_a_name_does_not_end_the_cell_and_no_edits_make_no_table():
    text = to_markdown({"a|b": result(truth=[], uploads=UPLOADS[2:])})
    assert "a\\|b" in text
    assert "edit (" not in text


def test_cells_per_edit_at_one_strength():
    uploads = [
        Upload("a", "noise", "medium", 0.5, clean=False),
        Upload("b", "noise", "heavy", 0.5, clean=False),
        Upload("c", "crop", "heavy", 0.5, clean=False),
        Upload("d", "none", "medium", 0.5, clean=True),
        Upload("e", "blur", "medium", 0.5, clean=False),
    ]
    truth = [make_truth(name) for name in "abce"]
    # Of noise, ours finds the medium copy, and a wrong title in it; the heavy one is missed.
    ours = result(make_match("a"), make_match("a", "other"), uploads=uploads, truth=truth)
    deaf = result(uploads=uploads[1:3], truth=truth[1:3])  # its task has no medium copy
    results = {"ours": ours, "deaf": deaf, "theirs": {"missing": "install it"}}
    text = to_markdown(results)
    tables = [[cells(line) for line in part.splitlines()] for part in text.split("\n\n")]
    assert [table[0][0] for table in tables[:3]] == ["system", "edit (final)", "edit (f1, medium)"]
    assert tables[3] == [["- theirs: missing, install it"]]
    # Two thirds: one true, one false. Crop has no medium copy, and nothing is planted in `none`.
    assert tables[2][2:] == [
        ["`noise`", "0.667", "–", "missing"],
        ["`blur`", "0.000", "–", "missing"],
    ]
    assert [row[0] for row in tables[1][2:]] == ["`noise`", "`crop`", "`blur`"]
    heavy = to_markdown(results, at_strength=("found", "heavy")).split("\n\n")[2].splitlines()
    assert [cells(line) for line in heavy[:1] + heavy[2:]] == [
        ["edit (found, heavy)", "ours", "deaf", "theirs"],
        ["`noise`", "0.000", "0.000", "missing"],
        ["`crop`", "0.000", "0.000", "missing"],
    ]
    assert "light" not in to_markdown(results, at_strength=("f1", "light"))
