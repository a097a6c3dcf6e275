"""`avm remove`: once, again, and a name that fits nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from avm_core.catalog import Catalog, migrate
from avm_core.cli import main
from avm_core.config import load_settings
from avm_core.pipeline import stages
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.staging import stage


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """One title, as discovery leaves it."""
    for name, value in {
        "AVM_LAKE_URI": str(tmp_path / "lake"),
        "AVM_CATALOG__DSN": f"sqlite:{tmp_path / 'catalog.sqlite'}",
        "AVM_CATALOG__DATA_PATH": f"{tmp_path / 'rows'}/",
    }.items():
        monkeypatch.setenv(name, value)
    made = Platform(load_settings())
    migrate(made.settings.catalog)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    media = {
        "media_id": "m1", "role": "licensed", "uri": "s3://b/a film.mp4", "version_id": "",
        "etag": "0", "size_bytes": 1, "title": "A film", "discovered_at": now,
    }  # fmt: skip
    unit = stage(made, kind="media", unit_id="m", input_digest="0", tables={"media": [media]})
    stages.record(made, [unit], message="test")
    return made


def avm(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["remove", *arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_removal_is_recorded_once(platform: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    first = avm(capsys, "A film", "--reason", "licence ended", "--by", "anna")
    assert first == {"media": ["m1"], "new": True, "snapshots": 0}
    assert avm(capsys, "s3://b/a film.mp4", "--reason", "again")["new"] is False
    with Catalog.open(platform.settings.catalog, read_only=True) as reader:
        rows = reader.select("SELECT media_id, reason, removed_by FROM removals").to_pylist()
    assert rows == [{"media_id": "m1", "reason": "licence ended", "removed_by": "anna"}]
    assert main(["remove", "Another film", "--reason", "licence ended"]) == 2
    assert "no media has the id, URI or title 'Another film'" in capsys.readouterr().err
