"""`avm train video` through the command line, on a catalogue of a few small pictures."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from avm_core.benchmark.sources.catalogue import Source
from avm_core.commands import train_video
from avm_core.models.checkpoint import read_weights
from avm_core.models.projection import load_describer
from avm_core.train.pictures import PictureChoice
from avm_core.types import Frames
from tests.avm_core.commands.training import run_training

CONFIG = """
[bank]
views = 2

[features]
size = 32
taps = []

[task]
batch = 4
dims = 12
background = 5

[loop]
steps = 4
validate_every = 2
save_every = 2
"""


@pytest.fixture(autouse=True)
def few_files(monkeypatch, tmp_path):
    """9 pictures: one is broken, one too small, two are held out."""
    rng = np.random.default_rng(1)
    found = []
    for number in range(9):
        size = 40 if number == 8 else 100
        path = tmp_path / f"p{number}.png"
        Image.fromarray(rng.integers(0, 256, (size, 110, 3)).astype(np.uint8)).save(path)
        content = f"{10 * number if number < 2 else number:08x}"
        found.append(Source(path.stem, "album", "still", "train", path, 0, False, True, content))
    whole = found[3].path.read_bytes()
    found[3].path.write_bytes(whole[: len(whole) // 2])

    def fake(split, cache_dir, *, kinds):
        assert (split, kinds) == ("train", ("still",))
        return found, []

    monkeypatch.setattr(train_video, "sources", fake)


def run(tmp_path, capsys, text=CONFIG):
    return run_training("video", text, tmp_path, capsys)


def test_weights_card_curves_and_what_was_unreadable(tmp_path, capsys):
    code, printed = run(tmp_path, capsys)
    assert code == 0
    result = json.loads(printed.out)
    assert (result["pictures"], result["unreadable"], result["step"]) == (7, 1, 4)
    assert 0 <= result["start_top1"] <= 1
    _, card = read_weights(Path(result["weights"]), result["sha256"])
    assert card["packages"] == ["album"]
    assert (card["pictures"], card["projection"]["dims"]) == (7, 12)
    model = load_describer(Path(result["weights"]), result["sha256"])
    assert len(model.background) == 5
    pixels = np.random.default_rng(2).integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)
    [(vectors, _)] = model.describe([Frames(pixels, np.arange(2.0))])
    assert vectors.shape == (2, 12)
    assert (tmp_path / "out" / "curves.png").is_file()
    # Finished: the same command gives the same file and trains nothing.
    code, again = run(tmp_path, capsys)
    assert (code, json.loads(again.out)["sha256"]) == (0, result["sha256"])


def test_a_smaller_choice_is_the_beginning_of_a_larger_one(tmp_path):
    every = train_video.training_shots(tmp_path, PictureChoice())
    some = train_video.training_shots(tmp_path, PictureChoice(most=3))
    assert len(every) == 8
    assert some == every[:3]
    assert sum(shot.held for shot in every) == 2


def test_a_wrong_configuration_ends_with_code_2(tmp_path, capsys):
    code, printed = run(tmp_path, capsys, "[features]\nbackbones = 3")
    assert code == 2
    assert "section [features] of the configuration" in printed.err
