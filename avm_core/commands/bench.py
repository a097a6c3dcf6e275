"""`avm bench`: build a benchmark set, score systems on it, or time one part of AVM."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from avm_core.config import load_settings
from avm_core.errors import BadSettings
from avm_core.types import Fingerprint

_TITLES = "local/media/titles"
_ENCODER = "audio_conv.v2"
# Benchmark sets whose prints are joined to an upload, and to titles.
_SIDES = ("dev", "test")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """The measurement's result as a dict; see docs/benchmarks.md for what each number means."""
    return _COMMANDS[arguments.what](arguments)


def _build(arguments: argparse.Namespace) -> dict[str, Any]:
    from avm_core.commands.bench_sets import build

    manifest, folder = build(arguments)
    return {
        "set": manifest.name,
        "out": str(folder),
        "licensed": len(manifest.licensed),
        "uploads": len(manifest.ugc),
        "planted": sum(len(item.planted) for item in manifest.ugc),
        "clean_hours": round(manifest.clean_hours(), 3),
        "skipped": [f"{skipped.path}: {skipped.reason}" for skipped in manifest.skipped],
    }


def _quality(arguments: argparse.Namespace) -> dict[str, Any]:
    from avm_core.commands.bench_sets import quality

    return quality(arguments)


def _rivals(arguments: argparse.Namespace) -> dict[str, Any]:
    from avm_core.commands.bench_sets import rivals

    return rivals(arguments)


def _tune(arguments: argparse.Namespace) -> dict[str, Any]:
    from avm_core.commands.bench_sets import tune_systems

    return tune_systems(arguments)


def _sources(arguments: argparse.Namespace) -> dict[str, Any]:
    from avm_core.commands.bench_sets import check_sources

    return check_sources(arguments)


def _frames(arguments: argparse.Namespace) -> dict[str, Any]:
    from avm_core.commands.bench_sets import frames

    return frames(arguments)


def _scores(arguments: argparse.Namespace) -> dict[str, Any]:
    from avm_core.commands.bench_sets import scores

    return scores(arguments)


def _hits(arguments: argparse.Namespace) -> dict[str, Any]:
    from avm_core.commands.bench_hits import hits

    return hits(arguments)


def _calibrate(arguments: argparse.Namespace) -> dict[str, Any]:
    from avm_core.commands.bench_calibrate import calibrate

    return calibrate(arguments)


def _network(arguments: argparse.Namespace) -> dict[str, Any]:
    from avm_core.benchmark.network_speed import measure_network
    from avm_core.models.audio_encoder import load_encoder
    from avm_core.models.checkpoint import trained

    return measure_network(load_encoder(trained(arguments.only or _ENCODER)))


def _index(arguments: argparse.Namespace) -> dict[str, Any]:
    from avm_core.benchmark.index_speed import measure_index

    return measure_index(
        _prints(arguments),
        arguments.windows,
        table=arguments.table,
        config=load_settings().index,
        progress=_tell,
    )


def _reverse(arguments: argparse.Namespace) -> dict[str, Any]:
    from avm_core.benchmark.reverse_speed import measure_reverse

    return measure_reverse(_prints(arguments), arguments.windows)


def _year(arguments: argparse.Namespace) -> dict[str, Any]:
    from avm_core.benchmark.year import Year, simulate

    return simulate(Year())


def _catalog(arguments: argparse.Namespace) -> dict[str, Any]:
    from avm_core.benchmark.catalog_speed import measure_catalog
    from avm_core.benchmark.claims_speed import measure_claims
    from avm_core.benchmark.planted_matches import fresh_catalog

    with fresh_catalog(arguments.dsn) as (config, folder):
        return {
            **measure_catalog(config, folder),
            "claims": measure_claims(arguments.matches, config, folder),
        }


def _speed(arguments: argparse.Namespace) -> dict[str, Any]:
    from avm_core.benchmark.speed import measure_speed

    return measure_speed(_files(arguments))


def _match(arguments: argparse.Namespace) -> dict[str, Any]:
    from avm_core.benchmark.speed import measure_match

    return measure_match(_files(arguments))


def _align(arguments: argparse.Namespace) -> dict[str, Any]:
    from avm_core.benchmark.align_speed import measure_align

    settings = load_settings()
    names = [name for name in (settings.audio_fingerprinter, settings.video_fingerprinter) if name]
    return measure_align(*_real_or_made(arguments, names, _SIDES))


def _separation(arguments: argparse.Namespace) -> dict[str, Any]:
    from avm_core.benchmark.separation import measure_all

    return measure_all(_files(arguments))


def _prints(arguments: argparse.Namespace) -> list[Fingerprint]:
    [found] = _real_or_made(arguments, [arguments.only or _ENCODER], ("*",))
    return found


def _real_or_made(
    arguments: argparse.Namespace, names: Sequence[str], sets: Sequence[str]
) -> list[list[Fingerprint]]:
    """Prints of these fingerprinters, a list for each of the sets."""
    from avm_core.benchmark.descriptor_sets import read_prints, walks

    folder = Path(arguments.prints)
    try:
        return [[p for name in names for p in read_prints(folder, name, of=of)] for of in sets]
    except BadSettings as error:
        _tell(f"{error}; made-up descriptors take their place")
        made = walks()
        share = len(made) // len(sets)
        return [made[at * share : (at + 1) * share] for at in range(len(sets))]


def _tell(text: str) -> None:
    print(f"avm: {text}", file=sys.stderr)


def _files(arguments: argparse.Namespace) -> list[Path]:
    folder = arguments.media or _TITLES
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    if not files:
        raise BadSettings(f"--media {folder!r} holds no files")
    return files


_COMMANDS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "build": _build,
    "quality": _quality,
    "rivals": _rivals,
    "tune": _tune,
    "sources": _sources,
    "frames": _frames,
    "scores": _scores,
    "hits": _hits,
    "speed": _speed,
    "separation": _separation,
    "calibrate": _calibrate,
    "network": _network,
    "match": _match,
    "align": _align,
    "index": _index,
    "year": _year,
    "reverse": _reverse,
    "catalog": _catalog,
}
