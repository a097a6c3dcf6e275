"""The nouns of AVM: frozen values that every package may use and none may change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

Role = Literal["licensed", "ugc"]
Modality = Literal["audio", "video"]
Direction = Literal["forward", "reverse"]

ROLES: tuple[Role, ...] = ("licensed", "ugc")
MODALITIES: tuple[Modality, ...] = ("audio", "video")

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int8 = npt.NDArray[np.int8]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


def _no_views() -> Int8:
    return np.empty(0, np.int8)


# --- object storage ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One object version as a listing or a HEAD shows it.

    `etag` is the store's opaque version tag (quotes removed); `version_id` is "" where the
    store keeps no versions; `metadata` is filled by `head` only, keys in lower case.
    """

    key: str
    size: int
    etag: str
    modified: datetime
    version_id: str = ""
    metadata: tuple[tuple[str, str], ...] = ()


class ObjectStore(Protocol):
    """A flat namespace of immutable-by-convention objects, below one base URI.

    Keys are relative, "/"-separated, any Unicode. Every method raises `AccessDenied`,
    `BucketMissing` or `StoreUnavailable` where that is the cause.
    """

    @property
    def uri(self) -> str:
        """Base URI without a trailing slash: `s3://bucket[/prefix]`, `file:///dir`, `memory://name`."""

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every object below `prefix`, in ascending key order; lazily, page by page."""

    def head(self, key: str) -> ObjectInfo:
        """Size, etag and metadata. Raises `ObjectMissing`."""

    def get(self, key: str) -> bytes:
        """The whole object. Raises `ObjectMissing`."""

    def get_range(
        self, key: str, start: int, end: int, *, version_id: str = "", etag: str = ""
    ) -> bytes:
        """Bytes [start, end) of the object, fewer where it ends before; b"" behind its end.

        With `etag`, raises `PreconditionFailed` if the store knows that the object is another
        version by now. Raises `ObjectMissing`, and `BadSettings` unless 0 <= start < end.
        """

    def download(
        self, key: str, path: Path, *, version_id: str = "", if_match: str | None = None
    ) -> None:
        """Write the object to `path`, streaming. Raises `ObjectMissing`.

        With `if_match` only the bytes of that etag; otherwise raises `PreconditionFailed`.
        """

    def put(
        self,
        key: str,
        data: bytes,
        *,
        if_match: str | None = None,
        if_absent: bool = False,
        metadata: dict[str, str] | None = None,
    ) -> str:
        """Write all or nothing and return the new etag.

        With `if_match` only over that etag, with `if_absent` only if there is no object;
        otherwise raises `PreconditionFailed`.
        """

    def upload(self, key: str, path: Path, *, metadata: dict[str, str] | None = None) -> str:
        """Write a file's bytes, streaming; return the new etag."""

    def delete(self, key: str) -> None:
        """Remove the object; silent if it is not there."""


# --- media ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AudioStream:
    codec: str
    sample_rate: int
    channels: int


@dataclass(frozen=True, slots=True)
class VideoStream:
    codec: str
    width: int
    height: int
    frame_rate: float


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a probe found. `duration` in seconds; a stream that is not there is None."""

    duration: float
    audio: AudioStream | None
    video: VideoStream | None


@dataclass(frozen=True, slots=True)
class Frames:
    """A run of decoded pictures: `pixels` uint8 [N, H, W, 3] RGB, `times` seconds [N] from the
    container's timestamps, `view` int8 [N] as in `Fingerprint` (by default all 0)."""

    pixels: npt.NDArray[np.uint8]
    times: Float64
    view: Int8 = field(default_factory=_no_views)

    def __post_init__(self) -> None:
        if not len(self.view):
            object.__setattr__(self, "view", np.zeros(len(self.times), np.int8))


# --- fingerprints -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FingerprinterId:
    """Identity of a vector space: `name` is `<modality>_<arch>.<tag>`, `config_hash` is the
    first 8 hex digits of the sha256 of everything that shapes its vectors."""

    name: str
    config_hash: str

    def __str__(self) -> str:
        return f"{self.name}-{self.config_hash}"

    @property
    def modality(self) -> Modality:
        return "audio" if self.name.startswith("audio_") else "video"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Ordered descriptors of one content by one fingerprinter.

    `descriptors` int8 [N, D]: each row is an L2-normalised vector scaled so that its largest
    magnitude is 127 (cosine ignores the scale); `starts` float64 [N] seconds, ascending;
    `window` seconds covered by each descriptor (0 for a single
    picture); `valid` bool [N], False for silence, black
    and flat windows and for what is lost; `duration` of the content in seconds; `reason` says
    why windows are missing or lost, "" where all is well.

    `view` int8 [N] (by default all 0) is 0 for the whole picture and 1, 2... for parts of it that
    are pictures of their own (`media/insets.py`): further descriptors with the start of the whole
    picture before them.
    """

    content_id: str
    fingerprinter: FingerprinterId
    descriptors: Int8
    starts: Float64
    window: float
    valid: Bool
    duration: float
    reason: str = ""
    view: Int8 = field(default_factory=_no_views)

    def __post_init__(self) -> None:
        n = len(self.starts)
        if not len(self.view):
            object.__setattr__(self, "view", np.zeros(n, np.int8))
        lengths = {len(self.descriptors), len(self.valid), len(self.view)}
        if self.descriptors.ndim != 2 or lengths != {n}:
            raise ValueError(
                f"fingerprint arrays disagree: descriptors {self.descriptors.shape}, "
                f"starts {self.starts.shape}, valid {self.valid.shape}, view {self.view.shape}"
            )

    @property
    def modality(self) -> Modality:
        return self.fingerprinter.modality

    @property
    def step(self) -> float:
        """Seconds from one window to the next, as a rule; 1 where there are no two."""
        times = np.unique(self.starts)  # a view has the time of its picture
        return float(np.median(np.diff(times))) if len(times) > 1 else 1.0

    def whole(self) -> Fingerprint:
        """Without the views of parts. A title is what its whole pictures show: only in an upload
        may the film be a part of the picture."""
        kept = self.view == 0
        return self if kept.all() else self.select(kept)

    def select(self, kept: Bool) -> Fingerprint:
        """The windows that are `kept` [N]."""
        return replace(
            self,
            descriptors=self.descriptors[kept],
            starts=self.starts[kept],
            valid=self.valid[kept],
            view=self.view[kept],
        )

    def unit_vectors(self) -> Float32:
        """Descriptors as float32 [N, D] with unit L2 norm; a zero row stays zero."""
        vectors = self.descriptors.astype(np.float32)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.maximum(norms, 1e-12)


# --- search and match -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hits:
    """Window-level neighbours of one query fingerprint, columnar, all of length K.

    `query` int64 window ordinal, `ref` int64 ordinal into `ref_ids`, `ref_start` seconds,
    `score` cosine in [-1, 1]. Sorted by (query, -score, ref, ref_start).
    """

    ref_ids: tuple[str, ...]
    query: Int64
    ref: Int64
    ref_start: Float64
    score: Float32


@dataclass(frozen=True, slots=True)
class Candidate:
    """A (UGC, licensed) pair that is worth aligning; `score` is its accumulated evidence."""

    query_id: str
    ref_id: str
    score: float


@dataclass(frozen=True, slots=True)
class Match:
    """A copied segment: seconds, half-open, on both sides.

    `speed` is licensed seconds per UGC second (1.05: the upload plays 5 % faster);
    `score` in [0, 1]; `modality` says which evidence carries it; the per-modality scores
    are 0 where that modality does not support the segment.
    """

    ugc_id: str
    licensed_id: str
    ugc_start: float
    ugc_end: float
    licensed_start: float
    licensed_end: float
    speed: float
    score: float
    modality: Literal["audio", "video", "both"]
    audio_score: float = 0.0
    video_score: float = 0.0
