"""Fingerprint: batches of media to artefacts and staged rows, one bad file at a time.

A file that cannot be read becomes a `media_error` row; only what concerns the whole batch
(credentials, a missing bucket, a store that is down) fails the task.
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from avm_core.errors import (
    AccessDenied,
    BadSettings,
    BucketMissing,
    ChecksumMismatch,
    MediaVanished,
    ObjectMissing,
    Transient,
)
from avm_core.fingerprint import codec
from avm_core.fingerprint.parallel import for_each
from avm_core.fingerprint.registry import Fingerprinter, create
from avm_core.media.probe import probe, readable_until
from avm_core.pipeline.media_rows import MediaResult
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.staging import Rows, cost, digest, pack, read_plan, stage, write_plan
from avm_core.storage import object_uri
from avm_core.types import Fingerprint, FingerprinterId, MediaInfo, Modality

# Only these fail the batch: every other file would meet them too.
_WHOLE_BATCH = (AccessDenied, BucketMissing, BadSettings, Transient)
# Batches are cut before anything is probed: what a second of an upload weighs on average.
_BYTES_PER_SECOND = 250_000
# Decoded time below this share of the declared duration means that the file is cut short.
_COMPLETE = 0.9
_TAIL = 2.0  # seconds that windows and pictures may leave at the end


def plan_fingerprints(platform: Platform) -> list[dict[str, Any]]:
    """Batches of media that lack a fingerprint by a current fingerprinter, oldest first."""
    sizes = platform.settings.pipeline
    limit = sizes.max_batches * sizes.batch_media_count
    with platform.catalog() as catalog:
        rows = catalog.query(
            "media/pending_fingerprint", limit=limit, **platform.fingerprinter_params
        )
    batches = pack(
        rows,
        weight="size_bytes",
        limit=sizes.batch_media_seconds * _BYTES_PER_SECOND,
        count=sizes.batch_media_count,
    )
    identity = platform.fingerprinter_params
    return [
        write_plan(platform, kind="fingerprint", rows=_slim(batch), identity=identity)
        | {"media_count": len(batch), "bytes": sum(row["size_bytes"] for row in batch)}
        for batch in batches[: sizes.max_batches]
    ]


def _slim(rows: Rows) -> Rows:
    return [{key: row[key] for key in ("media_id", "uri", "etag", "size_bytes")} for row in rows]


def fingerprint_batch(platform: Platform, batch: dict[str, Any]) -> dict[str, Any]:
    """Fingerprint one batch; artefacts that exist already are not made again.

    So a task killed half-way goes on where it was. Returns the staged unit.
    """
    plan = read_plan(platform, batch)
    began = time.perf_counter()
    worker = _Worker(platform)
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


class TruncatedMedia(Exception):
    """The file ends before its declared duration; what is there was fingerprinted."""


class DamagedMedia(Exception):
    """Some of the file cannot be decoded; the rest was fingerprinted."""


class _Worker:
    """Fingerprints media, several at a time, with networks that are loaded once."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._lake = platform.lake
        self._made: dict[FingerprinterId, Fingerprinter] = {}
        self._loading = threading.Lock()

    def fingerprint(self, media: dict[str, Any]) -> MediaResult:
        result = MediaResult(media["media_id"])
        with tempfile.TemporaryDirectory(prefix="avm-media-") as folder:
            path = Path(folder) / "media"
            try:
                self._download(media, path)
                info = probe(path)
            except _WHOLE_BATCH:
                raise
            except Exception as error:  # whatever a decoder throws at a foreign file
                result.fail("probe", error)
                for identity in self._platform.fingerprinters.values():
                    result.add(identity, "error")
                return result
            content_id = _sha256(path)
            result.probed(content_id, info)
            prints = [
                self._modality(identity, path, content_id, info, result)
                for identity in self._platform.fingerprinters.values()
            ]
            _check_complete(result, path, info, [p for p in prints if p is not None])
        return result

    def _download(self, media: dict[str, Any], path: Path) -> None:
        store, key = self._platform.resolve(media["uri"])
        try:
            if store.head(key).etag != media["etag"]:
                raise MediaVanished(
                    "the object was replaced after it was listed; the new version is a media of "
                    "its own"
                )
            store.download(key, path)
        except ObjectMissing as error:
            raise MediaVanished(
                "the object was deleted after it was listed; upload it again if that was a mistake"
            ) from error

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
            result.fail(f"fingerprint_{identity.modality}", error)
            result.add(identity, "error")
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
            return codec.decode(data), len(data)
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
