"""Exclusions: what new licensed media share with the licensed media that are there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from avm_core.config import MatchConfig
from avm_core.index.manifest import IndexManifest
from avm_core.index.reader import SnapshotReader
from avm_core.match.exclusions import find_shared, merge
from avm_core.pipeline.index import index_name
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.search import Prints, search
from avm_core.pipeline.staging import Rows, digest, stage
from avm_core.pipeline.stored import current_manifests, open_snapshot, read_prints, servable
from avm_core.types import Float64, Match, Modality


@dataclass(frozen=True, slots=True)
class Excluded:
    """Seconds [k, 2] of a title that other titles have or that a person excluded, and how often
    what is known of it has changed."""

    spans: Float64
    known: int = 0


def exclusions_of(platform: Platform, titles: set[str]) -> dict[str, Excluded]:
    """What the current matcher and people know of each of the `titles`, by media id."""
    rows: Rows = []
    if titles:
        with platform.catalog() as catalog:
            rows = catalog.query(
                "exclusion/of_titles",
                ids=sorted(titles),
                matcher_version=platform.matcher_version,
                **platform.fingerprinter_params,
            )
    spans: dict[str, list[tuple[float, float]]] = {title: [] for title in titles}
    known = dict.fromkeys(titles, 0)
    for row in rows:
        known[row["media_id"]] += row["changes"]
        if row["in_force"]:
            spans[row["media_id"]].append((row["start_s"], row["end_s"]))
    return {title: Excluded(merge(found), known[title]) for title, found in spans.items()}


def find_exclusions(platform: Platform) -> list[dict[str, Any]]:
    """Compare published licensed media that never were with all licensed media; staged units.

    [] if all were. At most `max_batches` batches at a time, a unit of each: call it until nothing
    is left. The same batch in the same snapshots gives the same unit.
    """
    sizes = platform.settings.pipeline
    with platform.catalog() as catalog:
        rows = catalog.query(
            "exclusion/pending",
            matcher_version=platform.matcher_version,
            limit=sizes.max_batches * sizes.batch_media_count,
            **platform.fingerprinter_params,
        )
    finder = _Finder(platform)
    if not rows or not finder.manifests:
        return []
    titles, count = [row["media_id"] for row in rows], sizes.batch_media_count
    return [_unit(platform, finder, titles[at : at + count]) for at in range(0, len(titles), count)]


def _unit(platform: Platform, finder: _Finder, titles: list[str]) -> dict[str, Any]:
    served = {m: manifest.snapshot_id for m, manifest in finder.manifests.items()}
    identity = digest(titles, served, platform.matcher_version, platform.fingerprinter_params)
    unit_id = f"exclusion-{identity}"
    found = [row for match in finder.shared(titles) for row in _rows(platform, match, unit_id)]
    scans = [scan for title in titles for scan in finder.scans(title, unit_id)]
    return stage(
        platform,
        kind="exclusion",
        unit_id=unit_id,
        input_digest=identity,
        tables={"exclusion": found, "match_scan": scans},
    )


def shared_stretches(
    asked: dict[str, Prints],
    load: Callable[[list[str]], dict[str, Prints]],
    readers: dict[Modality, SnapshotReader],
    config: MatchConfig,
) -> list[Match]:
    """What titles share with others of an index of titles, each pair once.

    `asked` and what `load` gives are fingerprints by media id.
    """
    done: set[frozenset[str]] = set()
    matches: list[Match] = []
    for title, prints in asked.items():
        whole = {modality: made.whole() for modality, made in prints.items()}
        near = [candidate.ref_id for candidate in search(title, whole, readers, config)]
        new = [other for other in near if other != title and {title, other} not in done]
        for other, theirs in load(new).items():
            done.add(frozenset((title, other)))
            matches += find_shared(title, whole, other, theirs, config)
    return matches


class _Finder:
    """Searches licensed media in the current snapshots of licensed media."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._now = datetime.now(UTC)

    @cached_property
    def manifests(self) -> dict[Modality, IndexManifest]:
        """Of the current fingerprinters' snapshots, as they can be read."""
        found = current_manifests(self._platform, "licensed")
        return {m: servable(self._platform, manifest) for m, manifest in found.items()}

    def shared(self, titles: list[str]) -> list[Match]:
        """What each of the titles shares with another, each pair once."""
        readers = {m: open_snapshot(self._platform, found) for m, found in self.manifests.items()}
        asked = self._prints(titles)
        return shared_stretches(asked, self._prints, readers, self._platform.settings.match)

    def scans(self, title: str, unit_id: str) -> Rows:
        """One row per modality, also for one that the title lacks: it was looked at."""
        return [
            {
                "probe_id": title,
                "direction": "self",
                "modality": modality,
                "searched_index": index_name("licensed", modality),
                "searched_version": self.manifests[modality].version,
                "fingerprinter": self.manifests[modality].fingerprinter,
                "matcher_version": self._platform.matcher_version,
                "unit_id": unit_id,
                "scanned_at": self._now,
            }
            for modality in self.manifests
        ]

    def _prints(self, titles: list[str]) -> dict[str, Prints]:
        if not titles:
            return {}
        platform = self._platform
        with platform.catalog() as catalog:
            rows = catalog.query("match/artefacts", ids=titles, **platform.fingerprinter_params)
        return {
            row["media_id"]: read_prints(platform, row["audio_uri"], row["video_uri"])
            for row in rows
            # Of a title that was removed since there may be nothing left.
            if row["audio_uri"] or row["video_uri"]
        }


def _rows(platform: Platform, match: Match, unit_id: str) -> Rows:
    """One exclusion of either title."""
    params, version = platform.fingerprinter_params, platform.matcher_version
    sides = (
        (match.ugc_id, match.licensed_id, match.ugc_start, match.ugc_end),
        (match.licensed_id, match.ugc_id, match.licensed_start, match.licensed_end),
    )
    now = datetime.now(UTC)
    return [
        {
            "exclusion_id": digest(title, other, start, end, params, version),
            "media_id": title,
            "other_id": other,
            "start_s": start,
            "end_s": end,
            "score": match.score,
            "modality": match.modality,
            **params,
            "matcher_version": version,
            "unit_id": unit_id,
            "found_at": now,
        }
        for title, other, start, end in sides
    ]
