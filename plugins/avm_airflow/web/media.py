"""The bytes of a media, streamed out of the object store: nothing there is public."""

from __future__ import annotations

import itertools
import mimetypes
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from avm_airflow.web.catalogs import platform
from avm_airflow.web.pages import Identity, media_row
from avm_core.errors import ObjectMissing

router = APIRouter()

CHUNK = 1 << 20
_RANGE = re.compile(r"bytes=(\d*)-(\d*)\Z")
# What a browser may play here. Anything else is a download: an upload must not become a page.
_PLAYABLE = ("audio/", "video/")


@router.api_route("/media/{media_id}", methods=["GET", "HEAD"])
def stream(request: Request, media_id: Identity, download: bool = False) -> Response:
    """The object, or the range that a player asks for; read from the store piece by piece.

    404 if the object is gone or replaced, 416 for a range behind its end.
    """
    row = media_row(media_id)
    size = row["size_bytes"]
    headers = _headers(row, download=download)
    etag = headers["ETag"]
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    asked = request.headers.get("range", "")
    if request.headers.get("if-range", etag) != etag:
        asked = ""
    status, start, end = 200, 0, size
    if (wanted := wanted_range(asked, size)) is not None:
        start, end = wanted
        if start >= end:
            headers["Content-Range"] = f"bytes */{size}"
            return Response(status_code=416, headers=headers)
        status = 206
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    if request.method == "HEAD" or not size:
        return Response(status_code=status, headers=headers)
    return StreamingResponse(_pieces(row, start, end), status, headers)


def wanted_range(text: str, size: int) -> tuple[int, int] | None:
    """Half-open bytes of a `Range` header; None for none or one that is not understood, which
    then means the whole; an empty range for one behind the end."""
    found = _RANGE.match(text.strip())
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        return max(size - int(last), 0), size
    start = int(first)
    end = min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return None
    return start, max(end, start) if start < size else start


def _headers(row: dict[str, Any], *, download: bool) -> dict[str, str]:
    name = row["uri"].rpartition("/")[2]
    kind = mimetypes.guess_type(name)[0] or ""
    playable = kind.startswith(_PLAYABLE)
    headers = {
        "Content-Type": kind if playable else "application/octet-stream",
        "Accept-Ranges": "bytes",
        "ETag": f'"{row["media_id"]}"',
        "Cache-Control": "private, max-age=86400",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        # Airflow compresses what does not say how it is encoded.
        "Content-Encoding": "identity",
    }
    if download or not playable:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return headers


def _pieces(row: dict[str, Any], start: int, end: int) -> Iterator[bytes]:
    """The bytes [start, end). The first piece is read at once, so that a failure is an answer
    and not a broken stream; the next ones when the player has taken the one before."""
    store, key = platform().resolve(row["uri"])

    def piece(at: int) -> bytes:
        data = store.get_range(
            key, at, min(at + CHUNK, end), version_id=row["version_id"], etag=row["etag"]
        )
        if not data:
            raise ObjectMissing(f"{row['uri']} is shorter than it was")
        return data

    first = piece(start)

    def rest() -> Iterator[bytes]:
        at = start + len(first)
        while at < end:
            data = piece(at)
            at += len(data)
            yield data

    return itertools.chain((first,), rest())
