"""Discover: which objects under a role's prefix does the inventory lack?

Listing and anti-join, not remembering: a lost event costs minutes, never a file.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from avm_core.errors import ObjectMissing
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.staging import Rows, digest, stage
from avm_core.storage import object_uri
from avm_core.types import ObjectInfo, ObjectStore, Role

_ROWS_PER_UNIT = 10_000


def media_id(uri: str, version: str) -> str:
    """32 hex digits that name one immutable object version."""
    return hashlib.sha256(f"{uri}\n{version}".encode()).hexdigest()[:32]


def discover(platform: Platform, *, role: Role) -> list[dict[str, Any]]:
    """Stage a `media` row for every new or changed object; [] if there is none.

    Object metadata `title`, `licensed_from` and `uploaded_at` (ISO 8601) are taken over; an
    upload without a date counts as uploaded when the object was written.
    """
    store = platform.media_store(role)
    with platform.catalog() as catalog:
        known = {row["media_id"] for row in catalog.query("media/ids", role=role)}
    fresh = []
    for info in store.list():
        identity = media_id(object_uri(store, info.key), info.etag)
        if identity not in known and not info.key.endswith("/"):
            row = _row(store, info, identity, role)
            if row is not None:
                fresh.append(row)
    return [
        _unit(platform, role, fresh[first : first + _ROWS_PER_UNIT])
        for first in range(0, len(fresh), _ROWS_PER_UNIT)
    ]


def _unit(platform: Platform, role: Role, rows: Rows) -> dict[str, Any]:
    name = digest(role, [row["media_id"] for row in rows])
    return stage(
        platform,
        kind="media",
        unit_id=f"media-{name}",
        input_digest=name,
        tables={"media": rows},
    )


def _row(store: ObjectStore, info: ObjectInfo, identity: str, role: Role) -> dict[str, Any] | None:
    try:
        pairs = store.head(info.key).metadata
    except ObjectMissing:
        return None  # deleted since it was listed: there is nothing to fingerprint
    # Some clients write the words of a header with dashes.
    metadata = {name.replace("-", "_"): value for name, value in pairs}
    uploaded = _time(metadata.get("uploaded_at")) or info.modified
    return {
        "media_id": identity,
        "role": role,
        "uri": object_uri(store, info.key),
        "version_id": info.version_id,
        "etag": info.etag,
        "size_bytes": info.size,
        "title": metadata.get("title") or PurePosixPath(info.key).stem,
        "licensed_from": _time(metadata.get("licensed_from")),
        "uploaded_at": uploaded if role == "ugc" else None,
        "discovered_at": datetime.now(UTC),
    }


def _time(text: str | None) -> datetime | None:
    """An aware time, or None for what is missing or not ISO 8601: a typing error in metadata
    must not keep a file out of the inventory."""
    try:
        value = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value
