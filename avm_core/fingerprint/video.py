"""`video_*`: sampled pictures to a video Fingerprint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from avm_core.config import DecodeConfig
from avm_core.fingerprint.stages import Watch, quantised, unwatched
from avm_core.media.decode import sample_pictures
from avm_core.types import (
    Bool,
    Fingerprint,
    FingerprinterId,
    Float32,
    Float64,
    Frames,
    Int8,
    MediaInfo,
)


class PictureConfig(Protocol):
    """What the fingerprinter must know of a model: pixels of a side, size of a descriptor."""

    @property
    def size(self) -> int: ...

    @property
    def dims(self) -> int: ...


class PictureModel(Protocol):
    """Stages 2 to 4 over batches of pictures; what passes between them is its own affair."""

    @property
    def config(self) -> PictureConfig: ...

    def preprocess(self, batches: Iterable[Frames]) -> Iterator[Any]: ...

    def embed(self, pictures: Iterable[Any]) -> Iterator[Any]: ...

    def pool(self, contexts: Iterable[Any]) -> Iterator[tuple[Float32, Bool]]: ...


class PictureFingerprinter:
    """One descriptor per sampled picture that shows something new, and one for each view of it.

    A picture stands until the next one: a hole in `starts` that is wider than the sampling means
    that the picture before it goes on.
    """

    def __init__(
        self, identity: FingerprinterId, decode: DecodeConfig, model: PictureModel, device: str
    ) -> None:
        """`model` runs on `device`, as resolved, and decides the size of pictures."""
        self._model = model
        self._decode = decode
        self._decoder = device if decode.hardware == "auto" else "cpu"
        self._id = identity

    @property
    def id(self) -> FingerprinterId:
        return self._id

    def fingerprint(
        self, path: Path, *, content_id: str, info: MediaInfo, watch: Watch = unwatched
    ) -> Fingerprint:
        """See `Fingerprinter`."""
        times, views = [np.empty(0)], [np.empty(0, np.int8)]
        model = self._model
        batches = watch("normalise", self._pictures(path, times, views))
        pictures = watch("preprocess", model.preprocess(batches))
        contexts = watch("context", model.embed(pictures))
        vectors, valid = [np.empty((0, model.config.dims), np.int8)], [np.empty(0, np.bool_)]
        for described, textured in watch("interval", quantised(model.pool(contexts))):
            vectors.append(described)
            valid.append(textured)
        return Fingerprint(
            content_id=content_id,
            fingerprinter=self._id,
            descriptors=np.concatenate(vectors),
            starts=np.concatenate(times),
            window=0.0,  # a picture is a point in time
            valid=np.concatenate(valid),
            duration=info.duration,
            view=np.concatenate(views),
        )

    def _pictures(self, path: Path, times: list[Float64], views: list[Int8]) -> Iterator[Frames]:
        size = self._model.config.size
        for frames in sample_pictures(path, self._decode, size=size, device=self._decoder):
            times.append(frames.times)
            views.append(frames.view)
            yield frames
