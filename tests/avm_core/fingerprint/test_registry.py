"""A fingerprinter's identity says what shaped its vectors, and costs no network to compute."""

import subprocess
import sys

import pytest

from avm_core.config import DecodeConfig, Settings
from avm_core.errors import BadSettings
from avm_core.fingerprint.registry import create, identify, names

DEFAULT = DecodeConfig()
AUDIO, VIDEO, GEM = "audio_logmel.dct", "video_lite0.imagenet", "video_gem.v1"


def test_names_are_sorted_and_hold_the_defaults():
    assert list(names()) == sorted(names())
    fields = Settings.model_fields
    for default in (fields["audio_fingerprinter"].default, fields["video_fingerprinter"].default):
        assert default in names()


@pytest.mark.parametrize("name", ["audio_logmel.dct2", "", "AUDIO_LOGMEL.DCT"])
def test_an_unknown_name_lists_the_known_ones(name):
    for call in (identify, create):
        with pytest.raises(BadSettings, match=f"choose one of {', '.join(names())}"):
            call(name, DEFAULT)


def test_an_identity_names_its_modality_and_is_stable():
    for name, modality in ((AUDIO, "audio"), (VIDEO, "video"), (GEM, "video")):
        identity = identify(name, DEFAULT)
        assert (identity.name, identity.modality) == (name, modality)
        assert len(identity.config_hash) == 8
        assert str(identity) == f"{name}-{identity.config_hash}"
        assert identify(name, DecodeConfig()) == identity


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ({"frame_step": 0.5}, {VIDEO, GEM}),
        ({"max_keyframe_gap": 5.0}, {VIDEO, GEM}),
        ({"frame_size": 192}, {VIDEO}),  # the other has a size of its own
        ({"frame_step": 2.0, "frame_size": 160}, {VIDEO, GEM}),
        ({"max_border": 0.0}, {VIDEO, GEM}),
        ({"max_hold": 0.0}, {VIDEO, GEM}),
        ({"max_views": 0}, {VIDEO, GEM}),
        # Where a picture is decoded, and what is refused, is no matter of the vectors.
        ({"hardware": "off"}, set()),
        ({"max_pixels": 1_000_000}, set()),
    ],
)
def test_an_identity_changes_with_what_shapes_its_vectors_only(change, changed):
    other = DecodeConfig(**change)
    assert {n for n in names() if identify(n, other) != identify(n, DEFAULT)} == changed


def test_every_decode_setting_that_shapes_pictures_matters_to_someone():
    for field in set(DecodeConfig.model_fields) - {"hardware", "max_pixels"}:
        value = DecodeConfig.model_fields[field].default
        other = DecodeConfig(**{field: 0.1 if field == "max_border" else value * 2})
        assert any(identify(n, other) != identify(n, DEFAULT) for n in names()), field


def test_windows_of_another_length_are_another_space():
    own = identify("audio_conv.v2", DEFAULT)
    assert identify("audio_conv.v2", DEFAULT, 1.0) != own
    with pytest.raises(BadSettings, match="windows of one length"):
        identify(AUDIO, DEFAULT, 1.0)


def test_a_created_fingerprinter_has_the_identity():
    for name in names():
        for decode in (DEFAULT, DecodeConfig(frame_size=96, frame_step=0.5)):
            assert create(name, decode, device="cpu").id == identify(name, decode)


def test_a_timm_backbone_is_named_and_has_a_size_of_its_own():
    identity = identify("video_timm.resnet50.a1_in1k", DEFAULT)
    assert identity.modality == "video"
    assert identify(identity.name, DecodeConfig(frame_size=96)) == identity
    assert identify(identity.name, DecodeConfig(frame_step=0.5)) != identity
    with pytest.raises(BadSettings, match="timm cannot give"):
        create("video_timm.no_such_backbone", DEFAULT, device="cpu")


def test_a_torchscript_network_is_told_by_its_bytes(tmp_path, monkeypatch):
    name, path = "video_sscd.torchscript", tmp_path / "sscd.pt"
    for value in ("", str(path)):
        monkeypatch.setenv("AVM_TORCHSCRIPT", value)
        with pytest.raises(BadSettings, match="set AVM_TORCHSCRIPT"):
            identify(name, DEFAULT)
    path.write_bytes(b"one network")
    first = identify(name, DEFAULT)
    path.rename(tmp_path / "moved.pt")
    monkeypatch.setenv("AVM_TORCHSCRIPT", str(tmp_path / "moved.pt"))
    assert identify(name, DEFAULT) == first
    path.write_bytes(b"another network")
    monkeypatch.setenv("AVM_TORCHSCRIPT", str(path))
    assert identify(name, DEFAULT) != first


def test_identities_need_no_heavy_library():
    program = (
        "import sys; from avm_core.config import DecodeConfig;"
        "from avm_core.fingerprint import codec, registry;"
        "[registry.identify(n, DecodeConfig()) for n in registry.names()];"
        "print(sorted({'torch', 'torchaudio', 'timm', 'av', 'duckdb', 'boto3'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(filter(None, sys.path))},
    )
    assert done.stdout.strip() == "[]"
