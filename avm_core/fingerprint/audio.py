"""`audio_*`: decoded sound to an audio Fingerprint, whatever the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from avm_core.fingerprint.parallel import in_turn
from avm_core.fingerprint.stages import Watch, quantised, unwatched
from avm_core.media.damage import Damage
from avm_core.media.decode import decode_audio
from avm_core.types import Bool, Fingerprint, FingerprinterId, Float32, MediaInfo

# A window of which more is lost says nothing about its moment.
_MOSTLY = 0.5


class SoundConfig(Protocol):
    """What the fingerprinter must know of a model: Hz, seconds, and the size of a descriptor."""

    @property
    def sample_rate(self) -> int: ...

    @property
    def dims(self) -> int: ...

    @property
    def window(self) -> float: ...

    @property
    def step(self) -> float: ...


class SoundModel(Protocol):
    """Stages 2 to 4 over consecutive blocks of mono samples; what passes between them is its own
    affair."""

    @property
    def config(self) -> SoundConfig: ...

    def preprocess(self, blocks: Iterable[Float32]) -> Iterator[Any]: ...

    def embed(self, spectra: Iterable[Any]) -> Iterator[Any]: ...

    def pool(self, contexts: Iterable[Any]) -> Iterator[tuple[Float32, Bool]]: ...


class SoundFingerprinter:
    """One pass over the sound, block by block, in bounded memory."""

    def __init__(self, identity: FingerprinterId, model: SoundModel) -> None:
        self._model = model
        self._id = identity

    @property
    def id(self) -> FingerprinterId:
        return self._id

    def fingerprint(
        self, path: Path, *, content_id: str, info: MediaInfo, watch: Watch = unwatched
    ) -> Fingerprint:
        """See `Fingerprinter`. Sound shorter than one window has no descriptor; a window that is
        mostly lost is not valid."""
        config, model, damage = self._model.config, self._model, Damage()
        sound = in_turn(decode_audio(path, sample_rate=config.sample_rate, damage=damage))
        spectra = watch("preprocess", model.preprocess(watch("normalise", sound)))
        contexts = watch("context", model.embed(spectra))
        vectors, valid = [np.empty((0, config.dims), np.int8)], [np.empty(0, np.bool_)]
        for described, lively in watch("interval", quantised(model.pool(contexts))):
            vectors.append(described)
            valid.append(lively)
        descriptors = np.concatenate(vectors)
        starts = np.arange(len(descriptors), dtype=np.float64) * config.step
        short = f"the sound is shorter than one window of {config.window:g} s"
        return Fingerprint(
            content_id=content_id,
            fingerprinter=self._id,
            descriptors=descriptors,
            starts=starts,
            window=config.window,
            valid=np.concatenate(valid) & (damage.share(starts, config.window) <= _MOSTLY),
            duration=info.duration,
            reason=damage.reason() or ("" if len(starts) else short),
        )
