"""What each of the four stages of a fingerprint costs, next to decoding the same files.

Timings on a shared machine are noisy: compare the ratios (`…_vs_decode`) within one run. The
whole takes as many files at once as there are cores, as a batch does; the stages are taken apart
on one file after the other, so they add up to about `core`, not to `whole`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from avm_core.benchmark.timing import HOUR, REPEATS, Stopwatch, decode_all, timed
from avm_core.config import IndexConfig, Settings
from avm_core.errors import BadMedia
from avm_core.fingerprint import codec
from avm_core.fingerprint.parallel import for_each
from avm_core.fingerprint.registry import Fingerprinter, create
from avm_core.fingerprint.stages import STAGES, Watch, unwatched
from avm_core.index.segment import build_segment
from avm_core.media.probe import probe
from avm_core.models.device import resolve_device, wait_for
from avm_core.types import MODALITIES, Fingerprint, MediaInfo, Modality


def measure_stages(files: Sequence[Path]) -> dict[Modality, dict[str, float]]:
    """For each modality that is switched on, over the files that have it; best of three runs.

    `<what>_x` is media seconds per wall second, for what = decode and whole (the fingerprint as
    everyday work makes it), both with all cores; and on one file after the other core_decode,
    core (the same two on one core), normalise, preprocess, context and interval. `whole_vs_decode`
    is a multiple of `decode`, the other `<what>_vs_decode` of `core_decode`. `disk_mb_per_hour`
    are the artefacts, `ram_mb_per_hour` the index over them: int8 vectors and keys of the windows
    that are searched, and the graph, if there are enough of them for one. `media_seconds` is what
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
    return {modality: measure_modality(modality, found) for modality, found in usable.items()}


def warm_fingerprinter(modality: Modality, path: Path, info: MediaInfo) -> Fingerprinter:
    """The current fingerprinter of a modality, used once: kernels are chosen on first use."""
    settings = Settings()
    maker = create(_name(modality, settings), settings.decode, device=settings.device)
    maker.fingerprint(path, content_id="warm-up", info=info)
    return maker


def _name(modality: Modality, settings: Settings) -> str:
    return settings.audio_fingerprinter if modality == "audio" else settings.video_fingerprinter


def measure_modality(modality: Modality, files: dict[Path, MediaInfo]) -> dict[str, float]:
    """One modality's part of `measure_stages`; all files have it."""
    maker = warm_fingerprinter(modality, *next(iter(files.items())))
    wait = partial(wait_for, resolve_device(Settings().device))
    spent: dict[str, list[float]] = {}
    prints: list[Fingerprint] = []

    def make(path: Path, watch: Watch = unwatched) -> Fingerprint:
        return maker.fingerprint(path, content_id=path.name, info=files[path], watch=watch)

    def make_all(workers: int) -> None:
        prints[:] = for_each(make, list(files), workers)

    # One of each in turn: a disturbance that lasts hits them all.
    for _ in range(REPEATS):
        watch = Stopwatch(wait)
        for name, workers in (("", 0), ("core_", 1)):
            seconds = timed(partial(decode_all, modality, list(files), workers))
            spent.setdefault(f"{name}decode", []).append(seconds)
            seconds = timed(partial(make_all, workers))
            spent.setdefault("core" if name else "whole", []).append(seconds)
        for_each(partial(make, watch=watch), list(files), 1)
        for stage, seconds in watch.seconds().items():
            spent.setdefault(stage, []).append(seconds)
    media = sum(info.duration for info in files.values())
    best = {what: min(times) for what, times in spent.items()}
    result = {f"{what}_x": media / seconds for what, seconds in best.items()}
    result["whole_vs_decode"] = best["whole"] / best["decode"]
    for what in ("core", *STAGES):
        result[f"{what}_vs_decode"] = best[what] / best["core_decode"]
    result["disk_mb_per_hour"] = sum(len(codec.encode(p)) for p in prints) / 1e6 * HOUR / media
    result["ram_mb_per_hour"] = _index_bytes(prints) / 1e6 * HOUR / media
    return {**result, "media_seconds": media}


def _index_bytes(prints: Sequence[Fingerprint]) -> int:
    named = [(f"{number:032x}", value) for number, value in enumerate(prints)]
    segment = build_segment(named, IndexConfig())
    arrays = (segment.vectors, segment.media, segment.starts)
    return sum(array.nbytes for array in arrays) + len(segment.graph or b"")
