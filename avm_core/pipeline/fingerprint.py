"""Fingerprint: batches of media to artefacts and staged rows, one bad file at a time.

A file that cannot be read becomes a `media_error` row, with the time of the next attempt where
one may help; only what concerns the whole batch (credentials, a missing bucket, a store that is
down) fails the task.
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from avm_core.errors import (
    AccessDenied,
    BadSettings,
    BucketMissing,
    ChecksumMismatch,
    MediaChanged,
    MediaVanished,
    ObjectMissing,
    PreconditionFailed,
    StoreUnavailable,
    Transient,
)
from avm_core.fingerprint import codec
from avm_core.fingerprint.parallel import for_each
from avm_core.fingerprint.registry import Fingerprinter, create
from avm_core.media.probe import probe, readable_until
from avm_core.pipeline.again import may_pass, next_attempt
from avm_core.pipeline.media_rows import MediaResult
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.staging import cost, digest, read_plan, stage
from avm_core.storage import object_uri
from avm_core.types import Fingerprint, FingerprinterId, MediaInfo, Modality, ObjectStore

# Only these fail the batch: every other file would meet them too.
_WHOLE_BATCH = (AccessDenied, BucketMissing, BadSettings, Transient)
# So many files in a row that cannot be had, or a whole batch, and the store itself is asked.
_IN_A_ROW = 5
# Decoded time below this share of the declared duration means that the file is cut short.
_COMPLETE = 0.9
_TAIL = 2.0  # seconds that windows and pictures may leave at the end


def fingerprint_batch(platform: Platform, batch: dict[str, Any]) -> dict[str, Any]:
    """Fingerprint one batch; artefacts that exist already are not made again.

    So a task killed half-way goes on where it was. Returns the staged unit.
    """
    plan = read_plan(platform, batch)
    began = time.perf_counter()
    worker = _Worker(platform, len(plan["rows"]))
    workers = platform.settings.pipeline.fingerprint_workers
    results = for_each(worker.fingerprint, plan["rows"], workers)
    unit_id = f"fingerprint-{plan['batch_id']}"
    seconds = sum(row["duration"] for result in results for row in result.content)
    return stage(
        platform,
        kind="fingerprint",
        unit_id=unit_id,
        input_digest=digest(plan["rows"], platform.fingerprinter_params),
        tables={
            "media_content": [row for result in results for row in result.content],
            "media_fingerprint": [row for result in results for row in result.fingerprints],
            "media_error": [row for result in results for row in result.errors],
            "unit_cost": [
                cost(
                    unit_id,
                    stage="fingerprint",
                    media=len(results),
                    media_seconds=seconds,
                    since=began,
                )
            ],
        },
    )


class StoreDown(StoreUnavailable):
    """No file can be had: not a matter of one of them."""


class TruncatedMedia(Exception):
    """The file ends before its declared duration; what is there was fingerprinted."""


class DamagedMedia(Exception):
    """Some of the file cannot be decoded; the rest was fingerprinted."""


class _Worker:
    """Fingerprints media, several at a time, with networks that are loaded once."""

    def __init__(self, platform: Platform, files: int) -> None:
        self._platform = platform
        self._lake = platform.lake
        self._made: dict[FingerprinterId, Fingerprinter] = {}
        self._loading = threading.Lock()
        self._unavailable = 0  # files in a row
        self._too_many = min(_IN_A_ROW, files)

    def fingerprint(self, media: dict[str, Any]) -> MediaResult:
        result = MediaResult(media["media_id"], media["attempts"])
        with tempfile.TemporaryDirectory(prefix="avm-media-") as folder:
            path = Path(folder) / "media"
            try:
                self._fetch(media, path)
                info = probe(path)
            except (AccessDenied, BucketMissing, BadSettings, StoreDown):
                raise
            except Exception as error:  # whatever a decoder throws at a foreign file
                self._failed(result, "probe", error, *self._platform.fingerprinters.values())
                return result
            content_id = _sha256(path)
            result.probed(content_id, info)
            prints = [
                self._modality(identity, path, content_id, info, result)
                for identity in self._platform.fingerprinters.values()
            ]
            _check_complete(result, path, info, [p for p in prints if p is not None])
        return result

    def _failed(
        self, result: MediaResult, stage_name: str, error: Exception, *of: FingerprinterId
    ) -> None:
        """Record a failure; what is to be tried again stays without its fingerprints."""
        again = next_attempt(
            self._platform.settings.pipeline,
            error,
            attempts=result.attempts + 1,
            now=datetime.now(UTC),
        )
        result.fail(stage_name, error, terminal=not may_pass(error), next_attempt_at=again)
        if again is None:
            for identity in of:
                result.add(identity, "error")

    def _fetch(self, media: dict[str, Any], path: Path) -> None:
        """Download; raises `Transient` for this file alone, or for good if the store is down."""
        store, key = self._platform.resolve(media["uri"])
        try:
            _download(store, key, media["etag"], path)
        except Transient:
            self._unavailable += 1
            if self._unavailable >= self._too_many:
                try:
                    next(iter(store.list(key)), None)
                except Transient as error:
                    raise StoreDown(str(error)) from error
                self._unavailable = 0
            raise
        self._unavailable = 0

    def _modality(
        self,
        identity: FingerprinterId,
        path: Path,
        content_id: str,
        info: MediaInfo,
        result: MediaResult,
    ) -> Fingerprint | None:
        """Add the row of one modality; return its fingerprint, if it has one."""
        if _stream(info, identity.modality) is None:
            result.add(identity, "absent")
            return None
        key = codec.artefact_key(content_id, identity)
        try:
            fingerprint, size = self._artefact(identity, key, path, content_id, info)
        except _WHOLE_BATCH:
            raise
        except Exception as error:  # whatever a decoder throws at a foreign file
            self._failed(result, f"fingerprint_{identity.modality}", error, identity)
            return None
        status = "ok" if fingerprint.valid.any() else "empty"
        result.add(
            identity, status, fingerprint=fingerprint, uri=object_uri(self._lake, key), size=size
        )
        return fingerprint

    def _artefact(
        self,
        identity: FingerprinterId,
        key: str,
        path: Path,
        content_id: str,
        info: MediaInfo,
    ) -> tuple[Fingerprint, int]:
        try:
            data = self._lake.get(key)
            found = codec.decode(data)
            # Written again: maintenance spares what is young when it deletes what a removed media
            # of the same content has left.
            self._lake.put(key, data)
            return found, len(data)
        except (ObjectMissing, ChecksumMismatch):
            pass  # not there yet, or damaged: make it
        fingerprint = self._maker(identity).fingerprint(path, content_id=content_id, info=info)
        data = codec.encode(fingerprint)
        self._lake.put(key, data)
        return fingerprint, len(data)

    def _maker(self, identity: FingerprinterId) -> Fingerprinter:
        with self._loading:
            if identity not in self._made:
                made = create(
                    identity.name,
                    self._platform.settings.decode,
                    device=self._platform.settings.device,
                )
                self._made[identity] = made
            return self._made[identity]


def _download(store: ObjectStore, key: str, etag: str, path: Path) -> None:
    """The version that was listed, or `MediaChanged`, `MediaVanished`."""
    try:
        try:
            store.download(key, path, if_match=etag)
        except Transient:
            # A store may break off the download of an object that is replaced meanwhile.
            if store.head(key).etag == etag:
                raise
            raise PreconditionFailed(key) from None
    except PreconditionFailed as error:
        raise MediaChanged(
            "the object was replaced after it was listed; the new version is a media of its own"
        ) from error
    except ObjectMissing as error:
        raise MediaVanished(
            "the object was deleted after it was listed; upload it again if that was a mistake"
        ) from error


def _stream(info: MediaInfo, modality: Modality) -> object | None:
    return info.audio if modality == "audio" else info.video


def _check_complete(
    result: MediaResult, path: Path, info: MediaInfo, prints: list[Fingerprint]
) -> None:
    """Record a file that breaks off early, or else what of it is lost; what is there was
    fingerprinted all the same."""
    failed = any(row["status"] == "error" for row in result.fingerprints)
    if not failed and (end := _breaks_off(path, info, prints)) is not None:
        error: Exception = TruncatedMedia(
            f"the file says {info.duration:.1f} s but breaks off after {end:.1f} s: that part is "
            "fingerprinted; upload it again for the rest"
        )
        return result.fail("decode", error, terminal=False)
    # Short media are no failure: `empty` says enough.
    reasons = [p.reason for p in prints if p.reason and info.duration > p.window]
    if reasons:
        error = DamagedMedia(f"{'; '.join(reasons)}: the rest is fingerprinted")
        result.fail("decode", error, terminal=False)


def _breaks_off(path: Path, info: MediaInfo, prints: list[Fingerprint]) -> float | None:
    """The second at which a file ends that should go on."""
    reached = max((float(p.starts[-1]) + p.window for p in prints if len(p.starts)), default=0.0)
    whole = _COMPLETE * info.duration
    # Descriptors may end early for good reasons (a long last scene without a key frame), so
    # the file itself is asked, but only then: that reads all of it.
    if reached + _TAIL >= whole or (end := readable_until(path)) >= whole:
        return None
    return end


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
