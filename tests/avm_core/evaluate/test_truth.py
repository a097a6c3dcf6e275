"""Ground truth and matches are read from every layout; a bad line is named with its reason."""

from __future__ import annotations

import json

import pytest

from avm_core.errors import BadSettings
from avm_core.evaluate.truth import TruthSegment, read_matches, read_truth
from avm_core.types import Match

SEGMENT = TruthSegment("u1", "l1", 10.0, 40.0, 100.0, 131.5)
OTHER = TruthSegment("u2", "l2", 0.0, 15.0, 5.0, 20.0)
RUTUBE = "ID-piracy,SEG-piracy,ID-license,SEG-license\n"
AVM = "ugc_id,licensed_id,ugc_start,ugc_end,licensed_start,licensed_end\n"


def write(tmp_path, text, name="truth.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        RUTUBE + "u1,10-40,l1,100-131.5\nu2,0-15,l2,5-20\n",
        RUTUBE + "u1.mp4,10.0-40,l1.mp4,100 - 131.5\r\nu2.MP4,0-15,l2,5-20\r\n",
        "ID_piracy,segment,ID_license,segment.1\nu1.mp4,10-40,l1,100-131.5\nu2,0-15,l2,5-20\n",
        "\ufeffSEG-license,ID-license,SEG-piracy,ID-piracy\n100-131.5,l1,10-40,u1\n5-20,l2,0-15,u2",
        AVM + "u1,l1,10,40,100,131.5\nu2.mov,l2,0,15,5,20\n",
        "query_id,ref_id,query_start,query_end,ref_start,ref_end\nu1,l1,10,40,100,131.5\n"
        "u2,l2,0,15,5,20\n",
    ],
)
def test_truth_in_every_layout(tmp_path, text):
    assert read_truth(write(tmp_path, text)) == [SEGMENT, OTHER]


def test_truth_as_json(tmp_path):
    rows = [
        {"ID-piracy": "u1", "SEG-piracy": "10-40", "ID-license": "l1", "SEG-license": "100-131.5"},
        {"ID-piracy": "u2", "SEG-piracy": "0-15", "ID-license": "l2", "SEG-license": "5-20"},
    ]
    assert read_truth(write(tmp_path, json.dumps(rows), "truth.json")) == [SEGMENT, OTHER]


def test_speed_of_truth_is_licensed_seconds_per_ugc_second():
    assert SEGMENT.speed == pytest.approx(1.05)
    assert OTHER.speed == 1.0


def test_matches_fill_in_what_a_layout_lacks(tmp_path):
    bare = read_matches(write(tmp_path, RUTUBE + "u1,10-40,l1,100-131.5\nu2,0-15,l2,5-20\n"))
    times = (10.0, 40.0, 100.0, 131.5)
    assert bare[0] == Match("u1", "l1", *times, speed=1.05, score=1.0, modality="both")
    text = AVM.replace("\n", ",score,modality\n") + "u1,l1,10,40,100,131.5,0.7,video\n"
    (full,) = read_matches(write(tmp_path, text))
    assert (full.score, full.modality, full.speed) == (0.7, "video", 1.05)


def test_two_segments_of_one_pair_are_not_duplicates(tmp_path):
    text = RUTUBE + "u,0-20,l,0-20\nu,30-50,l,0-20\n"
    assert len(read_truth(write(tmp_path, text))) == 2


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("u,40-10,l,0-30", "ends at 10, not after its start 40"),
        ("u,10-10,l,0-30", "not after its start"),
        ("u,-5-10,l,0-30", "no negative"),
        ("u,5,l,0-30", "start-end"),
        ("u,a-b,l,0-30", "expected a number"),
        ("u,0-nan,l,0-30", "finite"),
        ("u,0-30,l,0-inf", "finite"),
        (",0-30,l,0-30", "ugc_id is empty"),
        ("u,0-30,,0-30", "licensed_id is empty"),
        ("u,0-30,l", "expected 4 values"),
        ("u,0-30,l,0-30,9", "expected 4 values"),
        ("good.mp4,0-20,l,0-20", "repeats line 2"),
    ],
)
def test_a_bad_rutube_line_is_named_with_its_reason(tmp_path, row, reason):
    path = write(tmp_path, f"{RUTUBE}good,0-20,l,0-20\n{row}\n", "gt.csv")
    for read in (read_truth, read_matches):
        with pytest.raises(BadSettings, match=r"gt\.csv, line 3: ") as caught:
            read(path)
        assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("u,l,-1,10,0,10,0.5", "starts before 0: -1"),
        ("u,l,0,10,20,10,0.5", "licensed segment ends at 10"),
        ("u,l,0,x,20,30,0.5", "ugc_end is 'x'"),
        ("u,l,0,10,20,30,high", "score is 'high'"),
    ],
)
def test_a_bad_line_of_our_own_columns_is_named(tmp_path, row, reason):
    header = AVM.replace("\n", ",score\n")
    path = write(tmp_path, f"{header}a,b,0,20,0,20,1\n{row}\n")
    with pytest.raises(BadSettings, match=r"line 3") as caught:
        read_matches(path)
    assert reason in str(caught.value)


def test_a_wrong_modality_is_refused(tmp_path):
    text = AVM.replace("\n", ",modality\n") + "u,l,0,20,0,20,smell\n"
    with pytest.raises(BadSettings, match="smell"):
        read_matches(write(tmp_path, text))


@pytest.mark.parametrize(
    "header",
    [
        "a,b,c",
        "ID-piracy,SEG-piracy,ID-license",
        AVM.strip() + ",colour",
        AVM.strip() + ",ugc_id",
        "",
    ],
)
def test_unknown_missing_or_repeated_columns_are_refused(tmp_path, header):
    with pytest.raises(BadSettings, match=r"line 1: columns"):
        read_truth(write(tmp_path, header + "\n"))


@pytest.mark.parametrize(
    ("name", "text"),
    [("t.json", "{"), ("t.json", '{"a": 1}'), ("t.json", "[1]"), ("t.parquet", "x"), ("t.txt", "")],
)
def test_files_of_another_kind_are_refused(tmp_path, name, text):
    with pytest.raises(BadSettings, match=name.replace(".", r"\.")):
        read_truth(write(tmp_path, text, name))


def test_a_missing_or_binary_file_is_refused(tmp_path):
    with pytest.raises(BadSettings, match="cannot be read"):
        read_truth(tmp_path / "none.csv")
    path = tmp_path / "binary.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadSettings, match="cannot be read"):
        read_truth(path)
