"""`avm train` as it is called from a shell."""

from avm_core.cli import main


def run_training(what, text, tmp_path, capsys, *more):
    """Exit code and output of training by a configuration `text`, sources and results below
    `tmp_path`."""
    config = tmp_path / "tiny.toml"
    config.write_text(text)
    arguments = ["--config", str(config), "--out", str(tmp_path / "out")]
    arguments += ["--sources", str(tmp_path), "--device", "cpu", "--json", *more]
    code = main(["train", what, *arguments])
    return code, capsys.readouterr()
