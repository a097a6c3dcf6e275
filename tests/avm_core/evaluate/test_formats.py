"""Written matches read back as the same matches, in every file type and layout."""

from __future__ import annotations

import csv
import json
from dataclasses import astuple, replace

import pyarrow.parquet as pq
import pytest

from avm_core.errors import BadSettings
from avm_core.evaluate.formats import MATCH_COLUMNS, media_stem, write_matches
from avm_core.evaluate.truth import read_matches, read_truth
from tests.avm_core.evaluate.builders import make_match

MATCHES = [
    make_match("клип 1, часть", "фильм", at=(1.25, 31.0625), of=(100.1, 130.3), speed=1.0123),
    make_match("u2", 'quo"ted', at=(0, 17.5), of=(3, 20.5), score=0.123456789),
]
SUFFIXES = ["csv", "json", "parquet"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_avm_layout_round_trips(tmp_path, suffix):
    path = tmp_path / f"matches.{suffix}"
    write_matches(MATCHES, path)
    assert read_matches(path) == MATCHES


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("layout", ["avm", "rutube", "vsc"])
def test_no_matches_make_a_file_that_reads_as_none(tmp_path, suffix, layout):
    path = tmp_path / f"matches.{suffix}"
    write_matches([], path, layout=layout)
    assert read_matches(path) == []
    assert path.stat().st_size > 0


def test_csv_has_the_public_columns(tmp_path):
    path = tmp_path / "matches.csv"
    write_matches(MATCHES, path)
    rows = list(csv.reader(path.open(encoding="utf-8")))
    assert tuple(rows[0]) == MATCH_COLUMNS
    assert [len(row) for row in rows] == [11, 11, 11]
    assert rows[1][:4] == ["клип 1, часть", "фильм", "1.25", "31.0625"]


def test_json_and_parquet_keep_numbers(tmp_path):
    for suffix in ("json", "parquet"):
        write_matches(MATCHES, tmp_path / f"m.{suffix}")
    records = json.loads((tmp_path / "m.json").read_text(encoding="utf-8"))
    table = pq.read_table(tmp_path / "m.parquet")
    assert [tuple(record.values()) for record in records] == [astuple(m) for m in MATCHES]
    assert table.to_pylist() == records
    assert {str(field.type) for field in table.schema} == {"string", "double"}


def test_empty_parquet_has_the_schema_of_a_full_one(tmp_path):
    write_matches([], tmp_path / "none.parquet")
    write_matches(MATCHES, tmp_path / "some.parquet")
    assert pq.read_schema(tmp_path / "none.parquet") == pq.read_schema(tmp_path / "some.parquet")


def test_rutube_layout_has_stems_and_whole_seconds(tmp_path):
    path = tmp_path / "rutube.csv"
    matches = [
        make_match("ugc/a.b.mp4", "lib/c.MKV", at=(1.4, 31.6), of=(99.5, 130.4)),
        make_match("d", "e.v2", at=(0.1, 0.3), of=(7.9, 23.2)),
    ]
    write_matches(matches, path, layout="rutube")
    assert path.read_text(encoding="utf-8") == (
        "ID-piracy,SEG-piracy,ID-license,SEG-license\na.b,1-32,c,100-130\nd,0-1,e.v2,8-23\n"
    )


def test_rows_that_rounding_makes_equal_are_written_once(tmp_path):
    path = tmp_path / "rutube.csv"
    near = replace(MATCHES[1], ugc_end=17.6)
    write_matches([MATCHES[1], near, MATCHES[0]], path, layout="rutube")
    assert len(read_matches(path)) == 2


def test_vsc_layout(tmp_path):
    path = tmp_path / "vsc.csv"
    write_matches(MATCHES, path, layout="vsc")
    header, _, second = path.read_text(encoding="utf-8").splitlines()
    assert header == "query_id,ref_id,query_start,query_end,ref_start,ref_end,score"
    assert second == 'u2,"quo""ted",0.0,17.5,3.0,20.5,0.123456789'
    assert [match.score for match in read_matches(path)] == [0.9, 0.123456789]
    assert [row.licensed_end for row in read_truth(path)] == [130.3, 20.5]


def test_unknown_suffix_or_layout_is_refused(tmp_path):
    with pytest.raises(BadSettings, match=r"\.parquet"):
        write_matches(MATCHES, tmp_path / "matches.xlsx")
    with pytest.raises(BadSettings, match="rutube"):
        write_matches(MATCHES, tmp_path / "matches.csv", layout="coco")


@pytest.mark.parametrize(
    ("media_id", "stem"),
    [
        ("a.mp4", "a"),
        ("a.b.WebM", "a.b"),
        ("v1.2", "v1.2"),
        (".mp4", ".mp4"),
        ("a.mp4.mp4", "a.mp4"),
    ],
)
def test_media_stem(media_id, stem):
    assert media_stem(media_id) == stem
