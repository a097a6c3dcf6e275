"""The smoke set, built and scored through the command line: floors on quality, not on time."""

import json

import pytest

from avm_core.benchmark.quality import kept_print
from avm_core.benchmark.rivals.registry import systems
from avm_core.benchmark.sets.manifest import read_manifest
from avm_core.cli import main
from avm_core.evaluate.truth import read_truth
from avm_core.media.write import AudioFormat, write_media

# Well below what this version reaches (docs/benchmarks.md), far above any regression.
FLOORS = {"audio": 0.93, "video": 0.88, "both": 0.93}


@pytest.fixture(scope="module")
def smoke(smoke_sets):
    return smoke_sets


def bench(capsys, smoke, *arguments):
    out = ["--set", "smoke", "--out", str(smoke / "smoke"), "--json"]
    assert main(["bench", *arguments, *out]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_set_is_complete_and_a_second_build_makes_nothing(smoke, capsys):
    manifest = read_manifest(smoke / "smoke")
    assert manifest.skipped == ()
    assert {item.media_id for item in manifest.ugc if item.clean} >= {"clean_film_00"}
    assert len(manifest.ugc) >= 28
    for item in (*manifest.licensed, *manifest.ugc):
        assert (smoke / "smoke" / item.path).is_file()
    assert read_truth(smoke / "smoke" / "truth.csv") == manifest.truth()
    assert len(read_truth(smoke / "smoke" / "truth_rutube.csv")) == len(manifest.truth())
    times = {p: p.stat().st_mtime_ns for p in (smoke / "smoke" / "ugc").iterdir() if p.is_file()}
    built = bench(capsys, smoke, "build")
    assert (built["uploads"], built["skipped"]) == (len(manifest.ugc), [])
    assert times == {p: p.stat().st_mtime_ns for p in times}


@pytest.mark.parametrize("modality", list(FLOORS))
def test_avm_keeps_its_quality(smoke, capsys, modality):
    report = smoke / "report"
    result = bench(capsys, smoke, "quality", "--modality", modality, "--report", str(report))
    assert result["overall"]["final"] >= FLOORS[modality]
    assert result["overall"]["fp_per_clean_hour"] == 0
    assert result["overall"]["boundary_median_s"] < 0.6
    assert {"noise", "crop", "clean_film"} & set(result["edits"])
    whole = json.loads((report / modality / "score.json").read_text())
    (scores,) = whole.values()
    assert scores["overall"]["final"] == result["overall"]["final"]
    low, high = scores["overall"]["intervals"]["final"]
    assert low <= scores["overall"]["final"] <= high
    assert "| system" in (report / modality / "score.md").read_text()
    assert (report / modality / "edits.png").stat().st_size > 5_000


def test_a_print_is_made_once_and_a_file_that_a_rival_cannot_read_is_empty(tmp_path):
    (landmarks,) = systems(["landmarks"])
    (printer,) = landmarks.printers
    silent = tmp_path / "tone.m4a"
    write_media(silent, audio=_tone(), audio_format=AudioFormat(sample_rate=16_000))
    first = kept_print(printer, silent, tmp_path / "prints")
    (kept,) = (tmp_path / "prints" / printer.key).iterdir()
    kept.write_bytes(first + b"")
    assert kept_print(printer, silent, tmp_path / "prints") == first
    broken = tmp_path / "broken.m4a"
    broken.write_bytes(b"not media")
    assert kept_print(printer, broken, tmp_path / "prints") == b""


def _tone():
    import numpy as np

    rng = np.random.default_rng(1)
    return (0.1 * rng.standard_normal(5 * 16_000)).astype(np.float32)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tune"], "--only chromaprint"),
        (["rivals", "--only", "panaco"], "unknown system 'panaco'"),
    ],
)
def test_wrong_names_end_with_code_2(smoke, capsys, arguments, said):
    out = ["--set", "smoke", "--out", str(smoke / "smoke")]
    assert main(["bench", *arguments, *out]) == 2
    assert said in capsys.readouterr().err
