"""AVM itself on the table: the functions of the nightly matching, without platform around them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from avm_core.benchmark.rivals.base import Printed, Printer
from avm_core.benchmark.sets.manifest import Task
from avm_core.config import Settings
from avm_core.fingerprint import codec
from avm_core.fingerprint.registry import Fingerprinter, create, identify
from avm_core.index.reader import SnapshotReader
from avm_core.index.snapshot import publish
from avm_core.match.align import align
from avm_core.match.exclusions import merge
from avm_core.pipeline.exclusions import shared_stretches
from avm_core.pipeline.search import Prints, search
from avm_core.storage import MemoryStore
from avm_core.types import MODALITIES, Fingerprint, Float64, Match, MediaInfo, Modality


class AvmPrinter:
    """The configured fingerprinter of one modality; prints are artefacts as the lake has them."""

    def __init__(self, modality: Modality, settings: Settings) -> None:
        self.modality: Modality = modality
        self._settings = settings
        named = {"audio": settings.audio_fingerprinter, "video": settings.video_fingerprinter}
        self._name = named[modality]

    @property
    def fingerprinter(self) -> str:
        """Its name; empty where the modality is switched off."""
        return self._name

    @property
    def key(self) -> str:
        """Raises `BadSettings` while the printer is missing: nothing has no identity."""
        return str(identify(self._name, self._settings.decode))

    def missing(self) -> str | None:
        if self._name:
            return None
        return (
            f"no {self.modality} fingerprinter is set: "
            f"set AVM_{self.modality.upper()}_FINGERPRINTER"
        )

    def load(self) -> None:
        """Load the network now: of threads that share this printer each would do it else."""
        _ = self._maker

    def make(self, path: Path, info: MediaInfo) -> bytes:
        """An encoded Fingerprint. Raises `BadMedia` as the fingerprinter does."""
        return codec.encode(self._maker.fingerprint(path, content_id=path.stem, info=info))

    @cached_property
    def _maker(self) -> Fingerprinter:
        return create(self._name, self._settings.decode, device=self._settings.device)


class AvmSystem:
    """Search in a published snapshot, then align each candidate pair."""

    def __init__(self, task: Task, settings: Settings, label: str | None = None) -> None:
        self.task: Task = task
        self._label = label or task
        self._settings = settings
        modalities = MODALITIES if task == "both" else (task,)
        self._printers = {modality: AvmPrinter(modality, settings) for modality in modalities}

    @property
    def name(self) -> str:
        return "avm" if self._label == "both" else f"avm ({self._label})"

    @property
    def printers(self) -> tuple[Printer, ...]:
        return tuple(self._printers.values())

    def index(self, licensed: Sequence[Printed]) -> AvmSearcher:
        return AvmSearcher(licensed, self._printers, self._settings)


class AvmSearcher:
    """One flat or hnsw snapshot per modality, in memory."""

    def __init__(
        self,
        licensed: Sequence[Printed],
        printers: Mapping[Modality, Printer],
        settings: Settings,
    ) -> None:
        """`printers` make artefacts as the lake has them."""
        self._settings = settings
        self.config = settings.match
        self._keys = {modality: printer.key for modality, printer in printers.items()}
        # Media ids of an index have 32 hexadecimal digits.
        self._names = {f"{number:032x}": item.media_id for number, item in enumerate(licensed)}
        prints = [decode_prints(item, self._keys) for item in licensed]
        self._titles = dict(zip(self._names, prints, strict=True))
        self._cache = tempfile.TemporaryDirectory(prefix="avm-bench-")
        store = MemoryStore("memory://bench")
        self._readers = {}
        for modality in self._keys:
            mine = [
                (name, p[modality].whole()) for name, p in self._titles.items() if modality in p
            ]
            if mine:
                self._readers[modality] = self._open(store, modality, mine)
        self.ram_bytes = sum(item.size for item in store.list())
        self._excluded = self._exclusions()

    def _open(
        self, store: MemoryStore, modality: Modality, prints: Sequence[tuple[str, Fingerprint]]
    ) -> SnapshotReader:
        config = self._settings.index
        manifest = publish(
            store, f"licensed_{modality}", prints[0][1].fingerprinter, prints, config=config
        )
        return SnapshotReader.open(store, manifest, cache_dir=Path(self._cache.name), config=config)

    def _exclusions(self) -> dict[str, Float64]:
        """What each title shares with others, as the platform finds it before it matches."""
        spans: dict[str, list[tuple[float, float]]] = {name: [] for name in self._titles}
        for match in shared_stretches(self._titles, self._some, self._readers, self.config):
            spans[match.ugc_id].append((match.ugc_start, match.ugc_end))
            spans[match.licensed_id].append((match.licensed_start, match.licensed_end))
        return {name: merge(found) for name, found in spans.items()}

    def _some(self, names: list[str]) -> dict[str, Prints]:
        return {name: self._titles[name] for name in names}

    def match(self, ugc: Printed) -> list[Match]:
        prints = decode_prints(ugc, self._keys)
        candidates = search(ugc.media_id, prints, self._readers, self.config)
        return [
            match
            for candidate in candidates
            for match in align(
                ugc.media_id,
                self._names[candidate.ref_id],
                prints,
                self._titles[candidate.ref_id],
                self.config,
                excluded=self._excluded[candidate.ref_id],
            )
        ]


def decode_prints(item: Printed, keys: Mapping[Modality, str]) -> dict[Modality, Fingerprint]:
    """The item's fingerprints by modality; a print that could not be made is left out."""
    return {
        modality: codec.decode(item.prints[key])
        for modality, key in keys.items()
        if item.prints.get(key)
    }
