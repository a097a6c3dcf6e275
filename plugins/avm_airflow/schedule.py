"""What every AVM DAG has in common: owner, retries and the ways to be scheduled."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import (
    Asset,
    AssetOrTimeSchedule,
    AssetWatcher,
    CronTriggerTimetable,
    DeltaTriggerTimetable,
    ExceptionRetryPolicy,
    RetryAction,
    RetryRule,
)
from airflow.sdk.definitions.asset import BaseAsset

from avm_airflow.alerts import on_failure

DISCOVER_SECONDS = "AVM_DISCOVER_SECONDS"
DISCOVER_QUEUE = "AVM_DISCOVER_QUEUE"

# A lost race is over within seconds, so the backoff that suits a store that is down would only
# cost time. Everything else follows retry_delay and its backoff.
RETRY_POLICY = ExceptionRetryPolicy(
    [
        RetryRule(
            ["avm_core.errors.PreconditionFailed", "avm_core.errors.CatalogConflict"],
            RetryAction.RETRY,
            timedelta(seconds=5),
            reason="another writer was first; its write is over soon",
        ),
        RetryRule(
            "avm_core.errors.Terminal", RetryAction.FAIL, reason="a retry gives the same failure"
        ),
    ]
)

DEFAULT_ARGS: dict[str, Any] = {
    "owner": "avm",
    "retries": 3,
    "retry_delay": timedelta(seconds=20),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=10),
    "retry_policy": RETRY_POLICY,
    "execution_timeout": timedelta(hours=6),
}

# Only a DAG on an interval needs a start. With one, an hourly fallback would run at once when it
# is new, in every DAG at the same time, before there is anything to do.
INTERVAL_START = datetime(2026, 1, 1, tzinfo=UTC)

DAG_DEFAULTS: dict[str, Any] = {
    "catchup": False,
    "max_active_runs": 1,
    "default_args": DEFAULT_ARGS,
    "on_failure_callback": on_failure(),
}


# What the UI calls a mapped task instead of its number; Airflow reads it from partial() only.
BY_BATCH = {"map_index_template": "{{ task.batch['batch_id'] }}"}
BY_ROLE = {"map_index_template": "{{ task.role }}"}
BY_INDEX = {"map_index_template": "{{ task.index }}"}
BY_MODALITY = {"map_index_template": "{{ task.modality }}"}


def discover_interval() -> timedelta:
    """Time between two listings of the buckets: `AVM_DISCOVER_SECONDS`, default 600.

    Raises `ValueError` for anything but a positive whole number; Airflow shows it as the import
    error of the DAG.
    """
    text = os.environ.get(DISCOVER_SECONDS, "600")
    if not text.isdecimal() or int(text) == 0:
        raise ValueError(
            f"{DISCOVER_SECONDS}={text!r} is not a positive whole number of seconds; "
            "correct it in the environment of the Airflow services"
        )
    return timedelta(seconds=int(text))


def every_discover_interval() -> DeltaTriggerTimetable | AssetOrTimeSchedule:
    """The schedule of discovery; with `AVM_DISCOVER_QUEUE` (the URL of an SQS queue that gets the
    buckets' events) also whenever messages arrive there."""
    interval = DeltaTriggerTimetable(discover_interval())
    queue = os.environ.get(DISCOVER_QUEUE, "")
    if not queue:
        return interval
    from avm_airflow.hooks import DEFAULT_CONN_ID
    from avm_airflow.triggers import QueueDoorbell

    doorbell = QueueDoorbell(queue=queue, aws_conn_id=DEFAULT_CONN_ID)
    bucket = Asset(
        name="avm_bucket",
        uri="x-avm://media/buckets",
        group="avm",
        watchers=[AssetWatcher(name="avm_discover_queue", trigger=doorbell)],
    )
    return AssetOrTimeSchedule(assets=bucket, timetable=interval)


def on_asset_or_hourly(assets: BaseAsset, *, minute: int) -> AssetOrTimeSchedule:
    """Run when `assets` are updated, and at `minute` of every hour in case an event was lost."""
    return AssetOrTimeSchedule(
        assets=assets,
        timetable=at(f"{minute} * * * *"),
    )


def at(cron: str) -> CronTriggerTimetable:
    """Run at these times, in UTC.

    Not for a time before the DAG was new: by default Airflow makes up for one that is a tenth of
    the interval ago, which for a weekly DAG is most of a day.
    """
    return CronTriggerTimetable(cron, timezone="UTC", run_immediately=timedelta(0))
