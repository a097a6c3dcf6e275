"""What a snapshot of an index consists of: segments, tombstones and checksums."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from avm_core.errors import ChecksumMismatch, IndexMismatch
from avm_core.index.segment import FORMAT_VERSION, Kind, MediaEntry


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SegmentRef(_Frozen):
    """One segment's objects. Keys are relative to the store; `bytes` is the flat object's size.

    `added_version` is the snapshot version that brought the segment in. The graph fields are
    empty for a `flat` segment. `partition` is the upload day `YYYY-MM-DD` (UTC) of a segment of
    uploads, "" where an index is not partitioned.
    """

    key: str
    sha256: str
    bytes: int
    kind: Kind
    windows: int
    media_key: str
    media_sha256: str
    media_bytes: int
    media_count: int
    added_version: int
    graph_key: str = ""
    graph_sha256: str = ""
    graph_bytes: int = 0
    partition: str = ""

    def objects(self) -> tuple[tuple[str, str, int], ...]:
        """(key, sha256, bytes) of every object that the segment needs."""
        flat = (self.key, self.sha256, self.bytes)
        media = (self.media_key, self.media_sha256, self.media_bytes)
        graph = (self.graph_key, self.graph_sha256, self.graph_bytes)
        return (flat, media, graph) if self.graph_key else (flat, media)


class Tombstone(_Frozen):
    """Windows of `media_id` that were added before `removed_version` are dead."""

    media_id: str
    removed_version: int


class IndexManifest(_Frozen):
    """An immutable snapshot of one index.

    `snapshot_id` is the first 16 hex digits of the sha256 of everything but `created_at`
    (ISO 8601, UTC). `version` counts up by one per publish. `dims` is 0 until the first
    fingerprint. `parent_id` is "" for the first snapshot.
    """

    format_version: int
    index_name: str
    snapshot_id: str
    version: int
    parent_id: str
    fingerprinter: str
    dims: int
    dtype: Literal["i8"]
    metric: Literal["cos"]
    segments: tuple[SegmentRef, ...]
    tombstones: tuple[Tombstone, ...]
    created_at: str

    @property
    def windows(self) -> int:
        """Stored windows, dead ones included."""
        return sum(segment.windows for segment in self.segments)

    @property
    def size(self) -> int:
        """Bytes of all objects of all segments."""
        return sum(size for segment in self.segments for _, _, size in segment.objects())

    @property
    def partitions(self) -> tuple[str, ...]:
        """Partitions that have segments, ascending."""
        return tuple(sorted({segment.partition for segment in self.segments}))

    def alive(self, segment: SegmentRef, entries: Sequence[MediaEntry]) -> list[bool]:
        """For each entry of the segment whether its windows are searched."""
        removed = self.removed_versions()
        return [
            removed.get(entry.media_id, 0) <= added_version(entry, segment) for entry in entries
        ]

    def removed_versions(self) -> dict[str, int]:
        """Media id to the version that removed it last."""
        return {stone.media_id: stone.removed_version for stone in self.tombstones}

    def to_bytes(self) -> bytes:
        return self.model_dump_json(indent=1).encode()

    @classmethod
    def from_bytes(cls, data: bytes, *, key: str) -> IndexManifest:
        """Raises `IndexMismatch` for another format, `ChecksumMismatch` for changed content."""
        try:
            version = json.loads(data)["format_version"]
            if version != FORMAT_VERSION:
                raise IndexMismatch(
                    f"manifest {key} has format {version}, this AVM reads {FORMAT_VERSION}: "
                    f"upgrade AVM or publish the index again"
                )
            manifest = cls.model_validate_json(data)
        except (ValidationError, ValueError, KeyError, TypeError) as error:
            raise ChecksumMismatch(
                f"manifest {key} cannot be read ({error}): point CURRENT to an older snapshot "
                f"or publish the index again"
            ) from error
        if manifest.snapshot_id != _content_hash(manifest):
            raise ChecksumMismatch(
                f"manifest {key} was changed after it was written: point CURRENT to an older "
                f"snapshot or publish the index again"
            )
        return manifest


def added_version(entry: MediaEntry, segment: SegmentRef) -> int:
    """The snapshot version that brought this media of this segment in."""
    return entry.added_version or segment.added_version


def seal(
    *,
    index_name: str,
    parent: IndexManifest | None,
    fingerprinter: str,
    dims: int,
    segments: tuple[SegmentRef, ...],
    tombstones: tuple[Tombstone, ...],
    created_at: str,
) -> IndexManifest:
    """The snapshot after `parent`, with its version and content hash filled in."""
    draft = IndexManifest(
        format_version=FORMAT_VERSION,
        index_name=index_name,
        snapshot_id="",
        version=parent.version + 1 if parent else 1,
        parent_id=parent.snapshot_id if parent else "",
        fingerprinter=fingerprinter,
        dims=dims,
        dtype="i8",
        metric="cos",
        segments=segments,
        tombstones=tombstones,
        created_at=created_at,
    )
    return draft.model_copy(update={"snapshot_id": _content_hash(draft)})


def _content_hash(manifest: IndexManifest) -> str:
    content = manifest.model_dump(mode="json", exclude={"snapshot_id", "created_at"})
    for segment in content["segments"]:
        # Manifests that were written before there were partitions keep their hash.
        if not segment["partition"]:
            del segment["partition"]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
