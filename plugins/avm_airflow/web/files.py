"""Style and script of the page: two files and a half, no build step, nothing from elsewhere."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Literal

from fastapi import APIRouter, Response

router = APIRouter()

FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}

Name = Literal["page.css", "page.js", "player.js", "theme.js"]


@router.get("/static/{version}/{name}")
def file(version: str, name: Name) -> Response:
    """One file; its address changes with its content, so that it may be kept."""
    return Response(
        (FOLDER / name).read_bytes(),
        media_type=_TYPES[Path(name).suffix],
        headers={"Cache-Control": "private, max-age=31536000, immutable"},
    )


@cache
def version() -> str:
    """Changes with any of the files."""
    digest = hashlib.sha256()
    for path in sorted(FOLDER.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
