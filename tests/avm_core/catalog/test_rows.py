"""Rows become Parquet and come back; what does not fit is refused with a reason."""

import io
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from avm_core.catalog import TABLES, rows_to_parquet
from avm_core.catalog.rows import read_staged
from avm_core.errors import BadSettings, ChecksumMismatch
from tests.avm_core.catalog.builders import media, scan


def test_rows_come_back_in_the_tables_schema() -> None:
    rows = [media("a", uploaded_at=datetime(2026, 1, 2, tzinfo=UTC)), media("b", "licensed")]
    table = pq.read_table(io.BytesIO(rows_to_parquet("media", rows)))
    assert table.schema.equals(TABLES["media"])
    back = table.to_pylist()
    assert [r["media_id"] for r in back] == ["a", "b"]
    assert back[0]["uploaded_at"] == rows[0]["uploaded_at"]
    assert back[1]["uploaded_at"] is None


def test_equal_rows_give_equal_bytes_and_others_do_not() -> None:
    rows = [scan("u1", "forward", 1), scan("u2", "forward", 2)]
    reordered_keys = [dict(reversed(list(row.items()))) for row in rows]
    assert rows_to_parquet("match_scan", rows) == rows_to_parquet("match_scan", reordered_keys)
    assert rows_to_parquet("match_scan", rows) != rows_to_parquet("match_scan", rows[:1])


def test_times_of_other_zones_are_stored_as_the_same_instant() -> None:
    moscow = datetime(2026, 5, 1, 3, tzinfo=timezone(timedelta(hours=3)))
    content = rows_to_parquet("media", [media("a", uploaded_at=moscow)])
    stored = pq.read_table(io.BytesIO(content)).to_pylist()[0]["uploaded_at"]
    assert stored == datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (media("a") | {"nonsense": 1}, "no column nonsense"),
        (media("a") | {"uri": None}, "lacks uri"),
        (media("a") | {"size_bytes": "many"}, "does not fit"),
    ],
)
def test_a_row_that_does_not_fit_is_refused(row: dict[str, object], complaint: str) -> None:
    with pytest.raises(BadSettings, match=complaint):
        rows_to_parquet("media", [media("fine"), row])


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(BadSettings, match="no table 'films'"):
        rows_to_parquet("films", [])


def test_a_damaged_or_foreign_staged_file_is_refused(tmp_path: Path) -> None:
    whole = rows_to_parquet("media", [media("a"), media("b")])
    damaged, foreign = tmp_path / "damaged.parquet", tmp_path / "foreign.parquet"
    damaged.write_bytes(whole[: len(whole) // 2])
    foreign.write_bytes(rows_to_parquet("match_scan", [scan("u1", "forward", 1)]))
    for path in (damaged, foreign):
        with pytest.raises(ChecksumMismatch, match="stage the unit again"):
            read_staged("media", path)
