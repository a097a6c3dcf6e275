"""How fast the stages run and how small their results are, on files given by the caller.

Timings on a shared machine are noisy: compare the ratios (`vs_decode`) within one run.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import permutations
from pathlib import Path
from typing import Any

from avm_core.catalog import Catalog, StagedUnit, migrate, rows_to_parquet
from avm_core.config import CatalogConfig, IndexConfig, MatchConfig, Settings
from avm_core.errors import BadMedia
from avm_core.fingerprint import codec
from avm_core.fingerprint.registry import create
from avm_core.index.reader import SnapshotReader
from avm_core.index.snapshot import publish
from avm_core.match.align import align
from avm_core.match.candidates import find_candidates
from avm_core.media.decode import decode_audio, decode_frames
from avm_core.media.probe import probe
from avm_core.storage import MemoryStore
from avm_core.types import MODALITIES, Fingerprint, MediaInfo, Modality

_HOUR = 3600.0
_REPEATS = 3
_SAMPLE_RATE = 16_000  # what the audio fingerprinter asks for


def measure_speed(files: Sequence[Path]) -> dict[str, Any]:
    """x = media seconds per wall second, on all cores that the libraries use.

    {"decode": {"audio_x", "video_x"}, "audio": {"x", "vs_decode", "mb_per_hour"}, "video": …};
    `vs_decode` is the time of the whole fingerprint as a multiple of decoding alone.
    """
    infos = {path: probe(path) for path in files}
    result: dict[str, Any] = {"decode": {}, "files": len(files)}
    for modality in MODALITIES:
        usable = {p: i for p, i in infos.items() if getattr(i, modality) is not None}
        if not usable:
            raise BadMedia(f"none of the files has {modality}: give others with --media")
        seconds = sum(info.duration for info in usable.values())
        decode = _best(partial(_decode_all, modality, list(usable)))
        prints = _fingerprints(modality, usable)
        whole = _best(partial(_make_all, prints, usable))
        size = sum(len(codec.encode(prints(path, info))) for path, info in usable.items())
        result["decode"][f"{modality}_x"] = seconds / decode
        result[modality] = {
            "x": seconds / whole,
            "vs_decode": whole / decode,
            "mb_per_hour": size / 1e6 * _HOUR / seconds,
            "media_seconds": seconds,
        }
    return result


def measure_match(files: Sequence[Path]) -> dict[str, Any]:
    """Seconds to search one hour of each modality, and to align one pair, both ways."""
    infos = {path: probe(path) for path in files}
    prints: dict[Modality, list[Fingerprint]] = {}
    result: dict[str, Any] = {"titles": len(files)}
    config = MatchConfig()
    for modality in MODALITIES:
        make = _fingerprints(modality, infos)
        prints[modality] = [make(path, info) for path, info in infos.items()]
        result[modality] = _search_time(modality, prints[modality], config)
    titles = [
        dict(zip(MODALITIES, pair, strict=True)) for pair in zip(*prints.values(), strict=True)
    ]
    pairs = list(permutations(titles, 2)) + [(title, title) for title in titles]
    spent = _best(lambda: [align("u", "l", one, other, config) for one, other in pairs])
    result["align_ms_per_pair"] = 1000 * spent / len(pairs)
    result["pairs"] = len(pairs)
    return result


def _search_time(
    modality: Modality, prints: list[Fingerprint], config: MatchConfig
) -> dict[str, float]:
    store = MemoryStore("memory://bench")
    named = [(f"{number:032x}", value) for number, value in enumerate(prints)]
    manifest = publish(
        store, f"licensed_{modality}", prints[0].fingerprinter, named, config=IndexConfig()
    )
    floor = config.min_similarity_audio if modality == "audio" else config.min_similarity_video
    with tempfile.TemporaryDirectory(prefix="avm-bench-") as cache:
        reader = SnapshotReader.open(store, manifest, cache_dir=Path(cache), config=IndexConfig())

        def search() -> None:
            for name, value in named:
                hits = reader.search(value, k=config.k, min_similarity=floor)
                find_candidates(name, value, hits, config)

        spent = _best(search)
    hours = sum(value.duration for value in prints) / _HOUR
    return {"search_s_per_hour": spent / hours, "indexed_windows": float(manifest.windows)}


def measure_catalog(units: int = 20, rows: int = 500) -> dict[str, Any]:
    """Milliseconds of one commit of `rows` media rows, and of the no-op that repeats it."""
    with tempfile.TemporaryDirectory(prefix="avm-bench-") as folder:
        config = CatalogConfig(dsn=f"sqlite:{folder}/c.sqlite", data_path=f"{folder}/rows/")
        migrate(config)
        staged = [_media_unit(Path(folder), number, rows) for number in range(units)]
        first, again = [], []
        for unit in staged:
            first.append(_commit_time(config, unit))
        for unit in staged:
            again.append(_commit_time(config, unit))
    return {
        "rows_per_commit": rows,
        "commit_ms": 1000 * sorted(first)[units // 2],
        "repeat_ms": 1000 * sorted(again)[units // 2],
    }


def _commit_time(config: CatalogConfig, unit: tuple[StagedUnit, dict[str, Path]]) -> float:
    with Catalog.open(config) as catalog:
        start = time.perf_counter()
        catalog.commit([unit], message="bench")
        return time.perf_counter() - start


def _media_unit(folder: Path, number: int, rows: int) -> tuple[StagedUnit, dict[str, Path]]:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    path = folder / f"{number}.parquet"
    content = [
        {
            "media_id": f"{number:08x}{row:024x}",
            "role": "ugc",
            "uri": f"s3://bench/{number}/{row}.mp4",
            "version_id": "",
            "etag": "0",
            "size_bytes": row,
            "title": str(row),
            "discovered_at": now,
        }
        for row in range(rows)
    ]
    path.write_bytes(rows_to_parquet("media", content))
    return StagedUnit(f"bench-{number}", "media", str(number), {"media": str(path)}), {
        "media": path
    }


def _fingerprints(
    modality: Modality, files: dict[Path, MediaInfo]
) -> Callable[[Path, MediaInfo], Fingerprint]:
    settings = Settings()
    name = settings.audio_fingerprinter if modality == "audio" else settings.video_fingerprinter
    maker = create(name, settings.decode, device=settings.device)
    path, info = next(iter(files.items()))
    maker.fingerprint(path, content_id="warm-up", info=info)  # kernels are chosen on first use
    return lambda path, info: maker.fingerprint(path, content_id=path.name, info=info)


def _make_all(make: Callable[[Path, MediaInfo], Fingerprint], files: dict[Path, MediaInfo]) -> None:
    for path, info in files.items():
        make(path, info)


def _decode_all(modality: Modality, files: Sequence[Path]) -> None:
    decode = Settings().decode
    for path in files:
        blocks: Iterator[object]
        if modality == "audio":
            blocks = decode_audio(path, sample_rate=_SAMPLE_RATE)
        else:
            blocks = decode_frames(
                path,
                step=decode.frame_step,
                max_keyframe_gap=decode.max_keyframe_gap,
                size=decode.frame_size,
            )
        for _ in blocks:
            pass


def _best(work: Callable[[], object]) -> float:
    """Seconds of the fastest of a few runs: the one that was disturbed least."""
    times = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
