"""Which failures of single media are tried again, when, and on whose demand."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from avm_core.config import PipelineConfig
from avm_core.errors import BadSettings, Transient
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.staging import digest, record, stage

# What a full disk or too many open files do to a file, they do not do to it tomorrow.
_PASSING = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO}


def may_pass(error: BaseException) -> bool:
    """Whether the same file may succeed later: the fault is of the machine, not of the file."""
    if isinstance(error, Transient | MemoryError):
        return True
    # torch's class is not imported for its name alone.
    if type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, OSError) and error.errno in _PASSING


def next_attempt(
    config: PipelineConfig, error: BaseException, *, attempts: int, now: datetime
) -> datetime | None:
    """When to try again after `attempts` failures; None: never by itself."""
    if not may_pass(error) or attempts >= config.max_attempts:
        return None
    return now + timedelta(seconds=config.retry_seconds * 2.0 ** (attempts - 1))


def retry_media(
    platform: Platform, *, media_ids: Sequence[str] = (), error_classes: Sequence[str] = ()
) -> int:
    """Make recorded failures due now: those of these media, and those of these classes.

    The next plan of fingerprints finds them; how often a media failed is kept. Returns the
    number of media. Raises `BadSettings` if nothing is named.
    """
    if not media_ids and not error_classes:
        raise BadSettings("say what to retry: media ids, or error classes such as BadMedia")
    chosen = {"media_ids": list(media_ids), "error_classes": list(error_classes)}
    with platform.catalog() as catalog:
        rows = catalog.query("media_error/chosen", **chosen)
        serial = catalog.query("commit_serial/current")[0]["serial"]
    if not rows:
        return 0
    now = datetime.now(UTC)
    name = digest(serial, chosen, [(row["media_id"], row["stage"]) for row in rows])
    unit = stage(
        platform,
        kind="retry",
        unit_id=f"retry-{name}",
        input_digest=name,
        tables={"media_error": [row | {"next_attempt_at": now} for row in rows]},
    )
    record(platform, [unit], message="retry on demand")
    return len({row["media_id"] for row in rows})
