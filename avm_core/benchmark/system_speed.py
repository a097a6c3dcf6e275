"""What each system on the table costs: time to fingerprint and to match, bytes to keep.

Every system reads the same files, and decoding them is timed beside it: on a shared machine
only the ratios within one run mean something.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from avm_core.benchmark.rivals.base import Printed, Printer, System, missing
from avm_core.benchmark.timing import HOUR, REPEATS, best_of, decode_all
from avm_core.errors import BadMedia, BadSettings
from avm_core.media.probe import probe
from avm_core.types import MediaInfo, Modality

YARDSTICK = "chromaprint"
Named = Sequence[tuple[str, Path]]


def measure_systems(
    systems: Sequence[System], titles: Named, uploads: Named, *, repeats: int = REPEATS
) -> dict[str, dict[str, Any]]:
    """By system name; each timing is the best of `repeats` runs.

    `fingerprint_x`: seconds of media per second of wall time, over all files that have a
    stream the system looks at; `vs_decode`: that time as a multiple of plain decoding of the
    same streams, as AVM decodes them, both one file after the other; `match_x`: hours of uploads
    matched per hour, with all titles loaded; `disk_mb_per_hour` of prints; `ram_mb_per_hour` of
    titles. `vs_chromaprint` holds the same five as multiples of chromaprint's, where chromaprint
    ran. A system that cannot run here is {"missing": why}. A printer that systems share is timed
    once.

    Raises `BadSettings` without titles or uploads or if a media id comes twice, `BadMedia` if
    a file cannot be read or no title or no upload has a stream that a system looks at.
    """
    if not titles or not uploads:
        raise BadSettings("speed needs at least one title and one upload: give both")
    paths = dict([*titles, *uploads])
    if len(paths) < len(titles) + len(uploads):
        raise BadSettings("a media id comes twice among titles and uploads: make them unique")
    infos = {media_id: probe(path) for media_id, path in paths.items()}
    bench = _Bench(paths, infos, repeats)
    found = {
        system.name: bench.measure(system, [t for t, _ in titles], [u for u, _ in uploads])
        for system in systems
    }
    _compare(found)
    return found


@dataclass(slots=True)
class _Prints:
    """One printer's work: seconds for all of its files, and the bytes by media id."""

    seconds: float
    made: dict[str, bytes]


@dataclass(slots=True)
class _Bench:
    """The files, and what was already timed on them."""

    paths: dict[str, Path]
    infos: dict[str, MediaInfo]
    repeats: int
    printed: dict[str, _Prints] = field(default_factory=dict)
    decoded: dict[Modality, float] = field(default_factory=dict)

    def measure(self, system: System, titles: list[str], uploads: list[str]) -> dict[str, Any]:
        if reason := missing(system):
            return {"missing": reason}
        prints = {printer.key: self._print(printer) for printer in system.printers}
        modalities = {printer.modality for printer in system.printers}
        for kind, ids in (("title", titles), ("upload", uploads)):
            if not self._seconds(modalities, ids):
                wanted = " or ".join(sorted(modalities))
                raise BadMedia(f"no {kind} has {wanted}, which {system.name} needs: give others")
        printed = {media_id: self._printed(media_id, prints) for media_id in self.paths}
        searcher = system.index([printed[title] for title in titles])
        seen = [printed[upload] for upload in uploads if printed[upload].prints]
        matching = best_of(lambda: [searcher.match(upload) for upload in seen], self.repeats)
        spent = sum(value.seconds for value in prints.values())
        size = sum(len(data) for value in prints.values() for data in value.made.values())
        media = self._seconds(modalities, list(self.paths))
        ram = searcher.ram_bytes / self._seconds(modalities, titles)
        return {
            "fingerprint_x": media / spent,
            "vs_decode": spent / sum(self._decode(modality) for modality in modalities),
            "match_x": self._seconds(modalities, uploads) / matching,
            "disk_mb_per_hour": size / 1e6 * HOUR / media,
            "ram_mb_per_hour": ram / 1e6 * HOUR,
        }

    def _with(self, modality: Modality) -> list[str]:
        return [key for key, info in self.infos.items() if getattr(info, modality) is not None]

    def _seconds(self, modalities: set[Modality], ids: list[str]) -> float:
        """Of media that have any of these streams: a file that is read twice counts once."""
        usable = {media_id for modality in modalities for media_id in self._with(modality)}
        return sum(self.infos[media_id].duration for media_id in ids if media_id in usable)

    def _print(self, printer: Printer) -> _Prints:
        if printer.key not in self.printed:
            ids = self._with(printer.modality)
            made: dict[str, bytes] = {}

            def make_all() -> None:
                for key in ids:
                    made[key] = printer.make(self.paths[key], self.infos[key])

            if ids:  # the first use of a printer may load a network
                printer.make(self.paths[ids[0]], self.infos[ids[0]])
            self.printed[printer.key] = _Prints(best_of(make_all, self.repeats), made)
        return self.printed[printer.key]

    def _decode(self, modality: Modality) -> float:
        if modality not in self.decoded:
            files = [self.paths[media_id] for media_id in self._with(modality)]
            self.decoded[modality] = best_of(partial(decode_all, modality, files, 1), self.repeats)
        return self.decoded[modality]

    def _printed(self, media_id: str, prints: dict[str, _Prints]) -> Printed:
        made = {
            key: value.made[media_id] for key, value in prints.items() if media_id in value.made
        }
        return Printed(media_id, self.infos[media_id].duration, made)


def _compare(found: dict[str, dict[str, Any]]) -> None:
    """Add `vs_chromaprint`, if chromaprint was measured; a zero there has no multiple."""
    base = dict(found.get(YARDSTICK, {"missing": ""}))
    if "missing" in base:
        return
    for values in found.values():
        if "missing" not in values:
            values["vs_chromaprint"] = {
                name: values[name] / number for name, number in base.items() if number
            }
