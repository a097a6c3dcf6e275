"""`avm index`: status, verification of store and cache, compaction and clean-up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avm_core.cli import main
from avm_core.config import IndexConfig
from avm_core.index.reader import SnapshotReader
from avm_core.index.snapshot import current, publish
from avm_core.storage.local import LocalStore
from tests.builders import IDS, make_fingerprint

NAMES = ("licensed_audio", "ugc_audio")


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalStore:
    """Two indexes of three segments each, a media removed from both."""
    for name, value in {
        "AVM_LAKE_URI": str(tmp_path / "lake"),
        "AVM_CACHE_DIR": str(tmp_path / "cache"),
        "AVM_INDEX__GRACE_SECONDS": "0",
    }.items():
        monkeypatch.setenv(name, value)
    store, config = LocalStore(tmp_path / "lake"), IndexConfig()
    for index in NAMES:
        for number in range(3):
            media = [(f"m{number}", make_fingerprint(number, seconds=20.0))]
            publish(store, index, IDS["audio"], media, config=config)
        publish(store, index, IDS["audio"], [], remove=["m1"], config=config)
    return store


def avm(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["index", *arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_status_tells_what_is_there(lake: LocalStore, capsys: Any) -> None:
    found = avm(capsys, "status")
    assert found["ugc_video"] == "not published yet"
    for name in NAMES:
        assert (found[name]["version"], found[name]["segments"], found[name]["removed"]) == (
            4,
            3,
            1,
        )


def test_compaction_and_clean_up_leave_one_whole_segment(lake: LocalStore, capsys: Any) -> None:
    before = avm(capsys, "status")
    assert avm(capsys, "compact", "--name", "ugc_audio")["ugc_audio"]["segments"] == 1
    after = avm(capsys, "status")
    assert after["licensed_audio"] == before["licensed_audio"]
    assert after["ugc_audio"]["windows"] * 3 == before["ugc_audio"]["windows"] * 2
    assert after["ugc_audio"]["removed"] == 0
    gone = avm(capsys, "gc")
    # Three old segments of two objects and four old manifests; of the other, three manifests.
    assert (gone["ugc_audio"]["deleted"], gone["licensed_audio"]["deleted"]) == (10, 3)
    assert avm(capsys, "verify")["ugc_audio"]["verified"] is True


def test_verify_names_the_damaged_object_and_mends_the_cache(
    lake: LocalStore, tmp_path: Path, capsys: Any
) -> None:
    cache = tmp_path / "cache"
    for name in NAMES:
        manifest = current(lake, name)
        assert manifest is not None
        SnapshotReader.open(lake, manifest, cache_dir=cache, config=IndexConfig())
    copy = next(cache.rglob("*.safetensors"))
    data = copy.read_bytes()
    copy.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert avm(capsys, "verify")["cache"] == {"damaged and deleted": 1}
    assert not copy.exists()
    key = manifest.segments[1].key
    lake.put(key, lake.get(key)[:-10])
    assert main(["index", "verify", "--name", "ugc_audio"]) == 1
    said = capsys.readouterr().err
    assert "ChecksumMismatch" in said
    assert key in said


def test_an_unknown_index_is_refused_with_the_known_ones(lake: LocalStore, capsys: Any) -> None:
    assert main(["index", "status", "--name", "films"]) == 2
    assert "licensed_audio" in capsys.readouterr().err
