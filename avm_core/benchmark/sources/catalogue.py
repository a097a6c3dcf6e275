"""The media of one split: fetched, probed, without copies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from avm_core.benchmark.sets.manifest import Skipped
from avm_core.benchmark.sources.fetch import fetch
from avm_core.benchmark.sources.package import SPLITS, Package, load_catalogue
from avm_core.errors import BadMedia, BadSettings
from avm_core.media.probe import probe


@dataclass(frozen=True, slots=True)
class Source:
    """One media file of a package. `duration` in seconds, 0 for a still; `content` is the sha256
    of its bytes, empty for a file that is in no package."""

    work: str
    package: str
    kind: str
    split: str
    path: Path
    duration: float
    audio: bool
    video: bool
    content: str = ""


def sources(
    split: str,
    cache_dir: Path,
    *,
    kinds: Sequence[str] | None = None,
    min_seconds: float = 0.0,
) -> tuple[list[Source], list[Skipped]]:
    """Usable media of a split, in the catalogue's order, and what was left out with its reason.

    Unreadable, too short and unavailable media are skipped, never an error, and so is a package
    without a file of the wanted names. Files of equal bytes count once.
    """
    found: list[Source] = []
    skipped: list[Skipped] = []
    seen: dict[str, str] = {}
    for package in load_catalogue():
        if package.split != split or (kinds is not None and package.kind not in kinds):
            continue
        try:
            folder = fetch(package, cache_dir)
        except BadSettings as error:
            skipped.append(Skipped(package.name, str(error)))
            continue
        entries = _entries(package, folder)
        if not entries:
            wanted = ", ".join(package.files)
            skipped.append(Skipped(package.name, f"no media named {wanted}: correct `files`"))
        for entry in entries:
            reason = _reason(entry, seen, min_seconds, still=package.kind == "still")
            name = f"{package.name}/{entry['path']}"
            if reason:
                skipped.append(Skipped(name, reason))
            else:
                seen[entry["content"]] = name
                found.append(_source(package, folder, entry))
    return found, skipped


def _reason(
    entry: dict[str, Any], seen: dict[str, str], min_seconds: float, *, still: bool
) -> str | None:
    if entry["error"]:
        return str(entry["error"])
    if entry["content"] in seen:
        return f"the same bytes as {seen[entry['content']]}"
    if not still and entry["duration"] < min_seconds:
        return f"too short: {entry['duration']:.1f} s, needs {min_seconds:g} s"
    return None


def _source(package: Package, folder: Path, entry: dict[str, Any]) -> Source:
    relative = Path(entry["path"])
    named = (work for glob, work in package.works if relative.match(glob))
    return Source(
        work=next(named, f"{package.name}/{relative.stem}"),
        package=package.name,
        kind=package.kind,
        split=package.split,
        path=folder / relative,
        duration=entry["duration"],
        audio=entry["audio"],
        video=entry["video"],
        content=entry["content"],
    )


def _entries(package: Package, folder: Path) -> list[dict[str, Any]]:
    """What the package's files are, probed once and remembered beside them."""
    wanted = {path for glob in package.files for path in folder.glob(glob)}
    wanted -= {path for glob in package.without for path in folder.glob(glob)}
    paths = sorted(path for path in wanted if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in paths]
    record = folder.with_name(f"{folder.name}.probed.json")
    known: dict[str, Any] = {}
    if record.is_file():
        known = json.loads(record.read_text(encoding="utf-8"))
    if not set(names) <= known.keys():
        known |= {
            name: asdict(_probe(path))
            for name, path in zip(names, paths, strict=True)
            if name not in known
        }
        partial = record.with_suffix(".partial")
        partial.write_text(json.dumps(known), encoding="utf-8")
        partial.replace(record)
    return [known[name] | {"path": name} for name in names]


@dataclass(frozen=True, slots=True)
class _Probed:
    content: str
    duration: float = 0.0
    audio: bool = False
    video: bool = False
    error: str = ""


def _probe(path: Path) -> _Probed:
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"):
        return _Probed(content, video=True)
    try:
        info = probe(path)
    except BadMedia as error:
        return _Probed(content, error=str(error))
    return _Probed(content, info.duration, info.audio is not None, info.video is not None)


def all_sources(cache_dir: Path, kinds: Sequence[str]) -> tuple[list[Source], list[Skipped]]:
    """Media of every split, and what was left out."""
    parts = [sources(split, cache_dir, kinds=kinds) for split in SPLITS]
    return [s for found, _ in parts for s in found], [s for _, left in parts for s in left]
