"""`avm bench` on sets: what it refuses and what it writes."""

import json

import numpy as np
import pytest

from avm_core.benchmark import system_speed
from avm_core.benchmark.edits import Clip, Edit, make_copy
from avm_core.benchmark.sets.manifest import LicensedItem, SetManifest, UgcItem
from avm_core.cli import main
from avm_core.commands import bench_sets
from avm_core.errors import BadMedia
from avm_core.media.write import write_media
from tests.avm_core.media.makers import RATE, numbered

SECONDS = 30


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A set of one title and one upload, its copy of 25 s."""
    folder = tmp_path_factory.mktemp("tiny")
    rng = np.random.default_rng(5)
    tones = np.repeat(rng.uniform(300, 3000, 4 * SECONDS), RATE // 4)
    sound = 0.3 * np.sin(2 * np.pi * np.cumsum(tones) / RATE)
    pictures = (numbered(9000 + n) for n in range(SECONDS * 25))
    write_media(folder / "film.mp4", audio=sound.astype(np.float32), video=pictures)
    planted = make_copy([Clip(folder / "film.mp4", 3.0, 28.0)], folder / "copy.mp4", Edit("noise"))
    title = LicensedItem("film", "film.mp4", SECONDS, True, True, (), copied=True)
    upload = UgcItem(
        *("copy", "copy.mp4", 25.0, True, True, ()),
        *("noise", "medium", "{}", tuple(planted)),
    )
    return SetManifest("smoke", 1, (title,), (upload,)), folder


@pytest.fixture
def rivals(tiny, tmp_path, monkeypatch, capsys):
    """Runs `avm bench rivals` for the landmark hashes: the exit code and what was printed."""
    monkeypatch.setattr(bench_sets, "build", lambda _: tiny)

    def run(*more):
        report = ["--report", str(tmp_path / "out")]
        code = main(["bench", "rivals", "--only", "landmarks", *report, "--json", *more])
        return code, capsys.readouterr()

    return run


def test_rivals_writes_scores_speeds_stages_and_one_report_of_all(rivals, tmp_path, monkeypatch):
    monkeypatch.setenv("AVM_VIDEO_FINGERPRINTER", "")  # the network would take most of the time
    code, printed = rivals()
    assert code == 0
    result = json.loads(printed.out)
    assert result["tasks"]["audio"]["landmarks"]["f1"] == 1.0
    out = tmp_path / "out"
    # No system of the picture alone was asked for.
    names = {"audio", "both", "report.md", "speed.json", "stages.json"}
    assert {path.name for path in out.iterdir()} == names
    assert json.loads((out / "speed.json").read_text()) == result["speed"]
    assert json.loads((out / "stages.json").read_text()) == result["stages"]
    assert list(result["stages"]) == ["audio"]
    assert result["stages"]["audio"]["media_seconds"] == pytest.approx(SECONDS + 25, abs=0.5)
    text = (out / "report.md").read_text(encoding="utf-8")
    assert f"`avm bench rivals --set smoke --only landmarks --report {out}`" in text
    assert (out / "audio" / "score.md").read_text(encoding="utf-8").strip() in text
    assert "| `noise`           | 1.000     |" in text


def test_scores_stay_when_the_timing_fails(rivals, tmp_path, monkeypatch):
    def fail(*_):
        raise BadMedia("copy.mp4: a decoder refused it")

    monkeypatch.setattr(system_speed, "measure_systems", fail)
    code, printed = rivals()
    assert code != 0
    assert "a decoder refused it" in printed.err
    assert json.loads((tmp_path / "out" / "audio" / "score.json").read_text())["landmarks"]
    assert not (tmp_path / "out" / "report.md").exists()


def test_a_report_that_cannot_be_written_names_the_way_out(rivals, tmp_path):
    (tmp_path / "out").write_text("a file is in the way")
    code, printed = rivals()
    assert code == 2
    assert "choose another --report" in printed.err


def test_quality_without_a_fingerprinter_says_what_to_set_before_it_builds(
    monkeypatch, tmp_path, capsys
):
    monkeypatch.setenv("AVM_VIDEO_FINGERPRINTER", "")
    out = tmp_path / "set"
    for modality in ("video", "both"):
        arguments = ["--set", "smoke", "--out", str(out), "--modality", modality]
        assert main(["bench", "quality", *arguments]) == 2
        assert "set AVM_VIDEO_FINGERPRINTER" in capsys.readouterr().err
    assert not out.exists()


def test_scores_alone_need_no_timing(rivals, tmp_path, monkeypatch):
    def refuse(*_):
        raise AssertionError("timed, though --no-speed was given")

    monkeypatch.setattr(system_speed, "measure_systems", refuse)
    code, printed = rivals("--no-speed")
    assert code == 0
    assert json.loads(printed.out)["speed"] == {}
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "--no-speed`" in text
    assert "Speed and size" not in text
