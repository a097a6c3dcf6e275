"""What a search backwards costs as the titles and the stored uploads grow."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from avm_core.benchmark.descriptor_sets import grow, wrap
from avm_core.benchmark.timing import Seconds
from avm_core.config import IndexConfig, MatchConfig
from avm_core.index.reader import SnapshotReader
from avm_core.index.snapshot import publish
from avm_core.match.calibration import least_hit
from avm_core.pipeline.search import search_uploads
from avm_core.storage.memory import MemoryStore
from avm_core.types import Fingerprint, Modality

_DAYS = 4
_TITLE_WINDOWS = 400
_SHARES = (1, 3, 10)  # of the largest size, divided
_NAME = "ugc_bench"


def measure_reverse(prints: Sequence[Fingerprint], windows: int) -> dict[str, Any]:
    """CPU seconds to find the uploads for new titles, by windows of both sides, scan and graph.

    Up to `windows` windows of uploads in four days, and up to a tenth of that of titles. Only
    the search and the choice of candidates are timed; alignment costs the same both ways.
    `pairs_per_cpu_s` counts window pairs.
    """
    asked, stored = list(prints[::10]), [p for n, p in enumerate(prints) if n % 10]
    modality = prints[0].modality
    rows = []
    for share in reversed(_SHARES):
        size = windows // share
        titles = _titles(asked, max(size // 10, _TITLE_WINDOWS))
        for kind, config in (("scan", IndexConfig()), ("graph", IndexConfig(hnsw_from=1))):
            index = _Uploads(stored, size, config)
            for part in (len(titles) // 10 or 1, len(titles)):
                rows.append({"by": kind} | index.measure(titles[:part], modality))
    return {"floor_and_k": _floor(asked[0]), "rows": rows}


class _Uploads:
    def __init__(self, stored: Sequence[Fingerprint], windows: int, config: IndexConfig) -> None:
        media = list(grow(stored, windows))
        days = {name: f"2030-01-{1 + n % _DAYS:02d}" for n, (name, _) in enumerate(media)}
        self._store = MemoryStore("memory://bench-reverse")
        self._store.delete(f"index/{_NAME}/CURRENT")
        self._config = config
        self._manifest = publish(
            self._store,
            _NAME,
            media[0][1].fingerprinter,
            media,
            config=config,
            partition_of=days,
        )

    def measure(
        self, titles: Sequence[tuple[str, Fingerprint]], modality: Modality
    ) -> dict[str, Any]:
        """One search of the titles, all days."""
        by_id = {name: {modality: value} for name, value in titles}
        with tempfile.TemporaryDirectory(prefix="avm-bench-") as cache:

            def open_day(_: Modality, day: str) -> SnapshotReader:
                return SnapshotReader.open(
                    self._store,
                    self._manifest,
                    cache_dir=Path(cache),
                    config=self._config,
                    partition=day,
                )

            days = {modality: self._manifest.partitions}
            for day in self._manifest.partitions:
                open_day(modality, day)  # the download is not part of it
            seconds = Seconds()
            with seconds:
                found = search_uploads(by_id, by_id.__getitem__, days, open_day, MatchConfig())
        asked = sum(len(value.starts) for _, value in titles)
        return {
            "upload_windows": self._manifest.windows,
            "title_windows": asked,
            "cpu_seconds": seconds.cpu,
            "pairs_per_cpu_s": asked * self._manifest.windows / seconds.cpu,
            "candidates": sum(len(uploads) for uploads in found.values()),
        }


def _titles(asked: Sequence[Fingerprint], windows: int) -> list[tuple[str, Fingerprint]]:
    rows = np.concatenate([value.descriptors[value.valid] for value in asked])[:windows]
    return [
        (f"title{start:08d}", wrap(asked[0], "title", rows[start : start + _TITLE_WINDOWS]))
        for start in range(0, len(rows), _TITLE_WINDOWS)
    ]


def _floor(like: Fingerprint) -> dict[str, float]:
    config = MatchConfig()
    return {"min_similarity": least_hit(like.fingerprinter, config), "k": config.k}
