"""`avm bench` on sets: what it refuses and what it writes."""

from avm_core.cli import main


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
