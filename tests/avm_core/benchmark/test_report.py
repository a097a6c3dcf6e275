"""The Markdown of a whole report, on results made by hand."""

from __future__ import annotations

import pytest

from avm_core.benchmark.edits.types import Planted
from avm_core.benchmark.report import sizes_table, speed_table, stages_table, to_markdown
from avm_core.benchmark.sets.manifest import LicensedItem, SetManifest, Skipped, UgcItem
from avm_core.evaluate.breakdown import Upload, score_by_edit
from tests.avm_core.evaluate.builders import make_match, make_truth

COMMAND = "avm bench rivals --set tiny --report out/"
CHROMAPRINT = {
    "fingerprint_x": 250.0,
    "vs_decode": 1.5,
    "match_x": 12_345.6,
    "disk_mb_per_hour": 0.1,
    "ram_mb_per_hour": 0.3,
}
OURS = {
    "fingerprint_x": 62.5,
    "vs_decode": 11.27,
    "match_x": 1000.4,
    "disk_mb_per_hour": 0.05,
    "ram_mb_per_hour": 0.0,
    "vs_chromaprint": {"fingerprint_x": 0.25, "disk_mb_per_hour": 0.5, "match_x": 0.0810},
}
GONE = {"missing": "install it"}
STEPS = ("normalise", "preprocess", "context", "interval", "core", "whole")


def stage_numbers(base):
    """decode 100 * base, and each step a tenth of the one before."""
    found = {"core_decode_x": 100.0 * base, "decode_x": 200.0 * base}
    for place, step in enumerate(STEPS):
        found |= {f"{step}_x": base / 10**place, f"{step}_vs_decode": 100.0 * 10**place}
    sizes = {"disk_mb_per_hour": 1.444, "ram_mb_per_hour": 1.556, "media_seconds": 90.0}
    return found | sizes


def cells(table):
    """The cells of a table by line, without the rule below its header."""
    lines = [[c.strip() for c in line.strip("|").split(" | ")] for line in table.splitlines()]
    return lines[:1] + lines[2:]


@pytest.fixture(scope="module")
def manifest():
    """Two titles, one of them without a picture; a copy of both streams, a copy that keeps only
    the picture, and half an hour that is clean."""

    def planted(kept):
        return (Planted("film", 0, 30, 100, 130, 1.0, "", kept),)

    def upload(name, edit, stretches=(), *, audio=True):
        path = f"ugc/{name}.mp4"
        return UgcItem(name, path, 1800.0, audio, True, (), edit, "medium", "{}", stretches)

    titles = (
        LicensedItem("film", "licensed/film.mp4", 600.0, True, True, ("film",), copied=True),
        LicensedItem("song", "licensed/song.m4a", 200.0, True, False, ("song",), copied=False),
    )
    uploads = (
        upload("a", "noise", planted("both")),
        upload("b", "mute", planted("video"), audio=False),
        upload("c", "clean"),
    )
    return SetManifest("tiny", 1, titles, uploads, (Skipped("x.ogg", "broken"),))


@pytest.fixture(scope="module")
def scores():
    uploads = [Upload("a", "noise", "medium", 0.5, False), Upload("c", "clean", "", 0.5, True)]
    found = score_by_edit([make_truth("a")], [make_match("a")], uploads, resamples=5)
    return {"audio": {"ours": found, "theirs": GONE}, "video": {}, "both": {"ours": found}}


def test_the_report_says_what_made_it_and_holds_every_table_in_order(manifest, scores):
    speed = {"ours": OURS, "theirs": GONE}
    stages = {"audio": stage_numbers(2.0), "video": stage_numbers(3.0)}
    text = to_markdown(COMMAND, manifest, scores, speed, stages)
    lines = text.splitlines()
    assert lines[0] == "# Benchmark set `tiny`"
    assert lines[2] == f"Made by `{COMMAND}`: this file is generated, do not edit it by hand."
    assert [line for line in lines if line.startswith("## ")] == [
        "## Task `audio`",
        "## Task `both`",
        "## Speed and size",
        "## The stages of a fingerprint",
    ]
    first = [line.split("|")[1].strip() for line in lines if line.startswith("| ")]
    heads = ("task", "system", "edit (final)", "edit (f1, medium)", "stage", "fingerprints")
    per_task = ["system", "edit (final)", "edit (f1, medium)"]
    assert [name for name in first if name in heads] == [
        "task",
        *per_task,
        *per_task,
        "system",
        "stage",
        "fingerprints",
    ]
    # Once below the scores of the task and once below the speeds.
    assert lines.count("- theirs: missing, install it") == 2
    for table in (speed_table(speed), stages_table(stages), sizes_table(stages)):
        assert f"\n\n{table}\n" in text
    assert text.endswith("|\n")
    assert "\n\n\n" not in text


def test_the_set_is_counted_for_each_task(manifest, scores):
    text = to_markdown(COMMAND, manifest, scores, {}, {})
    counts = cells(text.split("\n\n")[2])
    assert counts == [
        ["task", "titles", "uploads", "planted stretches", "clean hours"],
        ["audio", "2", "2", "1", "0.500"],
        ["video", "1", "3", "2", "0.500"],
        ["both", "2", "3", "2", "0.500"],
    ]
    assert "\n\nSources and uploads that could not be used and were skipped: 1.\n" in text
    assert "## The stages" not in text


def test_speeds_have_few_digits_and_stand_beside_chromaprint():
    alone = {"fingerprint_x": 1.0, "disk_mb_per_hour": 1.0}
    table = speed_table(
        {"avm": OURS, "chromaprint": CHROMAPRINT | {"vs_chromaprint": alone}, "pdq": GONE}
    )
    assert cells(table) == [
        [
            "system",
            *("fingerprint x", "vs decode", "match x", "disk MB/h", "RAM MB/h"),
            *("fingerprint x vs chromaprint", "disk vs chromaprint"),
        ],
        ["avm", "62.5", "11.3", "1000", "0.0500", "0", "0.250", "0.500"],
        ["chromaprint", "250", "1.50", "12346", "0.100", "0.300", "1.00", "1.00"],
        ["pdq", *["missing"] * 7],
    ]
    # Without chromaprint nothing can be a multiple of it.
    (_, row) = cells(speed_table({"chromaprint": CHROMAPRINT}))
    assert row[-2:] == ["–", "–"]


def test_each_stage_of_each_modality_stands_beside_decoding():
    assert cells(stages_table({"audio": stage_numbers(2.0), "video": stage_numbers(3.0)})) == [
        ["stage", "audio x", "audio vs decode", "video x", "video vs decode"],
        ["decode, one core", "200", "1.00", "300", "1.00"],
        ["normalise", "2.00", "100", "3.00", "100"],
        ["preprocess", "0.200", "1000", "0.300", "1000"],
        ["context", "0.0200", "10000", "0.0300", "10000"],
        ["interval", "0.00200", "100000", "0.00300", "100000"],
        ["all stages, one core", "0.000200", "1000000", "0.000300", "1000000"],
        ["decode, all cores", "400", "1.00", "600", "1.00"],
        ["all stages, all cores", "0.0000200", "10000000", "0.0000300", "10000000"],
    ]
    alone = {"video": stage_numbers(3.0)}
    assert cells(stages_table(alone))[1] == ["decode, one core", "300", "1.00"]
    assert cells(sizes_table(alone)) == [
        ["fingerprints", "disk MB/h", "RAM MB/h", "seconds of media"],
        ["video", "1.44", "1.56", "90.0"],
    ]
