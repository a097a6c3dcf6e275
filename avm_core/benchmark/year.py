"""A platform's year on scaled-down data: publish, search, expire and compact day by day, and
hold what comes out to the capacity model."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from avm_core.benchmark.timing import REPEATS, Seconds
from avm_core.capacity.model import back_seconds, index_bytes, search_seconds
from avm_core.capacity.rates import Rates, load_rates
from avm_core.capacity.segments import IndexShape, library_shape, uploads_shape
from avm_core.config import IndexConfig
from avm_core.index.manifest import IndexManifest
from avm_core.index.reader import SnapshotReader
from avm_core.index.reverse import search_back
from avm_core.index.snapshot import collect_garbage, compact, current, publish
from avm_core.storage.memory import MemoryStore
from avm_core.types import Fingerprint, FingerprinterId, ObjectStore

_NAMES = ("licensed_audio", "ugc_audio")
_IDENTITY = FingerprinterId("audio_bench.year", "00000000")
_STEP = 0.5


@dataclass(frozen=True, slots=True)
class Year:
    """The scale. Windows are per day; every publish brings an equal part of a day."""

    days: int = 365
    retention_days: int = 90
    publishes_per_day: int = 2
    upload_windows: int = 400
    title_windows: int = 60
    first_title_windows: int = 2_000
    segment_windows: int = 3_000
    windows_per_media: int = 20
    dims: int = 32


def simulate(
    year: Year, *, uri: str = "memory://year", progress: Callable[[int], None] | None = None
) -> dict[str, Any]:
    """Measured and predicted values side by side, at the end of the year.

    `segments`, `windows` and `bytes` of both indexes; `rewritten` windows per night of the whole
    year; `search_cpu_s` of a day's uploads in the library, `search_back_cpu_s` of a day's titles
    in all uploads. Seconds and bytes per media are predicted from what the middle of the year
    gave, all else from the rules of compaction.
    """
    platform = _Platform(year, MemoryStore(uri))
    middle: dict[str, float] = {}
    for day in range(year.days):
        platform.live(day)
        if day == year.days // 2:
            middle = platform.search_times()
        if progress:
            progress(day)
    return platform.report(middle)


class _Platform:
    def __init__(self, year: Year, store: ObjectStore) -> None:
        self._year = year
        self._store = store
        self._config = IndexConfig(segment_windows=year.segment_windows)
        self._rng = np.random.default_rng(0)
        self._names: dict[int, list[str]] = {}
        self._rewritten: dict[str, list[int]] = {name: [] for name in _NAMES}
        self._publish(_NAMES[0], "first", year.first_title_windows)

    def live(self, day: int) -> None:
        """One day: publishes, what is too old goes, the night's compaction and clean-up."""
        year = self._year
        stamp = (date(2030, 1, 1) + timedelta(days=day)).isoformat()
        self._names[day] = []
        for part in range(year.publishes_per_day):
            share = year.publishes_per_day
            self._publish(_NAMES[0], f"t{day}-{part}", year.title_windows // share)
            fresh = self._publish(_NAMES[1], f"u{day}-{part}", year.upload_windows // share, stamp)
            self._names[day] += fresh
        old = self._names.pop(day - year.retention_days, [])
        if old:
            publish(self._store, _NAMES[1], _IDENTITY, [], remove=old, config=self._config)
        for name in _NAMES:
            before = {ref.key for ref in self.manifest(name).segments}
            after = compact(self._store, name, config=self._config)
            new = [ref.windows for ref in after.segments if ref.key not in before]
            self._rewritten[name].append(sum(new))
            later = datetime.now(UTC) + timedelta(seconds=1)
            collect_garbage(self._store, name, grace_seconds=0.0, now=later)

    def manifest(self, name: str) -> IndexManifest:
        manifest = current(self._store, name)
        assert manifest is not None, "the first day publishes both"
        return manifest

    def search_times(self) -> dict[str, float]:
        """CPU seconds of a day's uploads in the library and of a day's titles in the uploads."""
        year = self._year
        query = self._fingerprint("query", year.upload_windows)
        probe = self._fingerprint("probe", year.title_windows)
        with tempfile.TemporaryDirectory(prefix="avm-bench-") as folder:
            readers = [
                SnapshotReader.open(
                    self._store, self.manifest(name), cache_dir=Path(folder), config=self._config
                )
                for name in _NAMES
            ]
            return {
                "search_cpu_s": _best(lambda: readers[0].search(query, k=50, min_similarity=0.6)),
                "search_back_cpu_s": _best(
                    lambda: list(search_back(readers[1], probe, k=50, min_similarity=0.6))
                ),
                "licensed_windows": float(self.manifest(_NAMES[0]).windows),
                "ugc_windows": float(self.manifest(_NAMES[1]).windows),
                "entry_bytes": self._entry_bytes(),
            }

    def _entry_bytes(self) -> float:
        refs = [ref for name in _NAMES for ref in self.manifest(name).segments]
        return sum(ref.media_bytes for ref in refs) / sum(ref.media_count for ref in refs)

    def report(self, middle: dict[str, float]) -> dict[str, Any]:
        """Measured and predicted, by index."""
        year, found = self._year, {}
        times = self.search_times()
        rates = _rates(year, middle)
        for name, shape in zip(_NAMES, self._shapes(), strict=True):
            manifest = self.manifest(name)
            nights = self._rewritten[name]
            measured = {
                "segments": len(manifest.segments),
                "windows": manifest.windows,
                "bytes": sum(info.size for info in self._store.list(f"index/{name}/segments/")),
                "rewritten": sum(nights) / len(nights),
            }
            predicted = {
                "segments": shape.segments,
                "windows": shape.windows,
                "bytes": index_bytes(
                    shape, year.dims, shape.windows / year.windows_per_media, rates, self._config
                ),
                "rewritten": shape.rewritten,
            }
            found[name] = {"measured": measured, "predicted": predicted}
        licensed, stored = self._shapes()
        found["seconds"] = {
            "measured": {key: times[key] for key in ("search_cpu_s", "search_back_cpu_s")},
            "predicted": {
                "search_cpu_s": search_seconds(year.upload_windows, licensed, rates, self._config),
                "search_back_cpu_s": back_seconds(year.title_windows, stored, rates, self._config),
            },
        }
        return found

    def _shapes(self) -> tuple[IndexShape, IndexShape]:
        year = self._year
        limit = year.segment_windows
        licensed = library_shape(
            *(year.first_title_windows, year.title_windows, year.days),
            year.publishes_per_day,
            limit,
        )
        kept = min(year.days, year.retention_days)
        return licensed, uploads_shape(year.upload_windows, kept, year.publishes_per_day, limit)

    def _publish(self, index: str, name: str, windows: int, day: str = "") -> list[str]:
        size = self._year.windows_per_media
        media = [
            (f"{name}-{first}", self._fingerprint(name, min(size, windows - first)))
            for first in range(0, windows, size)
        ]
        names = [media_id for media_id, _ in media]
        days = dict.fromkeys(names, day) if day else {}
        publish(self._store, index, _IDENTITY, media, config=self._config, partition_of=days)
        return names

    def _fingerprint(self, name: str, windows: int) -> Fingerprint:
        rows = self._rng.integers(-127, 128, (windows, self._year.dims), dtype=np.int8)
        return Fingerprint(
            content_id=name,
            fingerprinter=_IDENTITY,
            descriptors=rows,
            starts=np.arange(windows, dtype=np.float64) * _STEP,
            window=_STEP,
            valid=np.ones(windows, np.bool_),
            duration=windows * _STEP,
        )


def _best(work: Callable[[], object]) -> float:
    """CPU seconds; the best of three."""
    runs = [Seconds() for _ in range(REPEATS)]
    for run in runs:
        with run:
            work()
    return min(run.cpu for run in runs)


def _rates(year: Year, middle: dict[str, float]) -> Rates:
    """The shipped rates with what the middle of the year gave."""
    shipped = load_rates()
    found = {
        "scan_pairs_per_s": year.upload_windows
        * middle["licensed_windows"]
        / middle["search_cpu_s"],
        "reverse_pairs_per_s": (
            year.title_windows * middle["ugc_windows"] / middle["search_back_cpu_s"]
        ),
        "entry_bytes": middle["entry_bytes"],
    }
    return shipped.model_copy(
        update={
            name: getattr(shipped, name).model_copy(update={"value": value})
            for name, value in found.items()
        }
    )
