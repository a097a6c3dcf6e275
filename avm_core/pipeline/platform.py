"""What every stage is given: settings, and through them stores, catalog and identities."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from avm_core.catalog import Catalog
from avm_core.config import Settings
from avm_core.fingerprint.registry import identify
from avm_core.match.version import matcher_version
from avm_core.storage import open_store, resolve
from avm_core.types import MODALITIES, FingerprinterId, Modality, ObjectStore, Role


@dataclass(frozen=True, slots=True)
class Platform:
    """Cheap to make: nothing is opened before it is asked for."""

    settings: Settings

    @property
    def lake(self) -> ObjectStore:
        """Artefacts, staged rows, index snapshots and published results."""
        return open_store(self.settings.lake_uri, self.settings.s3)

    def media_store(self, role: Role) -> ObjectStore:
        """Where media of `role` arrive."""
        uri = self.settings.licensed_uri if role == "licensed" else self.settings.ugc_uri
        return open_store(uri, self.settings.s3)

    def resolve(self, uri: str) -> tuple[ObjectStore, str]:
        """Store and key of one object's URI."""
        return resolve(uri, self.settings.s3)

    def get(self, uri: str) -> bytes:
        """The bytes of one object."""
        store, key = self.resolve(uri)
        return store.get(key)

    def catalog(self, *, read_only: bool = True) -> Catalog:
        """An open catalog, to be used as a context manager."""
        return Catalog.open(self.settings.catalog, read_only=read_only, s3=self.settings.s3)

    @property
    def fingerprinters(self) -> dict[Modality, FingerprinterId]:
        """The current fingerprinter of each modality that is not switched off."""
        names: dict[Modality, str] = {
            "audio": self.settings.audio_fingerprinter,
            "video": self.settings.video_fingerprinter,
        }
        return {m: identify(name, self.settings.decode) for m, name in names.items() if name}

    @property
    def fingerprinter_params(self) -> dict[str, str | None]:
        """The statement parameters `audio_fingerprinter` and `video_fingerprinter`."""
        made = self.fingerprinters
        return {f"{m}_fingerprinter": str(made[m]) if m in made else None for m in MODALITIES}

    @property
    def matcher_version(self) -> str:
        """Version of code and settings that matches are made with."""
        return matcher_version(self.settings.match)

    @property
    def cache_dir(self) -> Path:
        """Local copies of index segments, named by checksum and shared by all processes."""
        default = Path(tempfile.gettempdir()) / "avm-cache"
        return Path(self.settings.cache_dir) if self.settings.cache_dir else default
