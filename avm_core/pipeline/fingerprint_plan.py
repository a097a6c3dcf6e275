"""Plan: which media to fingerprint now, in batches that take about equally long."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any

from avm_core.pipeline.platform import Platform
from avm_core.pipeline.staging import Rows, pack, write_plan

# What a second of media weighs, in bytes, until this installation has measured its own: 2 Mbit/s
# of film and 128 kbit/s of sound. Among media of one kind only the proportions matter.
_AUDIO, _VIDEO = 16_000.0, 250_000.0
_AUDIO_SUFFIXES = frozenset({"aac", "flac", "m4a", "mka", "mp3", "oga", "ogg", "opus", "wav"})
# Seconds of probed media of one suffix from which its own weight is believed.
_ENOUGH = 600.0


def plan_fingerprints(platform: Platform) -> list[dict[str, Any]]:
    """Batches of media that lack a fingerprint by a current fingerprinter, or are to be tried
    again: licensed media first, the oldest first, no more batches than `pipeline.max_batches`.

    The rest waits for the next plan; view `intake` says how long. Each batch is {"batch_id",
    "manifest_uri", "media_count", "seconds", "bytes"}; `seconds` of media are estimated from the
    size where the media was never probed.
    """
    sizes = platform.settings.pipeline
    identity = platform.fingerprinter_params
    with platform.catalog() as catalog:
        rows = catalog.query(
            "media/pending_fingerprint",
            limit=sizes.max_batches * sizes.batch_media_count,
            now=datetime.now(UTC),
            **identity,
        )
        measured = catalog.query("media/bytes_per_second", enough=_ENOUGH) if rows else []
    rates = {row["suffix"]: row["rate"] for row in measured}
    for row in rows:
        row["seconds"] = seconds(row, rates)
    chosen: list[Rows] = []
    for _, of_role in groupby(rows, key=lambda row: row["role"]):
        packed = pack(
            of_role,
            weight="seconds",
            limit=sizes.batch_media_seconds,
            count=sizes.batch_media_count,
        )[: sizes.max_batches - len(chosen)]
        chosen += balanced(packed, count=sizes.batch_media_count)
    return [
        write_plan(platform, kind="fingerprint", rows=_slim(batch), identity=identity)
        | {
            "media_count": len(batch),
            "seconds": round(sum(row["seconds"] for row in batch)),
            "bytes": sum(row["size_bytes"] for row in batch),
        }
        for batch in chosen
    ]


def seconds(row: dict[str, Any], rates: Mapping[str, float]) -> float:
    """How long a media is: as probed, else by its size and what its kind weighs."""
    if row["duration"]:
        return float(row["duration"])
    suffix = PurePosixPath(row["uri"]).suffix[1:].lower()
    usual = _AUDIO if suffix in _AUDIO_SUFFIXES else _VIDEO
    return float(row["size_bytes"] / rates.get(suffix, usual))


def balanced(batches: list[Rows], *, count: int) -> list[Rows]:
    """The same rows in as many batches, of seconds as equal as the longest media allow.

    The longest first, each into the batch that has the least: never further from the best
    possible than a third. At most `count` rows in a batch.
    """
    rows = [row for batch in batches for row in batch]
    result: list[Rows] = [[] for _ in batches]
    loads = [(0.0, number) for number in range(len(batches))]
    for row in sorted(rows, key=lambda row: (-row["seconds"], row["media_id"])):
        load, number = heapq.heappop(loads)
        result[number].append(row)
        if len(result[number]) < count:
            heapq.heappush(loads, (load + row["seconds"], number))
    return result


def _slim(rows: Rows) -> Rows:
    kept = ("media_id", "uri", "etag", "size_bytes", "attempts")
    return [{key: row[key] for key in kept} for row in rows]
