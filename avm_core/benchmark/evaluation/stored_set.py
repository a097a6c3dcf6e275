"""Benchmark sets in the lake, so that every worker measures the same files.

Media lie at `bench/media/<sha256>` and are shared by all sets; a set is a manifest and the sha256
of each of its files, named by the digest of both.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from avm_core.benchmark.sets.build import build_set
from avm_core.benchmark.sets.manifest import MANIFEST, SetManifest, read_manifest
from avm_core.config import Settings
from avm_core.errors import BadSettings
from avm_core.pipeline.platform import Platform
from avm_core.types import ObjectStore

_SETS = "bench/sets"
_MEDIA = "bench/media"
_CONTENTS = "contents.json"
# The split of the public sources that a set is made of; the smoke set is made of the demo's media.
SPLITS = {"smoke": "demo", "dev": "dev", "test": "test"}


@dataclass(frozen=True, slots=True)
class StoredSet:
    """A set whose files are in the lake: `contents` maps a path of the manifest to its sha256."""

    digest: str
    manifest: SetManifest
    contents: dict[str, str]


def build_stored(platform: Platform, name: str) -> StoredSet:
    """Build set `name` on this machine, where files of the same recipes are kept, and store it.

    Raises `BadSettings` for an unknown set, or where there is too little media to make it of.
    """
    folder = _folder(platform) / name
    sources = platform.settings.bench.sources or str(platform.cache_dir / "sources")
    build_set(name, folder, sources_dir=Path(sources), media=demo_media(platform.settings))
    return store_set(platform, folder)


def store_set(platform: Platform, folder: Path) -> StoredSet:
    """Put a built set into the lake; what is there already is not sent again."""
    manifest, lake = read_manifest(folder), platform.lake
    paths = sorted({i.path for i in manifest.licensed} | {i.path for i in manifest.ugc})
    contents = {path: _sha256(folder / path) for path in paths}
    text = (folder / MANIFEST).read_bytes()
    listed = json.dumps(contents, sort_keys=True).encode()
    digest = hashlib.sha256(text + listed).hexdigest()[:16]
    known = {info.key for info in lake.list(f"{_MEDIA}/")}
    for path, content in contents.items():
        if media_key(content) not in known:
            lake.upload(media_key(content), folder / path)
    lake.put(f"{_SETS}/{digest}/{MANIFEST}", text)
    lake.put(f"{_SETS}/{digest}/{_CONTENTS}", listed)
    return StoredSet(digest, manifest, contents)


def load_set(lake: ObjectStore, digest: str) -> StoredSet:
    """Raises `ObjectMissing` if there is no such set in the lake."""
    contents = json.loads(lake.get(f"{_SETS}/{digest}/{_CONTENTS}"))
    with tempfile.TemporaryDirectory(prefix="avm-set-") as folder:
        lake.download(f"{_SETS}/{digest}/{MANIFEST}", Path(folder) / MANIFEST)
        return StoredSet(digest, read_manifest(Path(folder)), contents)


def media_key(content: str) -> str:
    """Where a file of a set lies in the lake."""
    return f"{_MEDIA}/{content}"


def demo_media(settings: Settings) -> Path:
    """The demo's media, of which the smoke set is made: beside the package in a checkout."""
    folder = Path(settings.bench.media or Path(__file__).resolve().parents[3] / "local" / "media")
    if not folder.is_dir():
        raise BadSettings(f"{folder} is no folder: AVM_BENCH__MEDIA must name the demo's media")
    return folder


def _folder(platform: Platform) -> Path:
    return Path(platform.settings.bench.folder or platform.cache_dir / "bench")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
