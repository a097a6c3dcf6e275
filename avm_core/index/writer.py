"""Store a segment as content-addressed objects."""

from __future__ import annotations

import hashlib

from avm_core.index.manifest import SegmentRef
from avm_core.index.pointer import index_prefix
from avm_core.index.segment import SegmentData
from avm_core.types import ObjectStore


def write_segment(store: ObjectStore, index_name: str, segment: SegmentData) -> SegmentRef:
    """Write the objects of a segment and return its reference, with `added_version` 0.

    Objects that are there already are written again: a fresh modification time keeps the
    garbage collector away from them until the manifest refers to them.
    """
    key, sha256, size = _put(store, index_name, "safetensors", segment.to_bytes())
    media_key, media_sha256, media_bytes = _put(store, index_name, "jsonl", segment.media_bytes())
    ref = SegmentRef(
        key=key,
        sha256=sha256,
        bytes=size,
        kind=segment.kind,
        windows=len(segment.vectors),
        media_key=media_key,
        media_sha256=media_sha256,
        media_bytes=media_bytes,
        media_count=len(segment.entries),
        added_version=0,
    )
    if segment.graph is None:
        return ref
    graph_key, graph_sha256, graph_bytes = _put(store, index_name, "usearch", segment.graph)
    graph = {"graph_key": graph_key, "graph_sha256": graph_sha256, "graph_bytes": graph_bytes}
    return ref.model_copy(update=graph)


def _put(store: ObjectStore, index_name: str, suffix: str, data: bytes) -> tuple[str, str, int]:
    sha256 = hashlib.sha256(data).hexdigest()
    key = f"{index_prefix(index_name)}segments/{sha256}.{suffix}"
    store.put(key, data)
    return key, sha256, len(data)
