"""The hour that alignment is timed with holds what it says: planted copies among strangers."""

import json

import numpy as np
import pytest

from avm_core.benchmark import align_speed
from avm_core.benchmark.align_speed import join, measure_align
from avm_core.benchmark.descriptor_sets import walks
from avm_core.cli import main
from tests.builders import make_fingerprint


@pytest.fixture
def sides():
    """Four uploads and five titles of one work each; one of each has no picture."""

    def content(seed, modality):
        return make_fingerprint(seed, modality=modality, seconds=70, content_id=f"c{seed}")

    made = [
        [content(seed, "audio") for seed in seeds] + [content(seed, "video") for seed in seeds[1:]]
        for seeds in (range(4), range(10, 15))
    ]
    return made


def test_copies_are_found_in_every_modality_and_nowhere_else(sides, monkeypatch):
    monkeypatch.setattr(align_speed, "TITLE_SECONDS", 120.0)
    found = measure_align(*sides, upload_seconds=200, candidates=4, copied=2)
    assert set(found) == {"audio", "video", "both"}
    for values in found.values():
        assert (values["candidates"], values["copied"]) == (4, 2)
        # Two titles repeat a piece of 70 s, as there are four or five: each copies a minute.
        assert values["found"] == 2
        assert values["matches"] >= 2
        assert values["upload_seconds"] == pytest.approx(210)
        assert values["title_seconds"] == pytest.approx(140)
        assert values["cpu_ms_per_pair"] == pytest.approx(1000 * values["cpu_s"] / 4)
    strangers = measure_align(*sides, upload_seconds=200, candidates=3, copied=0)
    assert [values["matches"] for values in strangers.values()] == [0, 0, 0]


def test_joined_contents_keep_their_moments():
    sound, pictures = (make_fingerprint(1, modality=m, seconds=30) for m in ("audio", "video"))
    other = make_fingerprint(2, seconds=20)
    made = join([{"audio": sound}, {"audio": other}, {"audio": sound, "video": pictures}])
    assert made["audio"].duration == made["video"].duration == 80
    assert made["video"].starts[0] == 50
    again = made["audio"].select(made["audio"].starts >= 50)
    np.testing.assert_allclose(again.starts - 50, sound.starts)
    np.testing.assert_array_equal(again.descriptors, sound.descriptors)
    assert (np.diff(made["audio"].starts) > 0).all()


def test_the_command_makes_do_without_prints(tmp_path, monkeypatch, capsys):
    """Stand-ins where no set was made; `bench align` is the command for it."""
    monkeypatch.setattr("avm_core.benchmark.descriptor_sets.walks", lambda: walks(12))
    assert main(["bench", "align", "--prints", str(tmp_path), "--json"]) == 0
    out, err = capsys.readouterr()
    assert "made-up" in err
    assert json.loads(out)["audio"]["upload_seconds"] >= 3600
