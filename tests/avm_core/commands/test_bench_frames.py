"""`avm bench frames` through the command line, on real small films."""

import json

import numpy as np
import pytest

from avm_core.benchmark.edits import Clip, Edit, make_copy
from avm_core.benchmark.sets.manifest import LicensedItem, SetManifest, UgcItem
from avm_core.cli import main
from avm_core.commands import bench_sets
from avm_core.media.write import write_media

SECONDS = 20


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Two titles with another picture every second, and an upload with 8 s of the first behind
    5 s of a film that nobody licensed."""
    folder = tmp_path_factory.mktemp("films")
    for seed, name in enumerate(("one", "two", "foreign")):
        rng = np.random.default_rng(seed)
        shades = rng.choice([30, 220], (SECONDS, 8, 8)).astype(np.uint8)
        pictures = np.kron(shades, np.ones((1, 20, 20), np.uint8))[..., None].repeat(3, axis=3)
        write_media(folder / f"{name}.mp4", video=iter(pictures.repeat(25, axis=0)))
    clips = [
        Clip(folder / "foreign.mp4", 2.0, 7.0, licensed=False),
        Clip(folder / "one.mp4", 6.0, 14.0),
    ]
    planted = make_copy(clips, folder / "copy.mp4", Edit("reencode"))
    titles = [
        LicensedItem(name, f"{name}.mp4", SECONDS, False, True, (name,), True)
        for name in ("one", "two")
    ]
    upload = UgcItem(
        *("copy", "copy.mp4", 13.0, False, True, ("one",)),
        *("reencode", "light", "", tuple(planted)),
    )
    return SetManifest("smoke", 1, tuple(titles), (upload,)), folder


def test_every_fingerprinter_gets_its_figures_or_says_what_it_lacks(films, monkeypatch, capsys):
    pytest.importorskip("pdqhash")
    monkeypatch.setattr(bench_sets, "build", lambda _: films)
    monkeypatch.setenv("AVM_SSCD_ONNX", "nowhere.onnx")
    assert main(["bench", "frames", "--only", "pdq,sscd", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["set"] == "smoke"
    found = result["fingerprinters"]
    assert "nowhere.onnx" in found["sscd"]["missing"]
    assert found["pdq"]["pictures"] == 13
    near_one = pytest.approx(1, abs=0.1)
    assert found["pdq"]["own"] == {"count": 8, "p10": near_one, "p50": near_one}
    assert found["pdq"]["micro_ap"] == {"place": 1.0, "title": 1.0}
    assert found["pdq"]["unrelated"]["count"] == 5 * 2 * SECONDS + 8 * SECONDS
    assert list(found["pdq"]["edits"]) == ["reencode"]
    kept = [path.name for path in (films[1] / "prints").iterdir()]
    assert kept == ["pdq-1"]
    assert len(list((films[1] / "prints" / "pdq-1").iterdir())) == 3


def test_what_describes_no_pictures_is_refused_before_anything_is_built(tmp_path, capsys):
    out = tmp_path / "set"
    assert main(["bench", "frames", "--only", "audio_conv.v2", "--out", str(out)]) == 2
    assert "audio_conv.v2" in capsys.readouterr().err
    assert not out.exists()
