"""A clock that rings just after fingerprints were recorded leaves them to their own event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from avm_core.pipeline import index
from avm_core.pipeline.staging import record, stage
from tests.avm_core.pipeline.conftest import MakePlatform


def test_only_fingerprints_recorded_lately_wait_for_their_event(
    make_platform: MakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = make_platform()
    assert not index.published_soon(platform)
    for kind in ("media", "fingerprint"):
        unit = stage(platform, kind=kind, unit_id=kind, input_digest="1", tables={})
        record(platform, [unit], message="test")
        assert index.published_soon(platform) == (kind == "fingerprint")

    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return datetime.now(UTC) + timedelta(minutes=11)

    monkeypatch.setattr(index, "datetime", Later)
    assert not index.published_soon(platform)
