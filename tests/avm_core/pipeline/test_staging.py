"""Batches: nothing lost, order kept, limits held; plans and units named by their content."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from avm_core.pipeline.staging import digest, pack, read_plan, write_plan


@given(
    st.lists(st.floats(0, 100), max_size=40),
    st.floats(1, 150),
    st.integers(1, 10),
)
def test_pack_keeps_every_row_in_order_within_the_limits(
    weights: list[float], limit: float, count: int
) -> None:
    rows = [{"n": number, "w": weight} for number, weight in enumerate(weights)]
    batches = pack(rows, weight="w", limit=limit, count=count)
    assert [row for batch in batches for row in batch] == rows
    for batch in batches:
        assert 1 <= len(batch) <= count
        load = sum(row["w"] for row in batch)
        heavy = [row for row in batch if row["w"] > 0]
        assert load <= limit + 1e-6 or len(heavy) == 1


def test_the_same_rows_make_the_same_plan_and_others_another(make_platform: Any) -> None:
    platform = make_platform()
    one = write_plan(platform, kind="forward", rows=[{"media_id": "a"}], identity={"v": 1})
    same = write_plan(platform, kind="forward", rows=[{"media_id": "a"}], identity={"v": 1})
    other = write_plan(platform, kind="forward", rows=[{"media_id": "a"}], identity={"v": 2})
    assert one == same
    assert one["batch_id"] != other["batch_id"]
    assert read_plan(platform, one)["rows"] == [{"media_id": "a"}]


def test_digest_depends_on_every_part_and_not_on_key_order() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest("ab", "c") != digest("a", "bc")
