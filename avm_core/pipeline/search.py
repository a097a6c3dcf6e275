"""Pairs worth aligning: an upload in the licensed index, or a licensed media in that of uploads."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from avm_core.config import MatchConfig
from avm_core.index.reader import SnapshotReader
from avm_core.index.reverse import StoredHits, search_back
from avm_core.match.calibration import least_hit
from avm_core.match.candidates import find_candidates, merge_candidates
from avm_core.types import Candidate, Fingerprint, Hits, Modality

Prints = dict[Modality, Fingerprint]
# Opens one partition of a modality's index.
OpenPartition = Callable[[Modality, str], SnapshotReader]


def search(
    probe_id: str,
    prints: Prints,
    readers: dict[Modality, SnapshotReader],
    config: MatchConfig,
) -> list[Candidate]:
    """Pairs worth aligning, from both modalities' index hits, best first."""
    found: dict[Modality, list[Candidate]] = {}
    for modality in prints.keys() & readers.keys():
        query = prints[modality]
        floor = least_hit(query.fingerprinter, config)
        hits = readers[modality].search(query, k=config.k, min_similarity=floor)
        found[modality] = find_candidates(probe_id, query, hits, config)
    return merge_candidates(found, config)


def search_uploads(
    probes: Iterable[str],
    load: Callable[[str], Prints],
    partitions: dict[Modality, tuple[str, ...]],
    open_partition: OpenPartition,
    config: MatchConfig,
) -> dict[str, list[Candidate]]:
    """For each licensed probe the uploads worth aligning with it, by upload id.

    One day of uploads is open at a time. Each upload is judged by the hits that its own forward
    search would have had, and there is no limit on their number: a title may be in all of them.
    """
    scores: dict[str, dict[str, float]] = {probe: {} for probe in probes}
    for modality, days in partitions.items():
        for day in days:
            reader = open_partition(modality, day)
            for probe, found in scores.items():
                prints = load(probe)
                if modality in prints:
                    for upload, score in _uploads(probe, prints[modality], reader, config):
                        found[upload] = found.get(upload, 0.0) + score
    return {
        probe: [Candidate(probe, upload, score) for upload, score in sorted(found.items())]
        for probe, found in scores.items()
    }


def _uploads(
    probe_id: str, probe: Fingerprint, reader: SnapshotReader, config: MatchConfig
) -> Iterable[tuple[str, float]]:
    floor = least_hit(probe.fingerprinter, config)
    for stored in search_back(reader, probe, k=config.k, min_similarity=floor):
        hits = Hits(
            ref_ids=(probe_id,),
            query=stored.window,
            ref=np.zeros(len(stored.window), np.int64),
            ref_start=probe.starts[stored.probe],
            score=stored.score,
        )
        for candidate in find_candidates(stored.media_id, _outline(stored, probe), hits, config):
            yield stored.media_id, candidate.score


def _outline(stored: StoredHits, probe: Fingerprint) -> Fingerprint:
    """The times of an upload's searched windows without their vectors: candidates need no more,
    and reading the artefacts of all uploads would cost more than the search."""
    count = len(stored.starts)
    return Fingerprint(
        content_id=stored.media_id,
        fingerprinter=probe.fingerprinter,
        descriptors=np.empty((count, 0), np.int8),
        starts=stored.starts,
        window=probe.window,
        valid=np.ones(count, np.bool_),
        duration=float(stored.starts[-1]) + probe.window,
    )
