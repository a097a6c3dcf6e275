"""Film strips, waveforms, matrix and evidence of a match: made at the first look, then kept."""

from __future__ import annotations

import threading
from typing import Literal

from fastapi import APIRouter
from starlette.responses import Response

from avm_airflow.web.catalogs import platform
from avm_airflow.web.pages import Identity, claim, media_row
from avm_core.errors import ObjectMissing, StoreUnavailable
from avm_core.pipeline.preview_task import make_apart
from avm_core.pipeline.previews import keys

router = APIRouter()

Part = Literal[
    "ugc.json",
    "ugc.jpg",
    "licensed.json",
    "licensed.jpg",
    "pair.json",
    "audio.png",
    "video.png",
]
_TYPES = {"json": "application/json", "jpg": "image/jpeg", "png": "image/png"}
_JOBS = {"ugc": "ugc", "licensed": "licensed", "pair": "pair", "audio": "pair", "video": "pair"}
# Decoding takes a core each; whoever comes too soon is asked to come again.
_AT_ONCE = threading.BoundedSemaphore(2)


@router.get("/matches/{match_id}/previews/{part}")
def preview(match_id: Identity, part: Part) -> Response:
    """One part. 503 with Retry-After while others are being made, 404 where there is none."""
    match = claim(match_id)
    key = keys(match)[part]
    lake = platform().lake
    try:
        data = lake.get(key)
    except ObjectMissing:
        _make(_JOBS[part.partition(".")[0]], match)
        try:
            data = lake.get(key)
        except ObjectMissing:
            return Response(status_code=404)
    return Response(
        data,
        media_type=_TYPES[part.rpartition(".")[2]],
        headers={"Cache-Control": "private, max-age=86400"},
    )


def _make(job: str, match: dict[str, object]) -> None:
    media = None if job == "pair" else media_row(str(match[f"{job}_id"]))
    if not _AT_ONCE.acquire(blocking=False):
        raise StoreUnavailable("other previews are being made")
    try:
        make_apart(platform(), job, match, media)
    finally:
        _AT_ONCE.release()
