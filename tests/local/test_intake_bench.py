"""The benchmark of intake, on a few objects: what it counts is what there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.intake_bench import measure


@pytest.mark.s3
def test_objects_calls_and_batches_are_counted(tmp_path: Path) -> None:
    found = measure(tmp_path, objects=450, max_batches=2)
    assert found["discover"]["calls"]["HeadObject"] == 450
    assert found["discover"]["calls"]["ListObjectsV2"] == 1
    assert found["discover_again"]["calls"] == {"ListObjectsV2": 1}
    assert found["discover_again"]["units"] == 0
    assert (found["plan"]["batches"], found["plan"]["media"]) == (2, 400)
    assert found["fingerprint"]["plans"] == [2, 1]
    assert found["fingerprint"]["usable"] == 450
