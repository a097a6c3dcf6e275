"""What a system on the table is: printers that read media once, and a matcher over prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from avm_core.benchmark.sets.manifest import Task
from avm_core.types import Match, MediaInfo, Modality


class Printer(Protocol):
    """Makes one kind of fingerprint. `key` names everything that shapes its bytes (system,
    parameters, version), so that prints can be kept on disk under it."""

    @property
    def key(self) -> str: ...

    @property
    def modality(self) -> Modality: ...

    def missing(self) -> str | None:
        """Why this printer cannot run on this machine and what to do about it, or None."""

    def make(self, path: Path, info: MediaInfo) -> bytes:
        """The fingerprint of one file. Raises `BadMedia` if it cannot be read."""


@dataclass(frozen=True, slots=True)
class Printed:
    """One media with what the system's printers made of it, by printer key; a stream that is
    not there has no entry."""

    media_id: str
    duration: float
    prints: Mapping[str, bytes]


class System(Protocol):
    """One row of the table."""

    @property
    def name(self) -> str:
        """As in the table, e.g. `chromaprint`."""

    @property
    def task(self) -> Task:
        """Which streams it looks at."""

    @property
    def printers(self) -> tuple[Printer, ...]: ...

    def index(self, licensed: Sequence[Printed]) -> Searcher:
        """Take the licensed titles in; `Searcher.ram_bytes` is what they occupy in memory."""


class Searcher(Protocol):
    """A system's loaded reference side."""

    @property
    def ram_bytes(self) -> int:
        """Bytes of the reference side while it is searched."""

    def match(self, ugc: Printed) -> list[Match]:
        """Every copied segment found in one upload."""


def missing(system: System) -> str | None:
    """Why a system cannot run here: what each of its printers lacks, or None."""
    reasons = [printer.missing() for printer in system.printers]
    return "; ".join(reason for reason in reasons if reason) or None
