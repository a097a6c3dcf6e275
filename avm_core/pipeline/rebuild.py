"""Rebuild an index: compact it, or make it anew from the stored fingerprints, blue/green."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from avm_core.config import IndexConfig
from avm_core.errors import BadSettings, ObjectMissing
from avm_core.index.manifest import IndexManifest
from avm_core.index.rebuild import rebuild
from avm_core.index.snapshot import compact, current
from avm_core.pipeline.index import index_name, partition_of, publish_index, stored_print
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.staging import Rows, pack
from avm_core.types import Fingerprint, Modality, Role

How = Literal["compact", "full"]


def rebuild_index(
    platform: Platform,
    *,
    role: Role,
    modality: Modality,
    how: How,
    connectivity: int | None = None,
    expansion_add: int | None = None,
) -> list[dict[str, Any]]:
    """Compact one index or build it anew; stage the rows of the snapshot.

    `compact` rewrites small segments and those with many removed windows, `full` every segment,
    with the graph parameters that are given. The old snapshot serves until all objects of the new
    one were read back. [] if there is nothing to do: no index, or one that is compact. Raises
    `BadSettings` for another `how` and for an index of another fingerprinter.
    """
    if how not in ("compact", "full"):
        raise BadSettings(f"an index is rebuilt by 'compact' or 'full', not {how!r}")
    manifest = _standing(platform, role, modality)
    if manifest is None:
        return []
    config = _config(platform, connectivity, expansion_add)
    if how == "compact":
        compact(
            platform.lake,
            manifest.index_name,
            config=config,
            cache_dir=platform.cache_dir,
            verified=True,
        )
    else:
        batches = _batches(platform, manifest, role, modality)
        rebuild(platform.lake, manifest, batches, config=config)
    return publish_index(platform, role=role, modality=modality)


def _standing(platform: Platform, role: Role, modality: Modality) -> IndexManifest | None:
    """The snapshot to rebuild; None if the modality is switched off or has no index yet."""
    if modality not in platform.fingerprinters:
        return None
    manifest = current(platform.lake, index_name(role, modality))
    wanted = str(platform.fingerprinters[modality])
    if manifest is not None and manifest.fingerprinter != wanted:
        raise BadSettings(
            f"index {manifest.index_name} is of {manifest.fingerprinter}, the settings say "
            f"{wanted}: avm_publish_index replaces it once media are fingerprinted"
        )
    return manifest


def _config(platform: Platform, connectivity: int | None, expansion_add: int | None) -> IndexConfig:
    given = {"connectivity": connectivity, "expansion_add": expansion_add}
    changes = {name: value for name, value in given.items() if value is not None}
    return platform.settings.index.model_copy(update=changes)


def _batches(
    platform: Platform, manifest: IndexManifest, role: Role, modality: Modality
) -> Iterator[tuple[str, Sequence[tuple[str, Fingerprint]]]]:
    """Fingerprints by partition, as many windows at a time as a segment holds."""
    with platform.catalog() as catalog:
        rows = catalog.query(
            "fingerprint/indexable",
            role=role,
            modality=modality,
            fingerprinter=manifest.fingerprinter,
        )
    parts: dict[str, Rows] = {}
    for row in rows:
        parts.setdefault(partition_of(role, row), []).append(row)
    limit = platform.settings.index.segment_windows
    for day in sorted(parts):
        for batch in pack(parts[day], weight="windows", limit=limit):
            yield day, [(row["media_id"], _fingerprint(platform, role, row)) for row in batch]


def _fingerprint(platform: Platform, role: Role, row: dict[str, Any]) -> Fingerprint:
    try:
        return stored_print(platform, role, row)
    except ObjectMissing as error:
        raise ObjectMissing(
            f"{error}: without its artefact media {row['media_id']} would leave the index; "
            "restore the object, or remove the media"
        ) from error
