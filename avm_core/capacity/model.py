"""From hours of media per day to workers, GPUs, memory, storage and the length of a night."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from avm_core.capacity.rates import Rates
from avm_core.capacity.segments import IndexShape, library_shape, uploads_shape
from avm_core.config import IndexConfig, MatchConfig

_ROW_BYTES = 12  # beside a descriptor: int32 media, float64 start
_SECONDS = 3600.0
_RATED_WINDOWS = 100_000  # of the graph that `graph_queries_per_s` was measured on


@dataclass(frozen=True, slots=True)
class Load:
    """What comes in. `new_library_hours` per day; `night_hours` is the time that a day's work
    may take; `upload_minutes` is a mean upload."""

    hours_per_day: float
    library_hours: float
    retention_days: int
    new_library_hours: float
    upload_minutes: float = 10.0
    publishes_per_day: int = 24
    night_hours: float = 8.0
    with_video: bool = True


def plan(load: Load, rates: Rates, index: IndexConfig, match: MatchConfig) -> dict[str, Any]:
    """The whole plan as nested plain values; `work` is in hours of one worker per day."""
    modalities = ("audio", "video") if load.with_video else ("audio",)
    shapes = {m: _shapes(load, rates, index, m) for m in modalities}
    work = _work(load, rates, index, match, shapes)
    serial = _serial_hours(rates, index, shapes)
    left = load.night_hours - serial
    workers = math.ceil(sum(work.values()) / left) if left > 0 else None
    night = serial + sum(work.values()) / workers if workers else None
    return {
        "work_hours_per_day": work,
        "serial_hours_per_day": serial,
        "workers": workers,
        "nightly_hours": night,
        "gpus": _gpus(load, rates, shapes),
        "storage_gb": _storage(load, rates, index, shapes),
        "ram_gb": _ram(load, rates, index, shapes),
        "index": {
            m: {
                "licensed_windows": pair[0].windows,
                "licensed_segments": pair[0].segments,
                "ugc_windows": pair[1].windows,
                "ugc_segments": pair[1].segments,
            }
            for m, pair in shapes.items()
        },
    }


Shapes = dict[str, tuple[IndexShape, IndexShape]]


def _shapes(
    load: Load, rates: Rates, index: IndexConfig, modality: str
) -> tuple[IndexShape, IndexShape]:
    """Licensed index and index of uploads at the end of the retention time."""
    per_hour = _rate(rates, f"{modality}_windows_per_hour")
    limit = index.segment_windows
    licensed = library_shape(
        load.library_hours * per_hour,
        load.new_library_hours * per_hour,
        load.retention_days,
        load.publishes_per_day,
        limit,
    )
    uploads = uploads_shape(
        load.hours_per_day * per_hour, load.retention_days, load.publishes_per_day, limit
    )
    return licensed, uploads


def search_seconds(queries: float, shape: IndexShape, rates: Rates, index: IndexConfig) -> float:
    """Seconds of a worker for `queries` windows in every segment of the index."""
    if _in_graphs(shape, index):
        return _graph_seconds(queries, shape, rates, index, round(shape.segments))
    return queries * shape.windows / rates.scan_pairs_per_s.value


def back_seconds(asked: float, stored: IndexShape, rates: Rates, index: IndexConfig) -> float:
    """Seconds of a worker to search `asked` windows of titles in the index of uploads: all pairs,
    or with `back_neighbours` once per graph, which there answers for itself."""
    if _in_graphs(stored, index) and index.back_neighbours:
        return _graph_seconds(asked, stored, rates, index, 1)
    return asked * stored.windows / rates.reverse_pairs_per_s.value


def _in_graphs(shape: IndexShape, index: IndexConfig) -> bool:
    return shape.segments > 0 and shape.windows / shape.segments >= index.hnsw_from


def _graph_seconds(
    queries: float, shape: IndexShape, rates: Rates, index: IndexConfig, graphs: int
) -> float:
    """`graphs` of the shape's share the best of a query between them."""
    depth = index.search_depth(round(shape.windows / shape.segments), graphs)
    slower = depth / index.search_depth(_RATED_WINDOWS)
    return queries * shape.segments * slower / rates.graph_queries_per_s.value


def index_bytes(
    shape: IndexShape, dims: float, media: float, rates: Rates, index: IndexConfig
) -> float:
    """Bytes of the vectors, graphs and entries of an index of `media` contents."""
    graph = rates.graph_bytes_per_window.value if _in_graphs(shape, index) else 0.0
    each = dims + _ROW_BYTES + graph
    return shape.windows * each + media * rates.entry_bytes.value


def _work(
    load: Load, rates: Rates, index: IndexConfig, match: MatchConfig, shapes: Shapes
) -> dict[str, float]:
    media = load.hours_per_day + load.new_library_hours
    uploads = load.hours_per_day * 60 / load.upload_minutes
    work = {f"fingerprint_{m}": media / _rate(rates, f"{m}_x") for m in shapes}
    forward = reverse = 0.0
    for modality, (licensed, stored) in shapes.items():
        per_hour = _rate(rates, f"{modality}_windows_per_hour")
        forward += search_seconds(load.hours_per_day * per_hour, licensed, rates, index)
        asked = load.new_library_hours * per_hour
        reverse += back_seconds(asked, stored, rates, index)
    # A worker has two cores, and alignment was measured on one.
    align = uploads * match.max_candidates * rates.align_ms_per_pair.value / 1000 / 2
    commits = uploads / 500 * rates.commit_ms.value / 1000
    return work | {
        "search": forward / _SECONDS,
        "search_back": reverse / _SECONDS,
        "align": align / _SECONDS,
        "record": commits / _SECONDS,
    }


def _serial_hours(rates: Rates, index: IndexConfig, shapes: Shapes) -> float:
    """Hours of the longest index writer: one at a time per index, the indexes side by side, and in
    each `build_threads` segments at once, none faster than its one thread."""
    shares = [
        max(shape.rewritten / index.build_threads, min(shape.rewritten, index.segment_windows))
        for pair in shapes.values()
        for shape in pair
        if _in_graphs(shape, index)
    ]
    return max(shares, default=0.0) / rates.adds_per_s.value / _SECONDS


def _gpus(load: Load, rates: Rates, shapes: Shapes) -> dict[str, Any]:
    """Devices that fingerprint pictures and search backwards within a night; None where no rate
    was measured."""
    pictures = backwards = None
    if rates.gpu_video_x and load.with_video:
        hours = (load.hours_per_day + load.new_library_hours) / rates.gpu_video_x.value
        pictures = math.ceil(hours / load.night_hours)
    if rates.gpu_reverse_pairs_per_s:
        pairs = sum(
            load.new_library_hours * _rate(rates, f"{m}_windows_per_hour") * stored.windows
            for m, (_, stored) in shapes.items()
        )
        seconds = pairs / rates.gpu_reverse_pairs_per_s.value
        backwards = math.ceil(seconds / _SECONDS / load.night_hours)
    return {"fingerprint_video": pictures, "search_back": backwards}


def _storage(load: Load, rates: Rates, index: IndexConfig, shapes: Shapes) -> dict[str, float]:
    """GB in the object store, media themselves not counted. Superseded segments stay for the
    grace time: those that a night rewrites, and the day's own before they were merged."""
    hours = load.library_hours + load.retention_days * (load.hours_per_day + load.new_library_hours)
    artefacts = sum(_rate(rates, f"{m}_artefact_mb_per_hour") for m in shapes) * hours / 1e3
    uploads = load.retention_days * load.hours_per_day * 60 / load.upload_minutes
    titles = load.library_hours + load.retention_days * load.new_library_hours  # of an hour each
    grace_days = index.grace_seconds / 86_400
    found = {"artefacts": artefacts, "licensed_index": 0.0, "ugc_index": 0.0, "superseded": 0.0}
    for modality, (licensed, stored) in shapes.items():
        dims = _rate(rates, f"{modality}_dims")
        found["licensed_index"] += index_bytes(licensed, dims, titles, rates, index) / 1e9
        found["ugc_index"] += index_bytes(stored, dims, uploads, rates, index) / 1e9
        old = (licensed.rewritten + stored.rewritten) * grace_days
        full = dims + _ROW_BYTES + rates.graph_bytes_per_window.value
        found["superseded"] += old * full / 1e9
    return found | {"total": sum(found.values())}


def _ram(load: Load, rates: Rates, index: IndexConfig, shapes: Shapes) -> dict[str, float]:
    """GB per host that searches: forward all of the licensed index, backwards one day of uploads
    at a time; a compaction holds the `build_threads` largest segments twice, and their graphs."""
    found = {"search": 0.0, "search_back": 0.0, "compact": 0.0}
    for modality, (licensed, stored) in shapes.items():
        dims = _rate(rates, f"{modality}_dims")
        found["search"] += index_bytes(licensed, dims, 0, rates, index) / 1e9
        days = load.retention_days
        found["search_back"] += index_bytes(stored, dims, 0, rates, index) / days / 1e9
        limit = index.segment_windows * index.build_threads
        at_once = min(limit, max(licensed.windows, stored.windows / days))
        each = 2 * (dims + _ROW_BYTES) + 2 * rates.graph_bytes_per_window.value
        found["compact"] = max(found["compact"], at_once * each / 1e9)
    return found


def _rate(rates: Rates, name: str) -> float:
    return float(getattr(rates, name).value)
