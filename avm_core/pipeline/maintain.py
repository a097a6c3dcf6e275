"""Maintain: delete what nobody needs, check the rows, and say what waits or fails too much.

Every stage may be killed and run again: objects are deleted before the rows that name them, and
what is to be deleted is asked for anew each time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from avm_core.errors import CheckFailed, ObjectMissing
from avm_core.index.cache import drop_unused
from avm_core.index.snapshot import collect_garbage
from avm_core.pipeline.index import index_name
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.staging import digest, stage
from avm_core.types import MODALITIES, ROLES

_ARTEFACTS_AT_ONCE = 10_000
_STAGED = ("stage/", "plans/")


def clean_index(platform: Platform) -> dict[str, int]:
    """Delete index objects that no snapshot in use refers to, and unused local copies; how many,
    by index."""
    grace, now = platform.settings.index.grace_seconds, datetime.now(UTC)
    names = [index_name(role, modality) for role in ROLES for modality in MODALITIES]
    deleted = {
        name: len(collect_garbage(platform.lake, name, grace_seconds=grace, now=now))
        for name in names
    }
    deleted["cache"] = len(drop_unused(platform.cache_dir, grace_seconds=grace, now=now))
    return deleted


def compact_catalog(platform: Platform) -> None:
    """Merge the small data files that commits leave."""
    with platform.catalog(read_only=False) as catalog:
        catalog.compact()


def delete_removed(platform: Platform) -> list[dict[str, Any]]:
    """Delete the artefacts of media that were removed long enough ago; stage rows that say so.

    An artefact that another media of the same content needs stays, and one that was written within
    the grace period: somebody may be about to need it. [] if nothing is left to delete.
    """
    horizon = datetime.now(UTC) - timedelta(
        seconds=platform.settings.lifecycle.removed_grace_seconds
    )
    with platform.catalog() as catalog:
        rows = catalog.query("removal/artefacts", before=horizon, limit=_ARTEFACTS_AT_ONCE)
    gone = [row for row in rows if _delete(platform, row["artefact_uri"], horizon)]
    if not gone:
        return []
    identity = digest("deleted", [(row["media_id"], row["fingerprinter"]) for row in gone])
    return [
        stage(
            platform,
            kind="fingerprint",
            unit_id=f"deleted-{identity}",
            input_digest=identity,
            tables={"media_fingerprint": [_emptied(row) for row in gone]},
        )
    ]


def _delete(platform: Platform, uri: str, horizon: datetime) -> bool:
    """Whether the object is gone now."""
    store, key = platform.resolve(uri)
    try:
        if store.head(key).modified >= horizon:
            return False
    except ObjectMissing:
        return True  # an earlier try came so far
    store.delete(key)
    return True


def _emptied(row: dict[str, Any]) -> dict[str, Any]:
    empty = {"artefact_uri": None, "windows": 0, "valid_windows": 0, "bytes": 0}
    return row | empty | {"status": "removed"}


def clean_lake(platform: Platform) -> dict[str, int]:
    """Delete staged rows and plans that are older than any run; how many, by prefix.

    What was not recorded by then is found again by asking what is missing.
    """
    horizon = datetime.now(UTC) - timedelta(seconds=platform.settings.lifecycle.staging_seconds)
    lake = platform.lake
    deleted = dict.fromkeys(_STAGED, 0)
    for prefix in _STAGED:
        old = [info.key for info in lake.list(prefix) if info.modified < horizon]
        for key in old:
            lake.delete(key)
        deleted[prefix] = len(old)
    return deleted


def check_catalog(platform: Platform) -> int:
    """Run every check of the catalog; how many there are.

    Raises `CheckFailed` with the names of those that rows offend, and how many rows.
    """
    with platform.catalog() as catalog:
        found = catalog.check()
    offended = {name: rows for name, rows in found.items() if rows}
    if offended:
        raise CheckFailed(
            f"rows break the rules of {_listed(offended)}: run the query of that name in "
            'sql/checks with `avm sql "…"` to see them'
        )
    return len(found)


def find_alerts(platform: Platform) -> list[str]:
    """What an operator should look at, a sentence each; [] if all is well.

    A stage in which something waits longer than `lifecycle.max_wait_hours`, and a day of media of
    which more than `lifecycle.max_error_share` gave nothing.
    """
    limits, now = platform.settings.lifecycle, datetime.now(UTC)
    with platform.catalog() as catalog:
        waits = catalog.query("maintain/waits", now=now, **platform.fingerprinter_params)
        day = catalog.query("maintain/failures", since=now - timedelta(days=1))[0]
    alerts = [_overdue(row) for row in waits if row["hours"] > limits.max_wait_hours]
    if day["media"] and day["failed"] / day["media"] > limits.max_error_share:
        alerts.append(
            f"{day['failed']} of the {day['media']} media of the last day could not be "
            "fingerprinted: see the view errors"
        )
    return alerts


def _overdue(row: dict[str, Any]) -> str:
    return (
        f"{row['waiting']} media wait for {row['stage']}, media {row['media_id']} since "
        f"{row['hours']:.1f} hours: see whether avm_{_DAGS[row['stage']]} is paused or fails"
    )


_DAGS = {"fingerprint": "fingerprint", "publish": "publish_index", "match": "match"}


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} ({rows} rows)" for name, rows in sorted(counts.items()))
