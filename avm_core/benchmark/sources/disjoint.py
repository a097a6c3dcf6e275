"""Proof that no work of one split is in another: by name, by bytes and by sound."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from avm_core.benchmark.sources.catalogue import Source, all_sources
from avm_core.config import IndexConfig, MatchConfig, Settings
from avm_core.errors import BadMedia, BadSettings
from avm_core.fingerprint.registry import create
from avm_core.index.reader import SnapshotReader
from avm_core.index.snapshot import publish
from avm_core.match.align import align
from avm_core.match.calibration import least_hit
from avm_core.match.candidates import find_candidates
from avm_core.media.probe import probe
from avm_core.storage import MemoryStore
from avm_core.types import Fingerprint

# Two tracks are one work if so much of one is found in the other, in seconds.
_SAME_SECONDS = 30.0


def check_splits(cache_dir: Path) -> dict[str, Any]:
    """{"seconds": {split: {kind: s}}, "missing": {package: reason}, "compared": [held, all],
    "same_bytes": [[work, work]], "same_sound": [[work, work, seconds]], "repeats": same} of all
    packages; `repeats` are two works of one split that share a long stretch of sound.

    A `missing` package was compared with nothing: only an empty one proves the splits apart.
    Raises `BadSettings` where a work is in two splits.
    """
    kinds = ("music", "speech", "ambience", "camera", "animation", "graphics")
    found, skipped = all_sources(cache_dir, kinds)
    check_works(found)
    seconds: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for source in found:
        seconds[source.split][source.kind] += source.duration
    music = [s for s in found if s.kind == "music" and s.audio and s.duration >= 40]
    held = [source for source in music if source.split != "train"]
    pairs = [(one, other, round(length, 1)) for one, other, length in same_sound(music, music)]
    apart = [pair for pair in pairs if pair[0].split != pair[1].split]
    return {
        "seconds": {split: dict(parts) for split, parts in seconds.items()},
        "missing": {left.path: left.reason for left in skipped if "/" not in left.path},
        "same_bytes": [[one.work, other.work] for one, other in duplicates_by_bytes(found)],
        "compared": [len(held), len(music)],
        "same_sound": [[one.work, other.work, length] for one, other, length in apart],
        "repeats": [[a.work, b.work, length] for a, b, length in pairs if a.split == b.split],
    }


def check_works(found: Sequence[Source]) -> None:
    """Raises `BadSettings` if a work is in more than one split."""
    splits: dict[str, set[str]] = defaultdict(set)
    for source in found:
        splits[source.work].add(source.split)
    torn = sorted(work for work, names in splits.items() if len(names) > 1)
    if torn:
        raise BadSettings(f"{', '.join(torn)}: in more than one split, choose one in the catalogue")


def duplicates_by_bytes(found: Sequence[Source]) -> list[tuple[Source, Source]]:
    """Pairs of files from different splits that are equal byte by byte."""
    alike: dict[str, list[Source]] = defaultdict(list)
    for source in found:
        if source.content:
            alike[source.content].append(source)
    return [
        (one, other)
        for group in alike.values()
        for one, other in combinations(group, 2)
        if one.split != other.split
    ]


def same_sound(
    queries: Sequence[Source], others: Sequence[Source]
) -> list[tuple[Source, Source, float]]:
    """Pairs of works that share a long stretch of sound, and its seconds.

    Each pair comes once. Found with AVM's own audio fingerprints, search and alignment.
    """
    prints = _prints([*others, *(q for q in queries if q not in others)])
    names = {f"{number:032x}": source for number, source in enumerate(prints)}
    store, config = MemoryStore("memory://splits"), MatchConfig()
    titles = [(name, prints[source]) for name, source in names.items() if source in others]
    if not titles:
        return []
    found: dict[frozenset[Path], tuple[Source, Source, float]] = {}
    manifest = publish(store, "sound", titles[0][1].fingerprinter, titles, config=IndexConfig())
    with tempfile.TemporaryDirectory(prefix="avm-splits-") as cache:
        reader = SnapshotReader.open(store, manifest, cache_dir=Path(cache), config=IndexConfig())
        for query in (query for query in queries if query in prints):
            mine = prints[query]
            floor = least_hit(mine.fingerprinter, config)
            hits = reader.search(mine, k=config.k, min_similarity=floor)
            for candidate in find_candidates(query.work, mine, hits, config):
                other = names[candidate.ref_id]
                if other.work != query.work:
                    length = _shared(mine, prints[other], config)
                    if length >= _SAME_SECONDS:
                        found[frozenset((query.path, other.path))] = (query, other, length)
    return list(found.values())


def _shared(one: Fingerprint, other: Fingerprint, config: MatchConfig) -> float:
    matches = align("one", "other", {"audio": one}, {"audio": other}, config)
    return sum(match.ugc_end - match.ugc_start for match in matches)


def _prints(found: Sequence[Source]) -> dict[Source, Fingerprint]:
    settings = Settings()
    maker = create(settings.audio_fingerprinter, settings.decode, device=settings.device)
    prints = {}
    for source in found:
        try:
            info = probe(source.path)
            prints[source] = maker.fingerprint(source.path, content_id=source.work, info=info)
        except BadMedia:
            continue  # what cannot be decoded is in no set either
    return prints
