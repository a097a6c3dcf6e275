"""`avm train` through the command line, on a catalogue of a few small files."""

import json
from pathlib import Path

import numpy as np
import pytest

from avm_core.benchmark.sources.catalogue import Source
from avm_core.cli import main
from avm_core.commands import train
from avm_core.commands.bench_hits import _subject
from avm_core.commands.train_config import read_config, section
from avm_core.errors import BadSettings
from avm_core.media.probe import probe
from avm_core.media.write import AudioFormat, write_media
from avm_core.models.audio_encoder import EncoderConfig
from avm_core.models.audio_networks import load_network
from avm_core.models.window_encoder import WindowConfig
from avm_core.train.audio import AudioTaskConfig
from avm_core.train.loop import LoopConfig
from avm_core.train.sound_edits import EditConfig
from tests.avm_core.commands.training import run_training

CONFIG = """
[encoder]
mels = 32
channels = [6, 8, 8]
width = 16
dims = 16

[task]
pieces = 4
moments = 2
seconds = 4.0
lengths = [8, 12]
validation_batches = 1

[loop]
steps = 4
validate_every = 2
save_every = 2
"""
ROOT = Path(__file__).resolve().parents[3]
# Of the other network: nothing but its section makes the difference.
WINDOW = CONFIG.replace("[encoder]", "[window_encoder]").replace("width = 16\n", "")
WINDOW = WINDOW.replace("[8, 12]", "[8]")
RATE = 8_000


@pytest.fixture(autouse=True)
def few_files(monkeypatch, tmp_path):
    """13 tracks, one of them broken, and spoken lines of two packages."""
    rng = np.random.default_rng(1)
    found = {"music": [], "speech": []}
    for number in range(13):
        found["music"].append(source(tmp_path, rng, f"album/t{number}", "music", 21.0))
    for number in range(4):
        found["speech"].append(source(tmp_path, rng, f"talk{number % 2}/l{number}", "speech", 3.0))
    found["music"][4].path.write_bytes(b"broken")

    def fake(split, cache_dir, *, kinds, min_seconds=0.0):
        assert split == "train"
        return [s for kind in kinds for s in found[kind] if s.duration >= min_seconds], []

    monkeypatch.setattr(train, "sources", fake)


def source(folder, rng, work, kind, seconds):
    path = folder / f"{work.replace('/', '_')}.m4a"
    samples = 0.1 * rng.standard_normal(int(seconds * RATE)).astype(np.float32)
    write_media(path, audio=samples, audio_format=AudioFormat("aac", RATE, 32_000))
    package = work.split("/")[0]
    return Source(work, package, kind, "train", path, seconds, True, False, content=work)


def run(tmp_path, capsys, *more, text=CONFIG):
    return run_training("audio", text, tmp_path, capsys, *more)


def test_weights_card_curves_and_what_was_unreadable(tmp_path, capsys):
    code, printed = run(tmp_path, capsys)
    assert code == 0
    result = json.loads(printed.out)
    assert result["unreadable"] == ["album/t4"]
    assert result["step"] == 4
    assert 0 <= result["top1"] <= 1
    encoder = load_network(Path(result["weights"]), result["sha256"])
    assert encoder.config.mels == 32
    assert (tmp_path / "out" / "curves.png").is_file()
    # Finished: the same command gives the same file and trains nothing.
    code, again = run(tmp_path, capsys)
    assert (code, json.loads(again.out)["sha256"]) == (0, result["sha256"])


def test_the_configuration_says_which_network(tmp_path, capsys):
    code, printed = run(tmp_path, capsys, text=WINDOW)
    assert code == 0
    weights = Path(json.loads(printed.out)["weights"])
    assert weights.name == "audio_window.safetensors"
    assert load_network(weights).config == WindowConfig(mels=32, channels=(6, 8, 8), dims=16)
    # What `avm bench hits --only` makes of the file.
    maker = _subject(str(weights)).maker
    assert maker.id.name == "audio_window.audio_window"
    track = tmp_path / "album_t0.m4a"
    made = maker.fingerprint(track, content_id="t", info=probe(track))
    assert (made.window, made.descriptors.shape) == (1.0, (41, 16))
    with pytest.raises(BadSettings, match="windows of one length"):
        _subject(f"{weights}@2")


def test_configurations_in_the_tree_are_read():
    for name, network in (("audio_conv", EncoderConfig), ("audio_window", WindowConfig)):
        text = read_config(ROOT / "avm_core" / "train" / f"{name}.toml")
        assert isinstance(train._network(text), network)
        task = section(AudioTaskConfig, text, "task")
        section(EditConfig, text, "edits")
        section(LoopConfig, text, "loop")
        assert network is EncoderConfig or task.lengths == (8,)


def test_pieces_are_tracks_and_packages_of_speech_and_some_are_held_out(tmp_path):
    pieces = train.training_pieces(tmp_path)
    assert [p.kind for p in pieces] == ["music"] * 13 + ["speech"] * 2
    assert [len(p.files) for p in pieces[-2:]] == [2, 2]
    assert [n for n, p in enumerate(pieces) if p.held] == [11]
    assert {p.package for p in pieces} == {"album", "talk0", "talk1"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[task]\npeices = 3", r"section [task] of the configuration"),
        ("[encoder]\nmelz = 3", r"section [encoder] of the configuration"),
        ("[encoder]\n[window_encoder]", "has [encoder] and [window_encoder]: keep one"),
        ("[task", "cannot read the configuration"),
    ],
)
def test_a_wrong_configuration_ends_with_code_2(tmp_path, capsys, text, said):
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    arguments = ["--config", str(path), "--out", str(tmp_path / "out"), "--sources", str(tmp_path)]
    assert main(["train", "audio", *arguments]) == 2
    assert said in capsys.readouterr().err
