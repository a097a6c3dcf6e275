"""`avm retry`: a recorded failure is due at once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from avm_core.catalog import Catalog
from avm_core.cli import main
from tests.avm_core.catalog.builders import AUDIO, commit, media, media_error
from tests.avm_core.catalog.fresh import empty_sqlite, migrated


def test_chosen_failures_are_due_and_nothing_chosen_is_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = migrated(empty_sqlite(tmp_path))
    monkeypatch.setenv("AVM_CATALOG__DSN", config.dsn)
    monkeypatch.setenv("AVM_CATALOG__DATA_PATH", config.data_path)
    monkeypatch.setenv("AVM_LAKE_URI", str(tmp_path / "lake"))
    kinds = {"a": "BadMedia", "b": "BadMedia", "c": "MediaVanished", "d": "Other"}
    with Catalog.open(config) as catalog:
        commit(
            catalog,
            tmp_path / "rows",
            {
                "media": [media(name) for name in kinds],
                "media_error": [
                    media_error(name, "probe", error_class=kind) for name, kind in kinds.items()
                ],
            },
        )
    assert main(["retry", "--error", "BadMedia", "--media", "c", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"media": 3}
    with Catalog.open(config, read_only=True) as catalog:
        rows = catalog.query(
            "media/pending_fingerprint",
            limit=9,
            now=datetime.now(UTC),
            audio_fingerprinter=AUDIO,
            video_fingerprinter=None,
        )
        due = catalog.select("FROM media_error WHERE next_attempt_at IS NOT NULL ORDER BY media_id")
    assert [row["media_id"] for row in due.to_pylist()] == ["a", "b", "c"]
    assert {"a", "b", "c"} <= {row["media_id"] for row in rows}
    assert main(["retry"]) == 2
    assert "what to retry" in capsys.readouterr().err
