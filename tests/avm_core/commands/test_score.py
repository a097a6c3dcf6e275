"""`avm score` on a file and on a benchmark set, and what it says about bad input."""

import json

import pytest

from avm_core.benchmark.edits.types import Planted
from avm_core.benchmark.sets.manifest import SetManifest, UgcItem, write_manifest
from avm_core.cli import main

AVM = "ugc_id,licensed_id,ugc_start,ugc_end,licensed_start,licensed_end"
TRUTH = f"{AVM}\na,film,0,30,100,130\nb,film,0,30,100,130\n"
REPORT = {"score.json", "score.md", "overall.png", "edits.png"}


def item(name, edit, planted=(), *, audio=True, video=True):
    path, works = f"ugc/{name}.mp4", ("work",)
    return UgcItem(name, path, 1800.0, audio, video, works, edit, "light", "{}", planted)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """truth.csv, matches.csv and a set with two copies (one keeps only the picture), a clean
    upload, and one that has no sound."""
    monkeypatch.chdir(tmp_path)
    both, seen = (Planted("film", 0, 30, 100, 130, 1.0, "", kept) for kept in ("both", "video"))
    uploads = (
        item("a", "noise", (both,)),
        item("b", "new_sound", (seen,)),
        item("c", "clean"),
        item("d", "crop", (seen,), audio=False),
    )
    write_manifest(SetManifest("tiny", 1, (), uploads), tmp_path)
    (tmp_path / "truth.csv").write_text(TRUTH)
    (tmp_path / "matches.csv").write_text(TRUTH + "c,film,0,15,0,15\nd,film,0,30,100,130\n")
    return tmp_path


def avm_score(capsys, *arguments, code=0):
    assert main(["score", *arguments]) == code
    out, err = capsys.readouterr()
    return json.loads(out) if code == 0 else err


def test_a_truth_file_gives_every_metric_with_its_interval(home, capsys):
    arguments = ("--truth", "truth.csv", "--matches", "truth.csv", "--clean-hours", "4")
    scores = avm_score(capsys, *arguments)
    assert scores["final"] == scores["f1"] == scores["found"] == 1.0
    assert scores["intervals"]["final"] == [1.0, 1.0]
    assert scores["fp_per_clean_hour"] == 0.0
    assert scores["intervals"]["fp_per_clean_hour"] is None
    worse = avm_score(capsys, "--truth", "truth.csv", "--matches", "matches.csv")
    assert (worse["tp"], worse["fp"], worse["clean_false_positives"]) == (2, 2, 2)
    low, high = worse["intervals"]["f1"]
    assert worse["f1"] == pytest.approx(2 / 3)
    assert low < worse["f1"] < high


def test_a_set_is_scored_edit_by_edit_on_the_streams_of_the_task(home, capsys):
    given = ("--manifest", ".", "--matches", "matches.csv")
    both = avm_score(capsys, *given)
    assert set(both["edits"]) == {"noise", "new_sound", "clean", "crop"}
    assert (both["overall"]["tp"], both["overall"]["fp"]) == (3, 1)
    assert both["overall"]["fp_per_clean_hour"] == 2.0
    # Heard alone, b holds no copy (its match is false, but b is not clean), and d is not there.
    audio = avm_score(capsys, *given, "--task", "audio")
    assert set(audio["edits"]) == {"noise", "new_sound", "clean"}
    assert (audio["overall"]["tp"], audio["overall"]["fp"]) == (1, 2)
    assert audio["overall"]["fp_per_clean_hour"] == 2.0
    own = avm_score(capsys, *given, "--truth", "truth.csv")
    assert (own["overall"]["tp"], own["edits"]["crop"]["fp"]) == (2, 1)


def test_the_report_of_a_set_has_tables_and_pictures(home, capsys):
    given = ("--manifest", ".", "--matches", "matches.csv", "--report", "out/report")
    printed = avm_score(capsys, *given)
    folder = home / "out" / "report"
    assert {path.name for path in folder.iterdir()} == REPORT
    assert json.loads((folder / "score.json").read_text()) == {"matches": printed}
    assert "| `noise`      | 1.000   |" in (folder / "score.md").read_text()


def test_the_report_of_a_file_has_no_edits(home, capsys):
    given = ("--truth", "truth.csv", "--matches", "matches.csv", "--clean-hours", "0.5")
    avm_score(capsys, *given, "--report", "report")
    assert {p.name for p in (home / "report").iterdir()} == REPORT - {"edits.png"}
    assert "| 4.00 " in (home / "report" / "score.md").read_text()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a,film,-1,30,100,130", "starts before 0"),
        ("a,film,30,0,100,130", "ends at 0, not after its start 30"),
        ("a,film,0,30,130,130", "not after its start"),
        ("b,film,0,30,100,130", "repeats line 3"),
        ("a,film,0,soon,100,130", "expected a number"),
        ("a,film,0,30", "expected 6 values"),
        (",film,0,30,100,130", "ugc_id is empty"),
    ],
)
@pytest.mark.parametrize("bad", ["--truth", "--matches"])
def test_a_bad_line_of_either_file_is_named(home, capsys, row, reason, bad):
    (home / "bad.csv").write_text(f"{TRUTH}{row}\n")
    files = {"--truth": "truth.csv", "--matches": "matches.csv"} | {bad: "bad.csv"}
    said = avm_score(capsys, *(word for pair in files.items() for word in pair), code=2)
    assert "bad.csv, line 4: " in said
    assert reason in said


def test_unknown_columns_are_named(home, capsys):
    (home / "bad.csv").write_text(f"{AVM},colour\n")
    said = avm_score(capsys, "--truth", "bad.csv", "--matches", "matches.csv", code=2)
    assert "bad.csv, line 1: columns" in said
    assert "colour" in said


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "--truth GT.csv, or --manifest DIR"),
        (("--manifest", "nowhere"), "avm bench build"),
        (("--manifest", ".", "--clean-hours", "3"), "leave --clean-hours out"),
        (("--truth", "truth.csv", "--task", "audio"), "--task needs --manifest"),
        (("--truth", "truth.csv", "--clean-hours", "0"), "give hours > 0"),
        (("--truth", "truth.csv", "--report", "truth.csv/x"), "another --report"),
    ],
)
def test_what_cannot_be_scored_says_what_to_do(home, capsys, arguments, reason):
    assert reason in avm_score(capsys, "--matches", "matches.csv", *arguments, code=2)


def test_matches_on_uploads_from_elsewhere_are_refused(home, capsys):
    (home / "matches.csv").write_text(f"{AVM}\nz,film,0,30,100,130\n")
    said = avm_score(capsys, "--manifest", ".", "--matches", "matches.csv", code=2)
    assert "upload 'z' is not in the list" in said
