"""How alike the moments of a pair are: the matrix around a match, and the evidence along its line.

Everything comes from the stored fingerprints and only from the windows near the match, so that
an upload of twelve hours costs what its matched minute costs.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from avm_core.errors import BadSettings
from avm_core.match.calibration import calibration
from avm_core.match.evidence import make_track
from avm_core.match.signals import line_signals
from avm_core.match.vote import Line
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.search import Prints
from avm_core.pipeline.stored import read_prints
from avm_core.types import MODALITIES, Fingerprint, Float32, Float64, Modality

if TYPE_CHECKING:
    from avm_core.pipeline.previews import Extent

SIDE = 240  # pixels of the matrix, points of the evidence
# Opaque is the same, transparent as strangers are: readable on light and on dark.
_COLOURS: dict[Modality, tuple[int, int, int]] = {"audio": (37, 119, 204), "video": (214, 120, 20)}


def pair_preview(platform: Platform, match: dict[str, Any], shown: Extent) -> dict[str, bytes]:
    """`pair.json` with the evidence of each modality at `SIDE` seconds of the upload, and a PNG
    of the similarity matrix per modality, the upload from left to right, the title upwards.

    A pair whose fingerprints are gone has a `reason` instead.
    """
    ugc, licensed = _prints(platform, match)
    shared: list[Modality] = [name for name in MODALITIES if name in ugc and name in licensed]
    note: dict[str, Any] = {"matrices": [], "evidence": {}}
    parts: dict[str, bytes] = {}
    if not shared:
        note["reason"] = "the fingerprints that this match was made from are no longer kept"
    for modality in shared:
        image = _matrix(ugc[modality], licensed[modality].whole(), shown)
        if image is not None:
            parts[f"{modality}.png"] = _png(image, _COLOURS[modality])
            note["matrices"].append(modality)
    if shared:
        note["evidence"] = _evidence(ugc, licensed, shared, match, shown)
    parts["pair.json"] = json.dumps(note).encode()
    return parts


def _prints(platform: Platform, match: dict[str, Any]) -> tuple[Prints, Prints]:
    """The fingerprints that the match was made from, which need not be the current ones."""
    ids = [match["ugc_id"], match["licensed_id"]]
    with platform.catalog() as catalog:
        rows = catalog.query(
            "match/artefacts",
            ids=ids,
            audio_fingerprinter=match["audio_fingerprinter"],
            video_fingerprinter=match["video_fingerprinter"],
        )
    uris = {row["media_id"]: (row["audio_uri"], row["video_uri"]) for row in rows}
    if set(uris) != set(ids):
        raise BadSettings(f"the catalog does not know {sorted(set(ids) - set(uris))}")
    ugc, licensed = (read_prints(platform, *uris[media_id]) for media_id in ids)
    return ugc, licensed


# --- matrix -----------------------------------------------------------------------------------


def _matrix(ugc: Fingerprint, licensed: Fingerprint, shown: Extent) -> Float32 | None:
    """Likeness in [0, 1] [SIDE, SIDE], rows seconds of the title; NaN where nothing is."""
    columns, across = _sampled(ugc.whole(), shown.ugc_start, shown.ugc_end)
    rows, up = _sampled(licensed, shown.licensed_start, shown.licensed_end)
    if not across.any() or not up.any():
        return None
    scale = calibration(ugc.fingerprinter)
    low = scale.floor - scale.margin
    high = max(scale.sure if scale.sure < 1 else 0.9, low + 0.2)
    likeness = np.clip((rows @ columns.T - low) / (high - low), 0, 1)
    likeness[~up, :] = np.nan
    likeness[:, ~across] = np.nan
    return likeness


def _sampled(
    print_: Fingerprint, start: float, end: float
) -> tuple[Float32, npt.NDArray[np.bool_]]:
    """Vectors [SIDE, D] of the windows nearest to as many moments, and where there is one."""
    moments = start + (np.arange(SIDE) + 0.5) * (end - start) / SIDE
    near = print_.valid & (print_.starts > start - 60) & (print_.starts < end + 60)
    print_ = print_.select(near)
    if not len(print_.starts):
        return np.zeros((SIDE, 1), np.float32), np.zeros(SIDE, np.bool_)
    centres = print_.starts + print_.window / 2
    right = np.clip(np.searchsorted(centres, moments), 1, max(len(centres) - 1, 1))
    left = right - 1
    right = np.minimum(right, len(centres) - 1)
    nearest = np.where(moments - centres[left] < centres[right] - moments, left, right)
    reach = max((end - start) / SIDE, 1.5 * print_.step)
    return print_.unit_vectors()[nearest], np.abs(centres[nearest] - moments) <= reach


def _png(likeness: Float32, colour: tuple[int, int, int]) -> bytes:
    """A picture whose opacity is the likeness, the title's first second at the bottom."""
    alpha = np.nan_to_num(likeness[::-1]) ** 1.5
    pixels = np.zeros((*alpha.shape, 4), np.uint8)
    pixels[..., :3] = colour
    pixels[..., 3] = np.rint(alpha * 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", optimize=True)
    return out.getvalue()


# --- evidence along the line ------------------------------------------------------------------


def _evidence(
    ugc: Prints,
    licensed: Prints,
    shared: list[Modality],
    match: dict[str, Any],
    shown: Extent,
) -> dict[str, list[float | None]]:
    """Similarity beyond what counts, per modality, at `SIDE` seconds of the upload."""
    tracks = []
    for modality in shared:
        starts = ugc[modality].starts
        near = ugc[modality].select((starts > shown.ugc_start - 10) & (starts < shown.ugc_end + 10))
        track = make_track(near, licensed[modality])[0]
        if not track.empty:
            tracks.append(track)
    if not tracks:
        return {}
    line = Line(match["speed"], match["licensed_start"] - match["speed"] * match["ugc_start"], 0.0)
    duration = max(ugc[modality].duration for modality in shared)
    signals = line_signals(tracks, line, duration)
    moments = shown.ugc_start + (np.arange(SIDE) + 0.5) * (shown.ugc_end - shown.ugc_start) / SIDE
    return {
        modality: _at(moments, signals.grid, values)
        for modality, values in signals.by_modality.items()
    }


def _at(moments: Float64, grid: Float64, values: Float64) -> list[float | None]:
    if not len(grid):
        return [None] * len(moments)
    place = np.clip(np.searchsorted(grid, moments), 0, len(grid) - 1)
    found = np.where(np.abs(grid[place] - moments) <= 1.0, values[place], np.nan)
    return [None if np.isnan(value) else round(float(value), 4) for value in found]
