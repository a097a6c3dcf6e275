"""An immutable index segment: valid windows of several media, as arrays and as bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from avm_core.config import IndexConfig
from avm_core.errors import BadSettings, ChecksumMismatch, IndexMismatch
from avm_core.types import Fingerprint, Float64, Int8, Int64

FORMAT_VERSION = 1
Kind = Literal["flat", "hnsw"]
Int32 = npt.NDArray[np.int32]

_DTYPES = {"I8": "<i1", "I32": "<i4", "F64": "<f8"}


class MediaEntry(NamedTuple):
    """One media of a segment. `added_version` 0 means: the version that added the segment."""

    media_id: str
    windows: int
    added_version: int = 0


class Part(NamedTuple):
    """Windows of one media on their way into a segment: vectors [N, D], starts seconds [N]."""

    entry: MediaEntry
    vectors: Int8
    starts: Float64


@dataclass(frozen=True, slots=True)
class SegmentData:
    """Valid windows of several media.

    `vectors` int8 [N, D]; `media` int32 [N], ordinal into `entries`; `starts` float64 [N]
    seconds. Rows are ordered by (media id, start), which is the order in which equal scores
    are ranked. `graph` is the serialised HNSW graph of an `hnsw` segment that was just built,
    with row numbers as keys.
    """

    kind: Kind
    fingerprinter: str
    vectors: Int8
    media: Int32
    starts: Float64
    entries: tuple[MediaEntry, ...]
    graph: bytes | None = None

    @property
    def dims(self) -> int:
        return int(self.vectors.shape[1])

    @property
    def media_ids(self) -> tuple[str, ...]:
        return tuple(entry.media_id for entry in self.entries)

    def to_bytes(self) -> bytes:
        """The arrays as a safetensors file; the same arrays always give the same bytes."""
        about = {
            "format_version": FORMAT_VERSION,
            "fingerprinter": self.fingerprinter,
            "dims": self.dims,
            "kind": self.kind,
        }
        tensors: dict[str, npt.NDArray[np.generic]] = {
            "vectors": np.ascontiguousarray(self.vectors),
            "media": np.ascontiguousarray(self.media),
            "starts": np.ascontiguousarray(self.starts),
        }
        # One key only: safetensors writes several metadata keys in random order.
        return bytes(save(tensors, metadata={"avm": json.dumps(about, sort_keys=True)}))

    def media_bytes(self) -> bytes:
        """The media entries as JSON lines, in ordinal order."""
        lines = (json.dumps(entry._asdict(), ensure_ascii=False) for entry in self.entries)
        return "".join(f"{line}\n" for line in lines).encode()


def searchable(fingerprint: Fingerprint) -> Int64:
    """Ordinals of the windows that may vote: valid, and with a direction (not all zero)."""
    return np.flatnonzero(fingerprint.valid & fingerprint.descriptors.any(axis=1))


def build_segment(
    fingerprints: Iterable[tuple[str, Fingerprint]], config: IndexConfig
) -> SegmentData:
    """Pack (media id, fingerprint) pairs; from `config.hnsw_from` windows on with a graph.

    Raises `IndexMismatch` if the fingerprinters differ, `BadSettings` if there is nothing to
    pack or a media id comes twice.
    """
    pairs = list(fingerprints)
    if not pairs:
        raise BadSettings("a segment needs at least one fingerprint")
    names = {str(fingerprint.fingerprinter) for _, fingerprint in pairs}
    if len(names) > 1:
        raise IndexMismatch(f"one segment cannot mix fingerprinters: {', '.join(sorted(names))}")
    parts = []
    for media_id, fingerprint in pairs:
        rows = searchable(fingerprint)
        entry = MediaEntry(media_id, len(rows))
        parts.append(Part(entry, fingerprint.descriptors[rows], fingerprint.starts[rows]))
    return pack(names.pop(), parts, config)


def pack(fingerprinter: str, parts: Sequence[Part], config: IndexConfig) -> SegmentData:
    """One segment of the parts (at least one), ordered by media id."""
    ordered = sorted(parts, key=lambda part: part.entry.media_id)
    entries = tuple(part.entry for part in ordered)
    if len({entry.media_id for entry in entries}) != len(entries):
        raise BadSettings("a segment holds a media id once: drop the repeated ids")
    if len({part.vectors.shape[1] for part in ordered}) > 1:
        raise IndexMismatch(
            f"descriptors of {fingerprinter} have different widths: fingerprint the media again"
        )
    vectors = np.concatenate([part.vectors for part in ordered])
    kind: Kind = "hnsw" if len(vectors) >= config.hnsw_from else "flat"
    graph = None
    if kind == "hnsw":
        # A flat segment must not pay for loading USearch.
        from avm_core.index.graph import build_graph

        graph = build_graph(vectors, config)
    counts = [entry.windows for entry in entries]
    return SegmentData(
        kind=kind,
        fingerprinter=fingerprinter,
        vectors=vectors,
        media=np.repeat(np.arange(len(entries), dtype=np.int32), counts),
        starts=np.concatenate([part.starts for part in ordered]).astype(np.float64),
        entries=entries,
        graph=graph,
    )


def read_entries(data: bytes) -> tuple[MediaEntry, ...]:
    """The inverse of `SegmentData.media_bytes`."""
    return tuple(MediaEntry(**json.loads(line)) for line in data.decode().split("\n") if line)


def open_segment(path: Path, entries: tuple[MediaEntry, ...]) -> SegmentData:
    """Memory-map a segment file; nothing is read but the header.

    Raises `ChecksumMismatch` if the file is no segment or does not belong to `entries`,
    `IndexMismatch` if a newer AVM wrote it.
    """
    try:
        about, arrays = _map_arrays(path)
        vectors, media, starts = arrays["vectors"], arrays["media"], arrays["starts"]
        version, kind, name = about["format_version"], about["kind"], about["fingerprinter"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ChecksumMismatch(
            f"segment {path.name} cannot be read ({error}): delete it from the cache folder"
        ) from error
    if version != FORMAT_VERSION:
        raise IndexMismatch(
            f"segment {path.name} has format {version}, this AVM reads {FORMAT_VERSION}: "
            f"upgrade AVM or publish the index again"
        )
    if len(vectors) != sum(entry.windows for entry in entries):
        raise ChecksumMismatch(
            f"segment {path.name} holds {len(vectors)} windows, its media list another number: "
            f"publish the index again"
        )
    return SegmentData(kind, name, vectors, media, starts, entries)


def _map_arrays(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    about = json.loads(header.pop("__metadata__")["avm"])
    arrays: dict[str, Any] = {}
    for name, spec in header.items():
        dtype, shape = _DTYPES[spec["dtype"]], tuple(spec["shape"])
        if 0 in shape:
            # An empty stretch of a file cannot be mapped.
            arrays[name] = np.empty(shape, dtype)
            continue
        offset = 8 + length + spec["data_offsets"][0]
        arrays[name] = np.memmap(path, dtype, mode="r", offset=offset, shape=shape)
    return about, arrays
