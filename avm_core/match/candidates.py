"""Which references are worth aligning with a query: votes over the index hits.

The bar is low on purpose. A hit list is cut at k neighbours, so what one reference gathers
depends on the others; only the choice of candidates may depend on that, never a score, which
`align` computes from the two fingerprints alone.
"""

from __future__ import annotations

import numpy as np

from avm_core.config import MatchConfig
from avm_core.match.vote import Evidence, best_line
from avm_core.types import Candidate, Fingerprint, Hits, Modality

# Seconds of query that must agree on one line: a third of the shortest match.
_MIN_AGREEING = 1 / 3


def find_candidates(
    query_id: str, query: Fingerprint, hits: Hits, config: MatchConfig
) -> list[Candidate]:
    """Candidates by descending score, at most `config.max_candidates`.

    The score is the number of query seconds whose hits agree on one (speed, offset).
    """
    step = query.step
    found = []
    for ordinal, ref_id in enumerate(hits.ref_ids):
        mine = hits.ref == ordinal
        if mine.sum() * step < _MIN_AGREEING * config.min_duration:
            continue
        score = _agreeing(query.starts[hits.query[mine]], hits.ref_start[mine], step, config)
        if score >= _MIN_AGREEING * config.min_duration:
            found.append(Candidate(query_id, ref_id, score))
    found.sort(key=lambda candidate: (-candidate.score, candidate.ref_id))
    return found[: config.max_candidates]


def _agreeing(query: np.ndarray, ref: np.ndarray, step: float, config: MatchConfig) -> float:
    points = Evidence(query, ref, np.ones(len(query)))
    line = best_line(points, max_speed=config.max_speed)
    if line is None:
        return 0.0
    near = np.abs(ref - line.at(query)) <= 1.0
    return len(np.unique(query[near])) * step


def merge_candidates(
    by_modality: dict[Modality, list[Candidate]], config: MatchConfig
) -> list[Candidate]:
    """One candidate per pair with the scores of both modalities added, best first."""
    scores: dict[tuple[str, str], float] = {}
    for candidates in by_modality.values():
        for candidate in candidates:
            key = (candidate.query_id, candidate.ref_id)
            scores[key] = scores.get(key, 0.0) + candidate.score
    merged = [Candidate(query, ref, score) for (query, ref), score in scores.items()]
    merged.sort(key=lambda candidate: (-candidate.score, candidate.ref_id))
    return merged[: config.max_candidates]
