"""What each of the four stages of a fingerprint costs, next to decoding the same files.

Timings on a shared machine are noisy: compare the ratios (`…_vs_decode`) within one run. The
stages are taken apart in a run of their own, so they add up to about `whole`, not exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from avm_core.benchmark.timing import HOUR, REPEATS, Stopwatch, decode_all, timed
from avm_core.config import IndexConfig, Settings
from avm_core.errors import BadMedia
from avm_core.fingerprint import codec
from avm_core.fingerprint.registry import Fingerprinter, create
from avm_core.fingerprint.stages import STAGES
from avm_core.index.segment import build_segment
from avm_core.media.probe import probe
from avm_core.models.device import resolve_device, wait_for
from avm_core.types import MODALITIES, Fingerprint, MediaInfo, Modality


def measure_stages(files: Sequence[Path]) -> dict[Modality, dict[str, float]]:
    """For each modality that is switched on, over the files that have it; best of three runs.

    `<what>_x` is media seconds per wall second, for what = decode, normalise, preprocess,
    context, interval and whole (the fingerprint as everyday work makes it);
    `<what>_vs_decode` is its time as a multiple of plain decoding. `disk_mb_per_hour` are the
    artefacts, `ram_mb_per_hour` the index over them: int8 vectors and keys of the windows that
    are searched, and the graph, if there are enough of them for one. `media_seconds` is what
    was measured. Raises `BadMedia` if such a modality is in none of the files.
    """
    settings = Settings()
    infos = {path: probe(path) for path in files}
    usable: dict[Modality, dict[Path, MediaInfo]] = {
        modality: {p: i for p, i in infos.items() if getattr(i, modality) is not None}
        for modality in MODALITIES
        if _name(modality, settings)
    }
    for modality, found in usable.items():
        if not found:
            raise BadMedia(f"none of the files has {modality}: give others with --media")
    return {modality: _measure(modality, found) for modality, found in usable.items()}


def warm_fingerprinter(modality: Modality, path: Path, info: MediaInfo) -> Fingerprinter:
    """The current fingerprinter of a modality, used once: kernels are chosen on first use."""
    settings = Settings()
    maker = create(_name(modality, settings), settings.decode, device=settings.device)
    maker.fingerprint(path, content_id="warm-up", info=info)
    return maker


def _name(modality: Modality, settings: Settings) -> str:
    return settings.audio_fingerprinter if modality == "audio" else settings.video_fingerprinter


def _measure(modality: Modality, files: dict[Path, MediaInfo]) -> dict[str, float]:
    maker = warm_fingerprinter(modality, *next(iter(files.items())))
    wait = partial(wait_for, resolve_device(Settings().device))
    spent: dict[str, list[float]] = {}
    prints: list[Fingerprint] = []

    def make_all() -> None:
        prints[:] = [maker.fingerprint(p, content_id=p.name, info=i) for p, i in files.items()]

    # One of each in turn: a disturbance that lasts hits them all.
    for _ in range(REPEATS):
        watch = Stopwatch(wait)
        spent.setdefault("decode", []).append(timed(partial(decode_all, modality, list(files))))
        spent.setdefault("whole", []).append(timed(make_all))
        for path, info in files.items():
            maker.fingerprint(path, content_id=path.name, info=info, watch=watch)
        for stage, seconds in watch.seconds().items():
            spent.setdefault(stage, []).append(seconds)
    media = sum(info.duration for info in files.values())
    best = {what: min(times) for what, times in spent.items()}
    result = {f"{what}_x": media / best[what] for what in ("decode", *STAGES, "whole")}
    result |= {f"{what}_vs_decode": best[what] / best["decode"] for what in (*STAGES, "whole")}
    result["disk_mb_per_hour"] = sum(len(codec.encode(p)) for p in prints) / 1e6 * HOUR / media
    result["ram_mb_per_hour"] = _index_bytes(prints) / 1e6 * HOUR / media
    return {**result, "media_seconds": media}


def _index_bytes(prints: Sequence[Fingerprint]) -> int:
    named = [(f"{number:032x}", value) for number, value in enumerate(prints)]
    segment = build_segment(named, IndexConfig())
    arrays = (segment.vectors, segment.media, segment.starts)
    return sum(array.nbytes for array in arrays) + len(segment.graph or b"")
