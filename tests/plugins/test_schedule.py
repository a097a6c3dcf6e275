"""Times of day, as the scheduler reads them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from airflow.serialization.decoders import decode_timetable
from airflow.serialization.encoders import encode_timetable
from airflow.timetables.base import TimeRestriction
from avm_airflow.schedule import at


@pytest.mark.parametrize("cron", ["0 4 * * 0", "0 2 * * *", "25 * * * *", "* * * * *"])
def test_a_new_dag_waits_for_its_time_and_makes_up_for_none_before(cron: str) -> None:
    timetable = decode_timetable(encode_timetable(at(cron)))
    began = datetime.now(UTC)
    first = timetable.next_dagrun_info(
        last_automated_data_interval=None,
        restriction=TimeRestriction(earliest=None, latest=None, catchup=False),
    )
    assert first is not None
    assert first.run_after > began
