"""Explain a match: the evidence of each modality along its line, from the stored artefacts."""

from __future__ import annotations

from avm_core.errors import BadSettings
from avm_core.evaluate.timeline import TimelineSignals
from avm_core.match.evidence import make_track
from avm_core.match.signals import line_signals
from avm_core.match.vote import Line
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.stored import read_prints
from avm_core.types import MODALITIES, Match


def explain(platform: Platform, match: Match) -> TimelineSignals:
    """Similarity above the bar, per modality, at every moment of the upload, for one match.

    Raises `BadSettings` if the catalog knows no fingerprint of one of the two.
    """
    ids = [match.ugc_id, match.licensed_id]
    with platform.catalog() as catalog:
        rows = catalog.query("match/artefacts", ids=ids, **platform.fingerprinter_params)
    uris = {row["media_id"]: row for row in rows}
    if set(uris) != set(ids):
        raise BadSettings(f"no fingerprints of {sorted(set(ids) - set(uris))} in the catalog")
    prints = [read_prints(platform, uris[i]["audio_uri"], uris[i]["video_uri"]) for i in ids]
    shared = [modality for modality in MODALITIES if all(modality in side for side in prints)]
    tracks = [make_track(prints[0][modality], prints[1][modality])[0] for modality in shared]
    durations = [max(value.duration for value in side.values()) for side in prints]
    line = Line(match.speed, match.licensed_start - match.speed * match.ugc_start, 0.0)
    signals = line_signals([track for track in tracks if not track.empty], line, durations[0])
    return TimelineSignals(
        grid=signals.grid,
        evidence=dict(signals.by_modality),
        ugc_duration=durations[0],
        licensed_duration=durations[1],
    )
