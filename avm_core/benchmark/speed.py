"""How fast AVM fingerprints, searches and aligns, on files given by the caller.

Timings on a shared machine are noisy: compare the ratios (`vs_decode`) within one run.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

from avm_core.benchmark.sparse_speed import measure_sparse
from avm_core.benchmark.stages import measure_stages, warm_fingerprinter
from avm_core.benchmark.timing import HOUR, best_of
from avm_core.config import IndexConfig, MatchConfig
from avm_core.index.reader import SnapshotReader
from avm_core.index.snapshot import publish
from avm_core.match.align import align
from avm_core.match.calibration import least_hit
from avm_core.match.candidates import find_candidates
from avm_core.media.probe import probe
from avm_core.storage import MemoryStore
from avm_core.types import MODALITIES, Fingerprint, Modality


def measure_speed(files: Sequence[Path]) -> dict[str, Any]:
    """x = media seconds per wall second, on all cores that the libraries use.

    {"decode": {"audio_x", "video_x"}, "audio": {"x", "vs_decode", "mb_per_hour", "stages"},
    "video": …, "video_sparse": …}; `vs_decode` is the time of the whole fingerprint as a multiple
    of decoding alone, `stages` is what `measure_stages` says, `video_sparse` what
    `measure_sparse` says of the first film. A modality that is switched off is left out. Raises
    `BadMedia` like `measure_stages`.
    """
    stages = measure_stages(files)
    result: dict[str, Any] = {
        "decode": {f"{modality}_x": found["decode_x"] for modality, found in stages.items()},
        "files": len(files),
    }
    for modality, found in stages.items():
        result[modality] = {
            "x": found["whole_x"],
            "vs_decode": found["whole_vs_decode"],
            "mb_per_hour": found["disk_mb_per_hour"],
            "media_seconds": found["media_seconds"],
            "stages": found,
        }
    if "video" in stages:
        film = next(path for path in files if probe(path).video is not None)
        result["video_sparse"] = measure_sparse(film)
    return result


def measure_match(files: Sequence[Path]) -> dict[str, Any]:
    """Seconds to search one hour of each modality, and to align one pair, both ways."""
    infos = {path: probe(path) for path in files}
    prints: dict[Modality, list[Fingerprint]] = {}
    result: dict[str, Any] = {"titles": len(files)}
    config = MatchConfig()
    for modality in MODALITIES:
        maker = warm_fingerprinter(modality, *next(iter(infos.items())))
        prints[modality] = [
            maker.fingerprint(path, content_id=path.name, info=info) for path, info in infos.items()
        ]
        result[modality] = _search_time(modality, prints[modality], config)
    titles = [
        dict(zip(MODALITIES, pair, strict=True)) for pair in zip(*prints.values(), strict=True)
    ]
    pairs = list(permutations(titles, 2)) + [(title, title) for title in titles]
    spent = best_of(lambda: [align("u", "l", one, other, config) for one, other in pairs])
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
    floor = least_hit(prints[0].fingerprinter, config)
    with tempfile.TemporaryDirectory(prefix="avm-bench-") as cache:
        reader = SnapshotReader.open(store, manifest, cache_dir=Path(cache), config=IndexConfig())

        def search() -> None:
            for name, value in named:
                hits = reader.search(value, k=config.k, min_similarity=floor)
                find_candidates(name, value, hits, config)

        spent = best_of(search)
    hours = sum(value.duration for value in prints) / HOUR
    return {"search_s_per_hour": spent / hours, "indexed_windows": float(manifest.windows)}
