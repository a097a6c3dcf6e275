"""Which media are to be matched, and with what: new uploads, late titles, and what is stale.

Nothing is remembered: each plan asks the catalog what is missing, so that a run that was cut short
by its budget, a kill or a failure is carried on by the next.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from avm_core.catalog import Catalog
from avm_core.index.pointer import manifest_key
from avm_core.pipeline.match import SEARCHED
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.staging import Rows, pack, write_plan
from avm_core.pipeline.stored import current_manifests
from avm_core.types import Direction

_KEPT = ("media_id", "duration", "audio_uri", "video_uri")
# First and last day of the uploads that a search backwards looks at, None for all of them.
Days = list[str] | None


def plan_matches(platform: Platform) -> list[dict[str, Any]]:
    """Batches of uploads that were never searched for licensed content, and of those whose matches
    were made with other exclusions than are known now."""
    return _plan(platform, "forward", "match/pending_forward")


def plan_stale(platform: Platform) -> list[dict[str, Any]]:
    """Batches of uploads whose last search is out of date by snapshot, model or matcher, the
    longest ago first."""
    return _plan(platform, "forward", "match/stale")


def plan_rematch(platform: Platform) -> list[dict[str, Any]]:
    """Batches of licensed media that older uploads have not been compared with; each batch looks
    at some days of the uploads."""
    return _plan(platform, "reverse", "match/pending_reverse")


def _plan(platform: Platform, direction: Direction, statement: str) -> list[dict[str, Any]]:
    sizes = platform.settings.pipeline
    found = current_manifests(platform, SEARCHED[direction])
    snapshots = {modality: manifest_key(manifest) for modality, manifest in found.items()}
    if not snapshots:
        return []  # nothing to search yet; the first snapshot starts this DAG again
    with platform.catalog() as catalog:
        rows = catalog.query(
            statement,
            matcher_version=platform.matcher_version,
            limit=sizes.max_batches * sizes.batch_media_count,
            **platform.fingerprinter_params,
        )
        exclusions = catalog.query("exclusion/count")[0]
        spans = _day_spans(platform, catalog, rows) if direction == "reverse" else None
    identity = {
        "snapshots": snapshots,
        "matcher": platform.matcher_version,
        "exclusions": exclusions,
    }
    return [
        _write(platform, direction, batch, identity | ({"days": days} if days else {}))
        for batch, days in itertools.islice(_batches(platform, rows, spans), sizes.max_batches)
    ]


def _write(
    platform: Platform, direction: Direction, batch: Rows, identity: dict[str, Any]
) -> dict[str, Any]:
    rows = [{key: row[key] for key in _KEPT} for row in batch]
    written = write_plan(platform, kind=direction, rows=rows, identity=identity)
    seconds = sum(row["duration"] or 0 for row in batch)
    return written | {"media_count": len(batch), "seconds": seconds}


def _batches(
    platform: Platform, rows: Rows, spans: list[list[str]] | None
) -> Iterator[tuple[Rows, Days]]:
    """Media in batches, backwards once per span of days that any of them needs."""
    if spans is None or len(spans) == 1:
        yield from ((batch, None) for batch in _cut(platform, rows))
        return
    # The latest days first: what was just uploaded does harm now.
    for span in reversed(spans):
        media = [row for row in rows if not set(span).isdisjoint(row["days"])]
        yield from ((batch, [span[0], span[-1]]) for batch in _cut(platform, media))


def _cut(platform: Platform, media: Rows) -> list[Rows]:
    sizes = platform.settings.pipeline
    return pack(
        media,
        weight="duration",
        limit=sizes.batch_media_seconds,
        count=sizes.batch_media_count,
    )


def _day_spans(platform: Platform, catalog: Catalog, rows: Rows) -> list[list[str]]:
    """All upload days in consecutive spans of about `rematch_upload_seconds`."""
    if not rows:
        return []
    days = catalog.query("match/upload_days", **platform.fingerprinter_params)
    limit = platform.settings.pipeline.rematch_upload_seconds
    packed = pack(days, weight="seconds", limit=limit)
    return [[row["day"] for row in span] for span in packed]
