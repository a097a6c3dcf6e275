"""What the page shows of a match: film strip and outline of the sound of both sides, and how
alike their moments are. Made once for the stretch around the match, kept in the lake.

Both sides cover the same time line: column n of one is what column n of the other would be if
the match were true. Keys depend on what is shown alone, so that making it twice is harmless.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from avm_core.errors import BadMedia
from avm_core.media.container import Source
from avm_core.media.previews import peaks, pictures_at, strip
from avm_core.pipeline.likeness import pair_preview
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.staging import digest
from avm_core.storage.range_file import RangeFile, TooMuchRead

TILES, TILE = 12, (160, 90)
BINS = 480
# Seconds of a processor after which a look gives what it has: someone waits for it.
PATIENCE = 10.0
_VERSION = 1

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Extent:
    """The stretch of both sides that is shown, seconds; it may begin before the media does."""

    ugc_start: float
    ugc_end: float
    licensed_start: float
    licensed_end: float


def extent(match: Row) -> Extent:
    """The match and what is around it, the same share of it on both sides."""
    margin = max(5.0, 0.15 * (match["ugc_end"] - match["ugc_start"]))
    beyond = margin * match["speed"]
    return Extent(
        match["ugc_start"] - margin,
        match["ugc_end"] + margin,
        match["licensed_start"] - beyond,
        match["licensed_end"] + beyond,
    )


def keys(match: Row) -> dict[str, str]:
    """Name of each part → its key in the lake."""
    shown = extent(match)
    spans = {
        "ugc": (match["ugc_id"], shown.ugc_start, shown.ugc_end),
        "licensed": (match["licensed_id"], shown.licensed_start, shown.licensed_end),
    }
    found = {}
    for side, (media_id, start, end) in spans.items():
        name = digest(_VERSION, TILES, TILE, BINS, round(start, 3), round(end, 3))
        for kind in ("json", "jpg"):
            found[f"{side}.{kind}"] = f"previews/media/{media_id}/{name}.{kind}"
    # A match keeps its id when another model or matcher finds it again; its pair looks different.
    made_of = [match[name] for name in ("audio_fingerprinter", "video_fingerprinter", "speed")]
    name = digest(_VERSION, made_of, spans)
    for part in ("pair.json", "audio.png", "video.png"):
        found[part] = f"previews/match/{match['match_id']}/{name}-{part}"
    return found


def make(platform: Platform, job: str, match: Row, media: Row | None = None) -> None:
    """Make and store the parts of `job`: `ugc` and `licensed` take the `media` row of that side,
    `pair` needs none.

    What can never be made is stored as a reason; what may be made later raises: `ObjectMissing`,
    `PreconditionFailed` where the object was replaced, `StoreUnavailable`.
    """
    if job == "pair":
        parts = pair_preview(platform, match, extent(match))
    else:
        parts = _side(platform, job, extent(match), media or {})
    places = keys(match)
    # The picture first: whoever sees the JSON must find what it names.
    for name in sorted(parts, key=lambda name: name.endswith(".json")):
        platform.lake.put(places[name], parts[name])


def _side(platform: Platform, side: str, shown: Extent, media: Row) -> dict[str, bytes]:
    start, end = (
        (shown.ugc_start, shown.ugc_end)
        if side == "ugc"
        else (shown.licensed_start, shown.licensed_end)
    )
    # Their middles, so that the first and the last picture are inside.
    times = [start + (number + 0.5) * (end - start) / TILES for number in range(TILES)]
    note: dict[str, Any] = {"tiles": TILES, "start": start, "end": end}
    parts: dict[str, bytes] = {}
    pictures = _tried(
        note,
        "no_strip",
        lambda: pictures_at(_opened(platform, media), times, height=TILE[1], patience=PATIENCE),
    )
    if pictures is not None:
        parts[f"{side}.jpg"] = strip(pictures, width=TILE[0], height=TILE[1])
    heights = _tried(
        note,
        "no_wave",
        lambda: peaks(_opened(platform, media), start, end, bins=BINS, patience=PATIENCE),
    )
    if heights is not None:
        note["peaks"] = [None if np.isnan(value) else round(value, 3) for value in heights]
    parts[f"{side}.json"] = json.dumps(note).encode()
    return parts


def _tried(note: Row, name: str, look: Callable[[], Any]) -> Any:
    """The result, or None and a note why there will never be one."""
    try:
        return look()
    except (BadMedia, TooMuchRead) as error:
        note[name] = str(error)
        return None


def _opened(platform: Platform, media: Row) -> Source:
    store, key = platform.resolve(media["uri"])
    file = RangeFile(
        store,
        key,
        media["size_bytes"],
        version_id=media["version_id"],
        etag=media["etag"],
    )
    return cast("Source", file)
