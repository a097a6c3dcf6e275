"""Publish index: what is fingerprinted but not yet searchable joins the next snapshot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from avm_core.errors import ChecksumMismatch, ObjectMissing
from avm_core.fingerprint import codec
from avm_core.index.manifest import IndexManifest
from avm_core.index.pointer import manifest_key
from avm_core.index.snapshot import current, media_ids, publish
from avm_core.pipeline.media_rows import MediaResult
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.staging import Rows, digest, pack, stage
from avm_core.storage import object_uri
from avm_core.types import Fingerprint, FingerprinterId, Modality, Role

# Longer than an event waits for its run while another one of the DAG ends.
_EVENT_DELAY = timedelta(minutes=10)


def index_name(role: Role, modality: Modality) -> str:
    """`<role>_<modality>`."""
    return f"{role}_{modality}"


def published_soon(platform: Platform) -> bool:
    """Whether fingerprints were recorded so lately that the run is on its way which their asset
    event starts. A run that the clock starts leaves them to it: else it publishes of one modality
    what was recorded between its tasks, and the other run the rest, two snapshots for one.
    """
    with platform.catalog() as catalog:
        recorded = catalog.query("commit_ledger/latest", kind="fingerprint")[0]["committed_at"]
    return recorded is not None and datetime.now(UTC) - recorded < _EVENT_DELAY


def publish_index(platform: Platform, *, role: Role, modality: Modality) -> list[dict[str, Any]]:
    """Publish a snapshot with all fingerprinted media of the role and none that was removed; stage
    its rows.

    [] if the current snapshot has everything and is recorded. What the catalog records comes
    from the snapshot itself, so a kill between publishing and recording loses nothing.
    """
    name, identity = index_name(role, modality), platform.fingerprinters[modality]
    lake = platform.lake
    with platform.catalog() as catalog:
        wanted = catalog.query(
            "fingerprint/indexable", role=role, modality=modality, fingerprinter=str(identity)
        )
        recorded = catalog.query(
            "index/recorded_version", index_name=name, fingerprinter=str(identity)
        )[0]["version"]
        removed = [row["media_id"] for row in catalog.query("removal/of_role", role=role)]
    manifest = current(lake, name)
    usable = manifest is not None and manifest.fingerprinter == str(identity)
    have = media_ids(lake, manifest) if manifest is not None and usable else {}
    published, damaged = _publish(
        platform, role, identity, [row for row in wanted if row["media_id"] not in have]
    )
    gone = [media for media in removed if media in have]
    if gone:
        published = publish(lake, name, identity, [], remove=gone, config=platform.settings.index)
    if published is not None:
        manifest, usable = published, True
        have = media_ids(lake, manifest)
    units = [_damage_unit(platform, identity, row, error) for row, error in damaged]
    fresh = manifest is not None and usable and (published or manifest.version > recorded)
    if manifest is not None and fresh:
        units.append(_unit(platform, manifest, have, recorded))
    return units


def _publish(
    platform: Platform, role: Role, identity: FingerprinterId, rows: Rows
) -> tuple[IndexManifest | None, list[tuple[dict[str, Any], Exception]]]:
    """The snapshot with all rows, None if none could be read; and the damaged ones.

    As many windows at a time as the segments that are built at once hold, so that the first
    publish of a whole library needs no more memory than that of a day.
    """
    config = platform.settings.index
    published, damaged = None, []
    limit = config.segment_windows * config.build_threads
    for batch in pack(rows, weight="windows", limit=limit):
        additions, bad = _load(platform, role, batch)
        damaged += bad
        if additions:
            published = publish(
                platform.lake,
                index_name(role, identity.modality),
                identity,
                additions,
                config=config,
                replace=True,
                partition_of={row["media_id"]: partition_of(role, row) for row in batch},
            )
    return published, damaged


def partition_of(role: Role, row: dict[str, Any]) -> str:
    """Where a media is indexed: uploads by their day in UTC, which a search backwards maps over;
    titles, and uploads of an unknown day, under ""."""
    uploaded = row["uploaded_at"] if role == "ugc" else None
    return uploaded.astimezone(UTC).date().isoformat() if uploaded else ""


def stored_print(platform: Platform, role: Role, row: dict[str, Any]) -> Fingerprint:
    """The fingerprint as it is indexed: a title is what its whole pictures show.

    Raises `ChecksumMismatch` or `ObjectMissing` for a lost artefact.
    """
    made = codec.decode(platform.get(row["artefact_uri"]))
    return made.whole() if role == "licensed" else made


def _load(
    platform: Platform, role: Role, rows: Rows
) -> tuple[list[tuple[str, Fingerprint]], list[tuple[dict[str, Any], Exception]]]:
    """Fingerprints by media id, and the rows whose artefact is missing or damaged: one lost
    object must not keep all the others out of the index."""
    loaded: list[tuple[str, Fingerprint]] = []
    damaged: list[tuple[dict[str, Any], Exception]] = []
    for row in rows:
        try:
            loaded.append((row["media_id"], stored_print(platform, role, row)))
        except (ChecksumMismatch, ObjectMissing) as error:
            damaged.append((row, error))
    return loaded, damaged


def _damage_unit(
    platform: Platform, identity: FingerprinterId, row: dict[str, Any], error: Exception
) -> dict[str, Any]:
    """A fingerprint unit that records the damage, so that an operator sees it and the row no
    longer counts as indexable."""
    result = MediaResult(row["media_id"])
    result.fail(f"publish_{identity.modality}", error)
    result.add(identity, "error")
    name = digest("damage", row["media_id"], str(identity), str(error))
    return stage(
        platform,
        kind="fingerprint",
        unit_id=f"damage-{name}",
        input_digest=name,
        tables={"media_fingerprint": result.fingerprints, "media_error": result.errors},
    )


def _unit(
    platform: Platform, manifest: IndexManifest, entries: dict[str, int], recorded: int
) -> dict[str, Any]:
    snapshot = {
        "snapshot_id": manifest.snapshot_id,
        "index_name": manifest.index_name,
        "version": manifest.version,
        "fingerprinter": manifest.fingerprinter,
        "manifest_uri": object_uri(platform.lake, manifest_key(manifest)),
        "windows": manifest.windows,
        "media_count": len(entries),
        "bytes": manifest.size,
        "parent_id": manifest.parent_id or None,
        "published_at": datetime.fromisoformat(manifest.created_at),
    }
    index = {"index_name": manifest.index_name, "fingerprinter": manifest.fingerprinter}
    with platform.catalog() as catalog:
        live = catalog.query("index/live_entries", **index)
    lost = [(r["media_id"], r["first_version"]) for r in live if r["media_id"] not in entries]
    new = [(media, version) for media, version in sorted(entries.items()) if version > recorded]
    rows = [
        index | {"media_id": media, "first_version": version, "removed_version": removed}
        for changed, removed in ((new, None), (lost, manifest.version))
        for media, version in changed
    ]
    return stage(
        platform,
        kind="index",
        unit_id=f"index-{manifest.index_name}-{manifest.version}-{manifest.snapshot_id}",
        input_digest=digest(manifest.snapshot_id, recorded),
        tables={"index_snapshot": [snapshot], "index_entry": rows},
    )
