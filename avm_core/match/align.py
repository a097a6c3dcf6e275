"""Align one (UGC, licensed) pair: vote, fit, verify densely along the line, cut, score.

The recipe is the non-learned one of the temporal-alignment literature (VCSL's HV for the
candidates, a robust fit for the speed, Smith-Waterman on the line for the extent), with both
modalities on one line: the picture may carry a copy whose sound was replaced, and the other
way round.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Protocol

import numpy as np

from avm_core.config import MatchConfig
from avm_core.match.blanks import outside
from avm_core.match.boundary import refine_edges
from avm_core.match.claims import Claims
from avm_core.match.evidence import Track, along, make_track, pairs
from avm_core.match.scenes import move_together
from avm_core.match.score import calibrate, modality_scores
from avm_core.match.segments import best_runs
from avm_core.match.signals import GRID, Signals, line_signals
from avm_core.match.vote import Evidence, Line, Votes, fit_line, unity_line
from avm_core.types import MODALITIES, Bool, Fingerprint, Float64, Match, Modality

# Lines come by falling votes: after this many in a row without a match, no more are tried.
_MAX_LINES, _MAX_BARREN = 64, 3
# Speed 1 is taken if it keeps this share of the evidence.
_AS_GOOD = 0.98
# Lines compared at a time, and the share of the most votes that they have.
_RIVAL_LINES, _RIVAL_VOTES = 4, 0.7
# Seconds that no other title has, as a share of the shortest match, which a match needs.
_OWN = 1 / 3
# Votes, per second of the shortest match, below which a line is not looked at. Fifteen seconds that
# just score one half have twice as many.
_LEAST_VOTES = 0.035


# Support and fitted line, by speed, offset and votes of the line as voted.
Fitted = dict[tuple[float, float, float], tuple[float, Line]]


class Cut(Protocol):
    """`_cut` of one pair."""

    def __call__(self, line: Line, *, claims: Claims) -> int: ...


def align(
    ugc_id: str,
    licensed_id: str,
    ugc: Mapping[Modality, Fingerprint],
    licensed: Mapping[Modality, Fingerprint],
    config: MatchConfig,
    *,
    excluded: Float64 | None = None,
) -> list[Match]:
    """Every copied segment of the pair, by start in the UGC; a function of the pair alone.

    `ugc` and `licensed` hold the fingerprints that exist; modalities on one side only do not
    count. `excluded` seconds [k, 2] of the title, ascending and apart, are in other titles too: a
    segment needs some that are not. One moment of the upload belongs to at most one segment of the
    title.
    """
    shared = [modality for modality in MODALITIES if modality in ugc and modality in licensed]
    compared = {m: make_track(ugc[m], licensed[m]) for m in shared}
    tracks = [track for track, _ in compared.values() if not track.empty]
    if not tracks:
        return []
    evidence = _join([points for _, points in compared.values()])
    durations = (
        max(ugc[m].duration for m in shared),
        max(licensed[m].duration for m in shared),
    )
    cut = partial(
        _cut,
        (ugc_id, licensed_id),
        tracks,
        durations=durations,
        config=config,
        excluded=np.empty((0, 2)) if excluded is None else excluded,
    )
    return _line_by_line(evidence, tracks, config, cut)


def _line_by_line(
    evidence: Evidence, tracks: list[Track], config: MatchConfig, cut: Cut
) -> list[Match]:
    """Matches on the strongest line, then on the strongest of what is left, and so on."""
    votes = Votes(evidence, max_speed=config.max_speed)
    claims = Claims()
    fitted: Fitted = {}
    least = _LEAST_VOTES * config.min_duration
    barren = 0
    for _ in range(_MAX_LINES):
        found_line = _strongest_line(evidence, votes, tracks, least, fitted)
        if found_line is None:
            break
        rough, line = found_line
        barren = 0 if cut(line, claims=claims) else barren + 1
        spent = _spent(evidence, line, rough, claims)
        if barren == _MAX_BARREN or not spent.any():
            break
        votes.take(evidence.select(spent))
        evidence = evidence.select(~spent)
    return claims.matches


def _join(parts: list[Evidence]) -> Evidence:
    return Evidence(
        np.concatenate([part.query for part in parts]),
        np.concatenate([part.ref for part in parts]),
        np.concatenate([part.weight for part in parts]),
    )


def _strongest_line(
    evidence: Evidence, votes: Votes, tracks: list[Track], least: float, fitted: Fitted
) -> tuple[Line, Line] | None:
    """The line (as voted and as fitted) with the most similarity along it, of those with nearly
    the most votes; None where the most are fewer than `least`. Music that repeats votes alike for
    each repeat, but a copy is a little more like its own.

    A rival that lost is asked again next time: `fitted` keeps what it was, while its votes stay.
    """
    best: tuple[float, Line, Line] | None = None
    most = 0.0
    apart: list[Evidence] = []
    for _ in range(_RIVAL_LINES):
        rough = votes.best()
        if rough is None or rough.votes < max(_RIVAL_VOTES * most, least):
            break
        most = max(most, rough.votes)
        # Taking points out and putting them back leaves the last digits of the votes open.
        key = rough.speed, rough.offset, round(rough.votes, 6)
        if key not in fitted:
            fitted[key] = _prefer_unity(fit_line(evidence, rough), evidence, tracks)
        support, line = fitted[key]
        if best is None or support > best[0]:
            best = support, rough, line
        near = np.abs(evidence.ref - line.at(evidence.query)) <= 1.0
        apart.append(evidence.select(near))
        votes.take(apart[-1])
        evidence = evidence.select(~near)
    for points in apart:
        votes.give_back(points)
    return None if best is None else best[1:]


def _prefer_unity(fitted: Line, evidence: Evidence, tracks: list[Track]) -> tuple[float, Line]:
    """Speed 1 unless another speed explains clearly more, with its support: almost every copy has
    it, and a fitted 1.003, or a still scene's 0.95, would carry noise to both ends."""
    unity = unity_line(fitted, evidence)
    by_unity, by_fitted = _support(tracks, unity), _support(tracks, fitted)
    return (by_unity, unity) if by_unity >= _AS_GOOD * by_fitted else (by_fitted, fitted)


def _support(tracks: list[Track], line: Line) -> float:
    """Similarity above the bar along the whole line, in seconds, of all modalities."""
    return sum(
        float(np.nansum(np.maximum(along(track, line).excess, 0.0))) * track.query_step
        for track in tracks
    )


def _spent(evidence: Evidence, line: Line, rough: Line, claims: Claims) -> Bool:
    """Points [K] that are done with once a line is: its own, and all inside the matches."""
    spent = np.abs(evidence.ref - line.at(evidence.query)) <= 1.0
    spent |= np.abs(evidence.ref - rough.at(evidence.query)) <= 0.5
    return spent | claims.cover(evidence.query)


def _cut(
    pair: tuple[str, str],
    tracks: list[Track],
    line: Line,
    *,
    durations: tuple[float, float],
    config: MatchConfig,
    excluded: Float64,
    claims: Claims,
) -> int:
    """Add the matches on one line to `claims` and say how many they are; those too short, below
    the lowest score or in excluded stretches alone are left out.

    What earlier matches cover is theirs: a passage that the title repeats lies on the lines
    of all its repeats.
    """
    signals = line_signals(tracks, line, durations[0])
    free = np.where(claims.cover(signals.grid), -np.inf, signals.fused)
    runs = best_runs(
        free,
        max_gap=round(config.max_gap / GRID),
        # Windows at an edge clear the bar late: accept a shorter core, decide after refining.
        min_length=round(0.6 * config.min_duration / GRID),
    )
    before = len(claims)
    for first, last in runs:
        start, end = refine_edges(tracks, line, signals, (first, last), durations)
        start, end = claims.apart((start, end), float(signals.grid[(first + last) // 2]))
        own = outside(excluded, *line.at(np.array([start, end])))
        if end - start < config.min_duration or own < _OWN * config.min_duration:
            continue
        scores = modality_scores(signals.by_modality, first, last)
        scores |= _still(tracks, line, signals, (start, end))
        score = calibrate(scores, end - start)
        if score > 0 and score >= config.min_score:
            claims.add(_match(pair, line, (start, end), score, scores, durations[1]))
    return len(claims) - before


def _still(
    tracks: list[Track], line: Line, signals: Signals, extent: tuple[float, float]
) -> dict[Modality, float]:
    """No score for pictures of one room that are alike but do not change alike."""
    return {
        track.modality: 0.0
        for track, course in zip(tracks, signals.courses, strict=True)
        if track.window == 0 and not move_together(*pairs(track, line, course, *extent))
    }


def _match(
    pair: tuple[str, str],
    line: Line,
    extent: tuple[float, float],
    score: float,
    scores: dict[Modality, float],
    licensed_duration: float,
) -> Match:
    supporting = [modality for modality, value in scores.items() if value > 0]
    licensed = np.clip(line.at(np.array(extent)), 0.0, licensed_duration)
    # A millisecond is far below what any window can tell.
    return Match(
        ugc_id=pair[0],
        licensed_id=pair[1],
        ugc_start=round(extent[0], 3),
        ugc_end=round(extent[1], 3),
        licensed_start=round(float(licensed[0]), 3),
        licensed_end=round(float(licensed[1]), 3),
        speed=round(line.speed, 5),
        score=round(score, 4),
        modality="both" if len(supporting) == 2 else supporting[0],
        audio_score=round(scores.get("audio", 0.0), 4),
        video_score=round(scores.get("video", 0.0), 4),
    )
