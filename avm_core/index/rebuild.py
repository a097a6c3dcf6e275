"""Build an index anew from its fingerprints, while the old snapshot serves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from avm_core.config import IndexConfig
from avm_core.errors import BadSettings, PreconditionFailed
from avm_core.index.cache import fetch_entries
from avm_core.index.manifest import IndexManifest, SegmentRef, seal
from avm_core.index.pointer import commit
from avm_core.index.segment import MediaEntry, Part, pack, searchable
from avm_core.index.side_by_side import side_by_side
from avm_core.index.snapshot import media_ids
from avm_core.index.upkeep import require_whole
from avm_core.index.writer import write_segment
from avm_core.types import Fingerprint, ObjectStore

# Batches of one partition each: its name, and fingerprints by media id.
Batches = Iterable[tuple[str, Sequence[tuple[str, Fingerprint]]]]


def rebuild(
    store: ObjectStore,
    base: IndexManifest,
    batches: Batches,
    *,
    config: IndexConfig,
) -> IndexManifest:
    """Replace every segment of the snapshot `base` by new ones, one for each batch,
    `config.build_threads` at a time.

    Each media keeps the version that brought it in. What is not in `batches` leaves the index.
    Segments that others published since `base` stay beside the new ones; if others rewrote what
    is being rebuilt, or removed some of it, `PreconditionFailed`: run it again. The pointer moves
    only once all objects of the new snapshot were read back; else `ChecksumMismatch`, and the old
    one goes on.
    """
    known = media_ids(store, base)

    def build(job: tuple[str, Sequence[tuple[str, Fingerprint]]]) -> list[SegmentRef]:
        partition, batch = job
        parts = [_part(media_id, made, known) for media_id, made in batch if media_id in known]
        if not parts:
            return []
        ref = write_segment(store, base.index_name, pack(base.fingerprinter, parts, config))
        return [ref.model_copy(update={"partition": partition})]

    built = [
        ref for refs in side_by_side(build, batches, threads=config.build_threads) for ref in refs
    ]

    def apply(current: IndexManifest | None) -> IndexManifest:
        if current is None or current.fingerprinter != base.fingerprinter:
            raise BadSettings(f"index {base.index_name} was replaced while it was rebuilt")
        made = _replaced(base, current, built, _later(store, base, current))
        require_whole(store, made)
        return made

    result = commit(store, base.index_name, apply)
    assert result is not None, "apply never returns None"
    return result


def _replaced(
    base: IndexManifest,
    current: IndexManifest,
    built: Sequence[SegmentRef],
    later: Sequence[SegmentRef],
) -> IndexManifest:
    """The snapshot after `current` that has the segments `built` for those of `base`."""
    version = current.version + 1
    return seal(
        index_name=base.index_name,
        parent=current,
        fingerprinter=base.fingerprinter,
        dims=base.dims,
        segments=(*(ref.model_copy(update={"added_version": version}) for ref in built), *later),
        tombstones=tuple(s for s in current.tombstones if s.removed_version > base.version),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _part(media_id: str, made: Fingerprint, known: dict[str, int]) -> Part:
    rows = searchable(made)
    entry = MediaEntry(media_id, len(rows), known[media_id])
    return Part(entry, made.descriptors[rows], made.starts[rows])


def _later(
    store: ObjectStore, base: IndexManifest, current: IndexManifest
) -> tuple[SegmentRef, ...]:
    """The segments that were added since `base`."""
    before = {(ref.key, ref.added_version) for ref in base.segments}
    later = tuple(ref for ref in current.segments if (ref.key, ref.added_version) not in before)
    old = {
        entry.media_id
        for ref in later
        for entry in fetch_entries(store, ref)
        if 0 < entry.added_version <= base.version
    }
    if old:
        raise PreconditionFailed(
            f"index {base.index_name} was compacted while it was rebuilt: run it again"
        )
    return later
