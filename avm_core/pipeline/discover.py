"""Discover: what is new, changed, deleted or said anew below a role's prefix?

Listing and anti-join, not remembering: a lost event costs minutes, never a file. Objects that the
inventory knows cost nothing but their line in the listing; a new one costs a HEAD, a changed
manifest or sidecar a GET, and a missing one a HEAD that proves that it is gone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any, TypeVar

from avm_core.errors import (
    AccessDenied,
    BadMetadata,
    BucketMissing,
    MassDeletion,
    ObjectMissing,
    Terminal,
)
from avm_core.pipeline import metadata
from avm_core.pipeline.listing import Stretch, stretches
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.staging import Rows, digest, stage
from avm_core.storage import object_uri
from avm_core.types import ObjectInfo, ObjectStore, Role

T = TypeVar("T")
R = TypeVar("R")

_CALLS_AT_ONCE = 16
# Fewer than these are deleted by people; more than this share by accidents.
_MASS_COUNT, _MASS_SHARE = 100, 0.5
_MAX_FILE_BYTES = 256 << 20


def media_id(uri: str, version: str) -> str:
    """32 hex digits that name one immutable object version."""
    return hashlib.sha256(f"{uri}\n{version}".encode()).hexdigest()[:32]


def discover(platform: Platform, *, role: Role, accept_gone: bool = False) -> list[dict[str, Any]]:
    """Stage rows for what changed below the role's prefix; [] if nothing did.

    A new or replaced object is a new media; a media whose object is gone gets `gone_at`, and
    loses it when the same bytes come back. Title, rights holder, territories, licence, uploader,
    upload time and views come from a manifest, else a sidecar, else the object's own metadata;
    an upload without a date counts as uploaded when the object was written. Only so many new
    objects are taken in a run as `pipeline.discover_count` says; the next run goes on.

    Raises `BucketMissing` or `StoreUnavailable` rather than taking a part of a listing for the
    whole, and `MassDeletion` if more than half of more than a hundred media are gone, unless
    `accept_gone`.
    """
    found = _Discovery(platform, platform.media_store(role), role)
    limit = platform.settings.pipeline.discover_count
    with platform.catalog() as catalog:
        found.serial = catalog.query("commit_serial/current")[0]["serial"]
        for part in stretches(found.store, catalog, role):
            found.take(part)
            if found.taken >= limit:
                return found.units  # what is missing is for a run that sees the end
    found.settle_missing(accept_gone=accept_gone)
    return found.units


@dataclass(slots=True)
class _Discovery:
    """One run over one role. `serial` stands for the catalog that the listing is compared with:
    the same change of the same catalog is the same unit, the same change later is another."""

    platform: Platform
    store: ObjectStore
    role: Role
    serial: int = 0
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    units: list[dict[str, Any]] = field(default_factory=list)
    taken: int = 0
    known: int = 0
    missing_media: Rows = field(default_factory=list)
    missing_files: Rows = field(default_factory=list)

    def take(self, part: Stretch) -> None:
        """Stage what is new in a stretch; keep in mind what is missing from it."""
        rows: dict[str, Rows] = {"metadata_file": [], "media_metadata": [], "media": []}
        live = {r["media_id"]: r for r in part.known_media if r["gone_at"] is None}
        former = {r["media_id"]: r for r in part.known_media if r["gone_at"] is not None}
        self.known += len(live)
        fresh = []
        for uri, info in part.media.items():
            if live.pop(media_id(uri, info.etag), None) is None:
                fresh.append(info)
        for row in live.values():
            if row["uri"] in part.media:  # another version has its place: no need to ask
                rows["media"].append(row | {"gone_at": self.now})
            else:
                self.missing_media.append(row)
        for media, said in filter(None, _at_once(self._new_media, fresh)):
            back = former.get(media["media_id"])
            first = back["discovered_at"] if back else media["discovered_at"]
            rows["media"].append(media | {"discovered_at": first})
            rows["media_metadata"].append(said)
        self.taken += len(fresh)
        self._take_files(part, rows)
        self._stage(rows)

    def _take_files(self, part: Stretch, rows: dict[str, Rows]) -> None:
        known = {row["uri"]: row for row in part.known_files}
        changed = []
        for uri, info in part.files.items():
            before = known.pop(uri, None)
            if before is None or before["etag"] != info.etag:
                changed.append(info)
        self.missing_files += known.values()
        for file, said in filter(None, _at_once(self._read_file, changed)):
            rows["metadata_file"].append(file)
            rows["media_metadata"] += said

    def _new_media(self, info: ObjectInfo) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """The rows of an object that the inventory does not know."""
        problem = None
        try:
            info = self.store.head(info.key)
        except ObjectMissing:
            return None  # deleted since it was listed: there is nothing to fingerprint
        except (AccessDenied, BucketMissing):
            raise
        except Terminal as error:
            problem = f"the object's own metadata cannot be read: {error}"
        uri = object_uri(self.store, info.key)
        said = metadata.parse_fields(dict(info.metadata), where=f"metadata of '{uri}'")
        values = dict(said.values)
        values["title"] = values["title"] or PurePosixPath(info.key).stem
        if self.role == "ugc":
            values["uploaded_at"] = values["uploaded_at"] or info.modified
        media = {
            "media_id": media_id(uri, info.etag),
            "role": self.role,
            "uri": uri,
            "version_id": info.version_id,
            "etag": info.etag,
            "size_bytes": info.size,
            "discovered_at": self.now,
        }
        row = self._said(uri, "object", uri, metadata.Said(values, problem or said.problem))
        return media | values, row

    def _read_file(self, info: ObjectInfo) -> tuple[dict[str, Any], Rows] | None:
        """The rows of a manifest or sidecar, or of what is wrong with it."""
        uri = object_uri(self.store, info.key)
        kind = metadata.kind_of(info.key)
        target = uri[: -len(metadata.SIDECAR_SUFFIX)] if kind == "sidecar" else None
        said: Rows = []
        problem = None
        try:
            if info.size > _MAX_FILE_BYTES:
                raise BadMetadata(f"'{uri}' has {info.size} bytes: split it into several files")
            data = self.store.get(info.key)
            if target is not None:
                parsed = metadata.parse_sidecar(data, where=f"'{uri}'")
                said = [self._said(target, "sidecar", uri, parsed)]
            else:
                said = self._manifest_rows(uri, data)
        except ObjectMissing:
            return None  # deleted since it was listed
        except BadMetadata as error:
            problem, said = str(error), []
        row = {
            "uri": uri,
            "role": self.role,
            "kind": kind,
            "etag": info.etag,
            "media_uri": target,
            "problem": problem,
            "read_at": self.now,
        }
        return row, said

    def _manifest_rows(self, uri: str, data: bytes) -> Rows:
        """A row per media, the last if there are several; one of the file's own problems."""
        folder = uri.rpartition("/")[0]
        found: dict[str, metadata.Said] = {}
        wrong = []
        for key, said in metadata.parse_manifest(data, where=f"'{uri}'"):
            if key in found:
                wrong.append(f"'{uri}' has several rows for {key!r}; the last one counts")
            if not key:
                wrong += [said.problem] if said.problem else []
                continue
            found[key] = said
        rows = [self._said(f"{folder}/{key}", "manifest", uri, said) for key, said in found.items()]
        if wrong:
            # Under the file's own name, where no media can be.
            told = "; ".join(wrong[:10]) + (f"; and {len(wrong) - 10} more" if wrong[10:] else "")
            rows.append(self._said(uri, "manifest", uri, metadata.Said({}, told)))
        return rows

    def _said(
        self, media_uri: str, source: str, file_uri: str, said: metadata.Said
    ) -> dict[str, Any]:
        return {
            "media_uri": media_uri,
            "source": source,
            "file_uri": file_uri,
            **said.values,
            "problem": said.problem,
            "read_at": self.now,
        }

    def settle_missing(self, *, accept_gone: bool) -> None:
        """Stage as gone what a HEAD finds gone: however short a listing is, it cannot do harm."""
        lost = len(self.missing_media)
        if lost > _MASS_COUNT and lost > _MASS_SHARE * self.known and not accept_gone:
            raise MassDeletion(
                f"{lost} of {self.known} {self.role} media are missing from {self.store.uri}, and "
                "nothing was recorded: check the URI setting, the endpoint and that the folder is "
                "mounted; if they were deleted on purpose, run avm_discover with accept_gone"
            )
        gone = {"gone_at": self.now}
        rows: dict[str, Rows] = {
            "media": [row | gone for row in self._gone(self.missing_media)],
            "metadata_file": [
                row | gone | {"problem": None, "read_at": self.now}
                for row in self._gone(self.missing_files)
            ],
        }
        self._stage(rows)

    def _gone(self, rows: Rows) -> Rows:
        answers = _at_once(self._is_gone, rows)
        return [row for row, is_gone in zip(rows, answers, strict=True) if is_gone]

    def _is_gone(self, row: dict[str, Any]) -> bool:
        try:
            self.store.head(row["uri"].removeprefix(f"{self.store.uri}/"))
        except ObjectMissing:
            return True
        return False  # it came back, or the listing was short: the next run sees

    def _stage(self, tables: dict[str, Rows]) -> None:
        names = [
            [(row.get("media_id") or row.get("file_uri"), row.get("etag"), table) for row in rows]
            for table, rows in sorted(tables.items())
        ]
        if not any(names):
            return
        name = digest(self.role, self.serial, names)
        unit = stage(
            self.platform,
            kind="media",
            unit_id=f"media-{name}",
            input_digest=name,
            tables=tables,
        )
        self.units.append(unit)


def _at_once(work: Callable[[T], R], items: Sequence[T] | Iterable[T]) -> list[R]:
    """Results in order; requests wait for the store, not for this machine."""
    with ThreadPoolExecutor(_CALLS_AT_ONCE) as pool:
        try:
            return list(pool.map(work, items))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
