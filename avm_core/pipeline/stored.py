"""What a platform has stored, opened: snapshots of its indexes, fingerprints of its media."""

from __future__ import annotations

from avm_core.fingerprint import codec
from avm_core.index import serving
from avm_core.index.manifest import IndexManifest
from avm_core.index.reader import SnapshotReader
from avm_core.index.snapshot import current
from avm_core.pipeline.index import index_name
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.search import Prints
from avm_core.types import MODALITIES, Modality, Role


def current_manifests(platform: Platform, role: Role) -> dict[Modality, IndexManifest]:
    """The snapshot of each modality that is searched now; an index that does not exist or is of
    another fingerprinter is left out."""
    found = {}
    for modality, identity in platform.fingerprinters.items():
        manifest = current(platform.lake, index_name(role, modality))
        if manifest is not None and manifest.fingerprinter == str(identity):
            found[modality] = manifest
    return found


def servable(platform: Platform, manifest: IndexManifest) -> IndexManifest:
    """As `index.serving.servable`, in the platform's cache."""
    config = platform.settings.index
    return serving.servable(platform.lake, manifest, cache_dir=platform.cache_dir, config=config)


def open_snapshot(
    platform: Platform, manifest: IndexManifest, partition: str | None = None
) -> SnapshotReader:
    """As `SnapshotReader.open`, in the platform's cache."""
    return SnapshotReader.open(
        platform.lake,
        manifest,
        cache_dir=platform.cache_dir,
        config=platform.settings.index,
        partition=partition,
    )


def read_prints(platform: Platform, audio_uri: str | None, video_uri: str | None) -> Prints:
    """The fingerprints of one media; a modality without an artefact is left out."""
    pairs = zip(MODALITIES, (audio_uri, video_uri), strict=True)
    return {modality: codec.decode(platform.get(uri)) for modality, uri in pairs if uri}
