"""Match: forward (new uploads in the licensed snapshot) and reverse (new licensed media in the
snapshot of uploads). Both end in the same alignment of the same pairs.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from avm_core.index.manifest import IndexManifest
from avm_core.index.pointer import manifest_key
from avm_core.index.reader import SnapshotReader
from avm_core.match.align import align
from avm_core.pipeline.exclusions import Excluded, exclusions_of
from avm_core.pipeline.index import index_name
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.search import Prints, search, search_uploads
from avm_core.pipeline.staging import Rows, cost, digest, read_plan, stage
from avm_core.pipeline.stored import open_snapshot, read_prints, servable
from avm_core.types import Candidate, Direction, Match, Modality, Role

SEARCHED: dict[Direction, Role] = {"forward": "licensed", "reverse": "ugc"}


def match_batch(platform: Platform, batch: dict[str, Any]) -> dict[str, Any]:
    """Search the batch's uploads in the licensed snapshots named by its plan; stage rows."""
    return _scan(platform, batch, "forward")


def rematch_batch(platform: Platform, batch: dict[str, Any]) -> dict[str, Any]:
    """Search the batch's licensed media in the UGC snapshots named by its plan; stage rows."""
    return _scan(platform, batch, "reverse")


def _scan(platform: Platform, batch: dict[str, Any], direction: Direction) -> dict[str, Any]:
    began = time.perf_counter()
    plan = read_plan(platform, batch)
    scanner = _Scanner(platform, direction, plan)
    # The plan may be older than a removal, after which artefacts go.
    gone = _removed(platform, {row["media_id"] for row in plan["rows"]})
    probes = [row for row in plan["rows"] if row["media_id"] not in gone]
    candidates = scanner.candidates(probes)
    gone = _removed(platform, {c.ref_id for found in candidates.values() for c in found})
    candidates = {
        name: [candidate for candidate in found if candidate.ref_id not in gone]
        for name, found in candidates.items()
    }
    others = _artefacts(platform, candidates)
    scanner.know_exclusions(candidates)
    scans: Rows = []
    matches: Rows = []
    for probe in probes:
        scans += scanner.scan_rows(probe["media_id"])
        for candidate in candidates[probe["media_id"]]:
            matches += scanner.matches(probe, others[candidate.ref_id])
    spent = cost(
        scanner.unit_id,
        stage="match" if direction == "forward" else "rematch",
        media=len(plan["rows"]),
        media_seconds=sum(row["duration"] or 0 for row in plan["rows"]),
        since=began,
    )
    return stage(
        platform,
        kind=direction,
        unit_id=scanner.unit_id,
        input_digest=digest(plan["rows"], plan["identity"]),
        tables={"match_scan": scans, "match": matches, "unit_cost": [spent]},
    )


def _removed(platform: Platform, ids: set[str]) -> set[str]:
    """Which of the media were removed by now."""
    if not ids:
        return set()
    with platform.catalog() as catalog:
        return {row["media_id"] for row in catalog.query("removal/among", ids=sorted(ids))}


def _artefacts(
    platform: Platform, candidates: dict[str, list[Candidate]]
) -> dict[str, dict[str, Any]]:
    """Artefact URIs of all candidates by media id, in one look at the catalog."""
    wanted = sorted({candidate.ref_id for found in candidates.values() for candidate in found})
    if not wanted:
        return {}
    with platform.catalog() as catalog:
        rows = catalog.query("match/artefacts", ids=wanted, **platform.fingerprinter_params)
    return {row["media_id"]: row for row in rows}


class _Scanner:
    """Searches probes in fixed snapshots and aligns what they might share."""

    def __init__(self, platform: Platform, direction: Direction, plan: dict[str, Any]) -> None:
        snapshots: dict[Modality, str] = plan["identity"]["snapshots"]
        self._platform = platform
        self._direction: Direction = direction
        self._days: list[str] | None = plan["identity"].get("days")
        self._now = datetime.now(UTC)
        self._manifests = {modality: self._servable(key) for modality, key in snapshots.items()}
        served = {modality: manifest_key(found) for modality, found in self._manifests.items()}
        # What an older snapshot gave, because the planned one is damaged, is another unit: once
        # the damage is mended the same plan must be recorded again.
        suffix = "" if served == snapshots else f"-{digest(served)}"
        self.unit_id = f"{direction}-{plan['batch_id']}{suffix}"
        self._excluded: dict[str, Excluded] = {}
        # Many uploads copy the same title: keep the last ones read.
        self._load = functools.lru_cache(maxsize=64)(functools.partial(read_prints, platform))

    def _servable(self, key: str) -> IndexManifest:
        manifest = IndexManifest.from_bytes(self._platform.lake.get(key), key=key)
        # Cut before as well: only these days' objects need be fetched.
        return self._cut(servable(self._platform, self._cut(manifest)))

    def _cut(self, manifest: IndexManifest) -> IndexManifest:
        """The manifest with the segments of the plan's days alone."""
        if self._days is None:
            return manifest
        first, last = self._days
        kept = tuple(part for part in manifest.segments if first <= part.partition <= last)
        return manifest.model_copy(update={"segments": kept})

    def candidates(self, probes: Rows) -> dict[str, list[Candidate]]:
        """What the snapshots say each probe might share something with."""
        by_id = {probe["media_id"]: probe for probe in probes}
        config = self._platform.settings.match
        if self._direction == "reverse":
            days = {modality: found.partitions for modality, found in self._manifests.items()}
            return search_uploads(by_id, self._titles(by_id), days, self._open, config)
        readers = {modality: self._open(modality) for modality in self._manifests}
        return {
            name: search(name, self._prints(probe), readers, config)
            for name, probe in by_id.items()
        }

    def know_exclusions(self, candidates: dict[str, list[Candidate]]) -> None:
        """Read what the titles among these pairs share with other titles."""
        refs = {candidate.ref_id for found in candidates.values() for candidate in found}
        titles = refs if self._direction == "forward" else set(candidates)
        self._excluded = exclusions_of(self._platform, titles)

    def _titles(self, by_id: dict[str, dict[str, Any]]) -> Callable[[str], Prints]:
        """Fingerprints by media id; a title is what its whole pictures show."""
        return lambda name: {m: made.whole() for m, made in self._prints(by_id[name]).items()}

    def _open(self, modality: Modality, partition: str | None = None) -> SnapshotReader:
        return open_snapshot(self._platform, self._manifests[modality], partition)

    def matches(self, probe: dict[str, Any], other: dict[str, Any]) -> Rows:
        """Rows of every copied segment of one pair."""
        found = self._align(
            probe["media_id"], self._prints(probe), other["media_id"], self._prints(other)
        )
        return [self._row(match) for match in found]

    def _prints(self, media: dict[str, Any]) -> Prints:
        return self._load(media["audio_uri"], media["video_uri"])

    def _align(self, probe_id: str, probe: Prints, other_id: str, other: Prints) -> list[Match]:
        config = self._platform.settings.match
        if self._direction == "reverse":
            probe_id, probe, other_id, other = other_id, other, probe_id, probe
        excluded = self._excluded[other_id].spans
        return align(probe_id, other_id, probe, other, config, excluded=excluded)

    def scan_rows(self, probe_id: str) -> Rows:
        """One row per modality, also for one that the probe lacks: it was looked at.

        Version 0 stands for an index that did not exist yet.
        """
        first, last = self._days or (None, None)
        return [
            {
                "probe_id": probe_id,
                "direction": self._direction,
                "modality": modality,
                "searched_index": index_name(SEARCHED[self._direction], modality),
                "searched_version": (
                    self._manifests[modality].version if modality in self._manifests else 0
                ),
                "fingerprinter": str(identity),
                "matcher_version": self._platform.matcher_version,
                "unit_id": self.unit_id,
                "scanned_at": self._now,
                "first_day": first,
                "last_day": last,
            }
            for modality, identity in self._platform.fingerprinters.items()
        ]

    def _row(self, match: Match) -> dict[str, Any]:
        params = self._platform.fingerprinter_params
        version = self._platform.matcher_version
        identity = digest(
            match.ugc_id,
            match.licensed_id,
            match.ugc_start,
            match.licensed_start,
            match.modality,
            params,
            version,
        )
        columns = {name: getattr(match, name) for name in match.__slots__}
        return columns | {
            "match_id": identity,
            "direction": self._direction,
            "audio_snapshot": self._snapshot("audio"),
            "video_snapshot": self._snapshot("video"),
            **params,
            "matcher_version": version,
            "unit_id": self.unit_id,
            "found_at": self._now,
            "exclusions": self._excluded[match.licensed_id].known,
        }

    def _snapshot(self, modality: Modality) -> str | None:
        manifest = self._manifests.get(modality)
        return manifest.snapshot_id if manifest else None
