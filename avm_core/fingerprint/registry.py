"""Fingerprinters by name: identity without loading a network, and the fingerprinter itself.

The identity covers everything that shapes the vectors, so that vectors made under different
settings can never meet in one index.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from avm_core.config import DecodeConfig, Settings
from avm_core.errors import BadSettings
from avm_core.fingerprint.stages import Watch, unwatched
from avm_core.types import Fingerprint, FingerprinterId, MediaInfo


class Fingerprinter(Protocol):
    """Turns one media file into one Fingerprint of one modality."""

    @property
    def id(self) -> FingerprinterId: ...

    def fingerprint(
        self, path: Path, *, content_id: str, info: MediaInfo, watch: Watch = unwatched
    ) -> Fingerprint:
        """Descriptors of the file, in order of time; `watch` sees the stages at work.

        Raises `BadMedia` if there is no stream of this modality or it cannot be decoded.
        """


@dataclass(frozen=True, slots=True)
class _Entry:
    version: int  # raise it when the code changes the vectors
    decode_fields: tuple[str, ...]
    build: Callable[[FingerprinterId, DecodeConfig, str, float | None], Fingerprinter]
    weights: str = ""  # sha256 of the file of weights
    any_window: bool = False


def _audio_logmel(
    identity: FingerprinterId, decode: DecodeConfig, device: str, window: float | None
) -> Fingerprinter:
    from avm_core.fingerprint.audio import SoundFingerprinter
    from avm_core.models.audio import LogmelConfig, LogmelDct
    from avm_core.models.device import resolve_device

    # The front end fixes its own sample rate: hop and filters belong to it.
    return SoundFingerprinter(identity, LogmelDct(LogmelConfig(), resolve_device(device)))


def _audio_trained(
    identity: FingerprinterId, decode: DecodeConfig, device: str, window: float | None
) -> Fingerprinter:
    from avm_core.fingerprint.audio import SoundFingerprinter
    from avm_core.models.audio_networks import load_network, stream_of
    from avm_core.models.checkpoint import trained
    from avm_core.models.device import resolve_device

    network = load_network(trained(identity.name), _ENTRIES[identity.name].weights)
    return SoundFingerprinter(identity, stream_of(network, resolve_device(device), window))


def _video_lite0(
    identity: FingerprinterId, decode: DecodeConfig, device: str, window: float | None
) -> Fingerprinter:
    from avm_core.fingerprint.video import PictureFingerprinter
    from avm_core.models.device import resolve_device
    from avm_core.models.video import GemConfig, GemDescriber

    found = resolve_device(device)
    model = GemDescriber(GemConfig(size=decode.frame_size), device=found)
    return PictureFingerprinter(identity, decode, model, found)


def _video_gem(
    identity: FingerprinterId, decode: DecodeConfig, device: str, window: float | None
) -> Fingerprinter:
    from avm_core.fingerprint.video import PictureFingerprinter
    from avm_core.models.checkpoint import trained
    from avm_core.models.device import resolve_device
    from avm_core.models.projection import load_describer

    found = resolve_device(device)
    model = load_describer(trained(identity.name), _ENTRIES[identity.name].weights, found)
    return PictureFingerprinter(identity, decode, model, found)


def _video_timm(
    identity: FingerprinterId, decode: DecodeConfig, device: str, window: float | None
) -> Fingerprinter:
    from avm_core.fingerprint.video import PictureFingerprinter
    from avm_core.models.device import resolve_device
    from avm_core.models.foreign import timm_describer

    found = resolve_device(device)
    model = timm_describer(identity.name.removeprefix(_TIMM), found)
    return PictureFingerprinter(identity, decode, model, found)


def _video_sscd(
    identity: FingerprinterId, decode: DecodeConfig, device: str, window: float | None
) -> Fingerprinter:
    from avm_core.fingerprint.video import PictureFingerprinter
    from avm_core.models.device import resolve_device
    from avm_core.models.foreign import torchscript_describer

    found = resolve_device(device)
    model = torchscript_describer(Path(Settings().torchscript), found)
    return PictureFingerprinter(identity, decode, model, found)


# Networks that are not ours: no entries, as their weights may not be there.
_TIMM, _SSCD = "video_timm.", "video_sscd.torchscript"
# What shapes pictures for a model that has a size of its own.
SAMPLING_FIELDS = ("frame_step", "max_keyframe_gap", "max_border", "max_views", "max_hold")
_PICTURE_FIELDS = (*SAMPLING_FIELDS, "frame_size")
_ENTRIES: dict[str, _Entry] = {
    "audio_logmel.dct": _Entry(1, (), _audio_logmel),
    "audio_conv.v2": _Entry(
        1,
        (),
        _audio_trained,
        weights="238d2bd2c6784a3891d82c8e55a6980d0f8b8dc926eae63fed329547b7c17bb1",
        any_window=True,
    ),
    "video_gem.v1": _Entry(
        2,
        SAMPLING_FIELDS,
        _video_gem,
        weights="d8644abe755f62d49a896848660ac8f766b976ffb7666b5fee47a7cd5434a0df",
    ),
    "video_lite0.imagenet": _Entry(3, _PICTURE_FIELDS, _video_lite0),
}


def names() -> tuple[str, ...]:
    """Every registered fingerprinter, sorted."""
    return tuple(sorted(_ENTRIES))


def identify(name: str, decode: DecodeConfig, window: float | None = None) -> FingerprinterId:
    """The identity of `name` under these settings; imports no network.

    `window` in seconds, where it is not the fingerprinter's own. Raises `BadSettings` for an
    unknown name, or one whose windows have a fixed length.
    """
    entry = _entry(name)
    if window is not None and not entry.any_window:
        raise BadSettings(f"{name} has windows of one length: do not give another")
    values = {field: getattr(decode, field) for field in entry.decode_fields}
    described: dict[str, Any] = {"version": entry.version, "decode": values}
    described |= {"weights": entry.weights} if entry.weights else {}
    described |= {"window": window} if window is not None else {}
    return FingerprinterId(name, identity_hash(described))


def create(
    name: str, decode: DecodeConfig, *, device: str = "auto", window: float | None = None
) -> Fingerprinter:
    """The fingerprinter, its network loaded onto `device` (auto, cpu, cuda or cuda:N).

    Raises `BadSettings` as `identify` does.
    """
    return _entry(name).build(identify(name, decode, window), decode, device, window)


def create_from_weights(
    path: Path, *, device: str = "auto", window: float | None = None
) -> Fingerprinter:
    """The audio fingerprinter of weights that are in a file and have no name here yet: to measure
    them before they are shipped.

    Raises `BadSettings` as `identify` does, `BadSettings` or `ChecksumMismatch` if the file is
    not one of ours.
    """
    from avm_core.fingerprint.audio import SoundFingerprinter
    from avm_core.models.audio_networks import load_network, stream_of
    from avm_core.models.device import resolve_device

    network = load_network(path)
    described = {"weights": hashlib.sha256(path.read_bytes()).hexdigest(), "window": window}
    identity = FingerprinterId(f"{network.config.name}.{path.stem}", identity_hash(described))
    return SoundFingerprinter(identity, stream_of(network, resolve_device(device), window))


def identity_hash(described: dict[str, Any]) -> str:
    """First 8 hex digits of the sha256 of everything that shapes a fingerprinter's vectors."""
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:8]


def _entry(name: str) -> _Entry:
    if name in _ENTRIES:
        return _ENTRIES[name]
    if name.startswith(_TIMM):
        return _Entry(1, SAMPLING_FIELDS, _video_timm)
    if name == _SSCD:
        return _Entry(1, SAMPLING_FIELDS, _video_sscd, weights=_sha256(Settings().torchscript))
    raise BadSettings(
        f"unknown fingerprinter {name!r}: choose one of {', '.join(names())}, {_TIMM}BACKBONE "
        f"with a name of timm's, or {_SSCD}"
    )


def _sha256(path: str) -> str:
    if not path or not Path(path).is_file():
        raise BadSettings(f"{_SSCD} needs its network: set AVM_TORCHSCRIPT to the file ({path!r})")
    return _sha256_of(path, Path(path).stat().st_mtime_ns)


@cache
def _sha256_of(path: str, changed: int) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
