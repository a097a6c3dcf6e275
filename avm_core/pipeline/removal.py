"""Remove media: a licence that ended, or an upload that was taken down.

The row comes first: from its commit on the media's matches are history and no scan, however old
its snapshot, can bring one back. The index follows (`publish_index` removes what is still in it),
and after a grace period maintenance deletes the artefacts. Removed is for good: the same object is
not taken up again, another object with the same content is a media of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from avm_core.errors import BadSettings
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.staging import Rows, digest, stage


def remove_media(
    platform: Platform, *, media: Sequence[str], reason: str, removed_by: str
) -> dict[str, Any]:
    """Stage the removal of media named by id, URI or title; the unit also tells `media`, their ids.

    A URI names every version of its object, a title all licensed media of that title, or the one
    upload. What was removed before stays as it was. Raises `BadSettings` for a name that fits
    nothing, or a title of several uploads.
    """
    names = sorted({name.strip() for name in media if name.strip()})
    if not names or not reason.strip() or not removed_by.strip():
        raise BadSettings("a removal needs media (ids, URIs or titles), a reason and who asked")
    with platform.catalog() as catalog:
        rows = catalog.query("media/named", names=names)
    ids = sorted({media_id for name in names for media_id in _resolve(name, rows)})
    identity = digest("removal", ids)
    removals = [
        {
            "removal_id": digest("removal", media_id),
            "media_id": media_id,
            "reason": reason.strip(),
            "removed_by": removed_by.strip(),
            "removed_at": datetime.now(UTC),
        }
        for media_id in ids
    ]
    unit = stage(
        platform,
        kind="removal",
        unit_id=f"removal-{identity}",
        input_digest=identity,
        tables={"removal": removals},
    )
    return unit | {"media": ids}


def _resolve(name: str, rows: Rows) -> list[str]:
    found = [row for row in rows if row["name"] == name]
    if not found:
        raise BadSettings(
            f"no media has the id, URI or title {name!r}: copy the id from the view media_status "
            "(nothing was removed)"
        )
    exact = [row["media_id"] for row in found if name in (row["media_id"], row["uri"])]
    titles = [row["media_id"] for row in found if row["role"] == "licensed"]
    if exact or titles:
        return exact or titles
    uris = [str(row["uri"]) for row in found]
    if len(set(uris)) > 1:
        raise BadSettings(
            f"{len(uris)} uploads have the title {name!r}: name the URI of the one that is meant "
            f"({', '.join(uris[:5])}; nothing was removed)"
        )
    return [row["media_id"] for row in found]
