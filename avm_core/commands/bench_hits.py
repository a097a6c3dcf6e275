"""`avm bench hits`: short queries against all the audio there is."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from avm_core.benchmark.hit_database import Fit, principal, signs, unchanged
from avm_core.benchmark.hit_rate import Subject, conditions, draw_queries, measure_hits
from avm_core.benchmark.sets.build import SEED
from avm_core.benchmark.sources.catalogue import all_sources
from avm_core.config import load_settings
from avm_core.errors import BadSettings
from avm_core.fingerprint.registry import create, create_from_weights

_MIN_SECONDS = 20.0


def hits(arguments: argparse.Namespace) -> dict[str, Any]:
    """Hit rates of the fingerprinters named by `--only`, `name@1` with windows of 1 s, `name:pca32`
    with 32 dimensions, `name:bits` with signs alone, `name:file` with one vector per track. A name
    may be a file of weights as `avm train` writes them.

    Queries are music of the split `--set`; the database is all music and speech of the catalogue.
    """
    if arguments.set == "smoke":
        raise BadSettings("smoke has too little audio for this: choose --set dev or test")
    names = arguments.only or load_settings().audio_fingerprinter
    subjects = {name: _subject(name) for name in names.split(",")}
    found, _ = all_sources(Path(arguments.sources), ("music", "speech"))
    heard = [source for source in found if source.audio]
    own = [s.path for s in heard if s.split == arguments.set and s.kind == "music"]
    speech = [s.path for s in heard if s.split == arguments.set and s.kind == "speech"]
    long = [source.path for source in heard if source.duration >= _MIN_SECONDS]
    if not speech or not long:
        raise BadSettings(
            f"split {arguments.set!r} lacks music or speech: check `avm bench sources`"
        )
    seed = SEED if arguments.seed is None else arguments.seed
    queries = draw_queries([path for path in own if path in set(long)], arguments.queries, seed)
    longest = max((s for s in heard if s.path in set(speech)), key=lambda s: s.duration)
    return measure_hits(subjects, long, queries, conditions(longest.path, seed))


def _subject(text: str) -> Subject:
    """Of `NAME[@SECONDS][:pcaN|:bits|:file]` or `FILE.safetensors[…]`."""
    whole, _, variant = text.partition(":")
    name, _, window = whole.partition("@")
    settings = load_settings()
    try:
        seconds = float(window) if window else None
        fit = _fit(variant)
    except (ValueError, KeyError) as error:
        raise BadSettings(
            f"{text!r}: after @ comes a window in seconds, after : pcaN, bits or file"
        ) from error
    if name.endswith(".safetensors"):
        return Subject(create_from_weights(Path(name), device=settings.device, window=seconds), fit)
    return Subject(create(name, settings.decode, device=settings.device, window=seconds), fit)


def _fit(variant: str) -> Fit | None:
    if variant.startswith("pca"):
        return principal(int(variant.removeprefix("pca")))
    known: dict[str, Fit | None] = {"": unchanged, "bits": signs, "file": None}
    return known[variant]
