"""The rows that one media leaves in the catalog on its way through fingerprinting."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from avm_core.pipeline.staging import Rows
from avm_core.types import Fingerprint, FingerprinterId, MediaInfo


@dataclass(slots=True)
class MediaResult:
    """Rows of one media, as tables `media_content`, `media_fingerprint` and `media_error`."""

    media_id: str
    attempts: int = 0  # that failed before this one
    content: Rows = field(default_factory=list)
    fingerprints: Rows = field(default_factory=list)
    errors: Rows = field(default_factory=list)

    def probed(self, content_id: str, info: MediaInfo) -> None:
        """What the file holds."""
        self.content.append(
            {
                "media_id": self.media_id,
                "content_id": content_id,
                "duration": info.duration,
                "audio_codec": info.audio.codec if info.audio else None,
                "video_codec": info.video.codec if info.video else None,
                "width": info.video.width if info.video else None,
                "height": info.video.height if info.video else None,
                "probed_at": datetime.now(UTC),
            }
        )

    def fail(
        self,
        stage_name: str,
        error: Exception,
        *,
        terminal: bool = True,
        next_attempt_at: datetime | None = None,
    ) -> None:
        """What went wrong in a stage; one row per stage. Not tried again without a time."""
        self.errors.append(
            {
                "media_id": self.media_id,
                "stage": stage_name,
                "error_class": type(error).__name__,
                "message": str(error) or repr(error),
                "terminal": terminal,
                "occurred_at": datetime.now(UTC),
                "attempts": self.attempts + 1,
                "next_attempt_at": next_attempt_at,
            }
        )

    def add(
        self,
        identity: FingerprinterId,
        status: str,
        *,
        fingerprint: Fingerprint | None = None,
        uri: str | None = None,
        size: int = 0,
    ) -> None:
        """How one fingerprinter fared: `ok`, `absent`, `empty` or `error`."""
        self.fingerprints.append(
            {
                "media_id": self.media_id,
                "modality": identity.modality,
                "fingerprinter": str(identity),
                "status": status,
                "content_id": fingerprint.content_id if fingerprint else None,
                "artefact_uri": uri,
                "windows": len(fingerprint.starts) if fingerprint else 0,
                "valid_windows": int(fingerprint.valid.sum()) if fingerprint else 0,
                "dims": fingerprint.descriptors.shape[1] if fingerprint else 0,
                "bytes": size,
                "fingerprinted_at": datetime.now(UTC),
            }
        )
