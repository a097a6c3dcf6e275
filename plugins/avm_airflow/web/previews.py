"""Film strips, waveforms, matrix and evidence of a match: made at the first look, then kept."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Literal

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from avm_airflow.web.catalogs import platform
from avm_airflow.web.pages import Identity, claim, media_row
from avm_core.errors import ObjectMissing, StoreUnavailable
from avm_core.pipeline.preview_task import make_apart
from avm_core.pipeline.previews import keys
from avm_core.pipeline.staging import digest
from avm_core.types import ObjectStore

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


class Studio:
    """Makes previews, few at a time and each once. Who asks waits a moment and then comes again:
    decoding may take half a minute, and no request may hold a thread of the server so long."""

    def __init__(self, at_once: int = 2, queue: int = 32, moment: float = 2.0) -> None:
        self._workers = ThreadPoolExecutor(at_once, thread_name_prefix="avm-preview")
        self._queue, self._moment = queue, moment
        self._lock = threading.Lock()
        self._under_way: dict[tuple[str, str], Future[None]] = {}

    def make(self, job: str, match: dict[str, Any]) -> None:
        """Return when it is made; raises `StoreUnavailable` if that is later, else its failure."""
        name = (job, str(match["match_id"]))
        with self._lock:
            future = self._under_way.get(name)
            if future is None:
                if len(self._under_way) >= self._queue:
                    raise StoreUnavailable("many previews are being made")
                future = self._under_way[name] = self._workers.submit(_made, job, match)
        try:
            future.result(timeout=self._moment)
        except TimeoutError as error:
            raise StoreUnavailable("the preview is being made") from error
        finally:
            if future.done():
                with self._lock:
                    self._under_way.pop(name, None)


def _made(job: str, match: dict[str, Any]) -> None:
    media = None if job == "pair" else media_row(match[f"{job}_id"])
    make_apart(platform(), job, match, media)


STUDIO = Studio()


def _is_there(store: ObjectStore, key: str) -> bool:
    try:
        store.head(key)
    except ObjectMissing:
        return False
    return True


@router.get("/matches/{match_id}/previews/{part}")
def preview(match_id: Identity, part: Part, request: Request) -> Response:
    """One part. 503 with Retry-After while it is being made, 404 where there is none."""
    match = claim(match_id)
    places, subject = keys(match), part.partition(".")[0]
    lake, job = platform().lake, _JOBS[subject]
    # The key says what a part was made from; the match that it shows may be found anew tomorrow.
    headers = {"Cache-Control": "private, no-cache", "ETag": f'"{digest(places[part])}"'}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    try:
        data = lake.get(places[part])
    except ObjectMissing:
        # The note comes last: where it is, what is missing will never be.
        if _is_there(lake, places[f"{job}.json"]):
            return Response(status_code=404)
        STUDIO.make(job, match)
        try:
            data = lake.get(places[part])
        except ObjectMissing:
            return Response(status_code=404)
    return Response(
        data,
        media_type=_TYPES[part.rpartition(".")[2]],
        headers=headers,
    )
