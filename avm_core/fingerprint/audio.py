"""`audio_logmel.*`: decoded sound to an audio Fingerprint."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from avm_core.config import DecodeConfig
from avm_core.fingerprint.stages import Watch, quantised, unwatched
from avm_core.media.decode import decode_audio
from avm_core.models.audio import LogmelConfig, LogmelDct
from avm_core.models.device import resolve_device
from avm_core.types import Fingerprint, FingerprinterId, MediaInfo


class LogmelFingerprinter:
    """One pass over the sound, block by block, in bounded memory."""

    def __init__(self, identity: FingerprinterId, decode: DecodeConfig, device: str) -> None:
        del decode  # the front end fixes its own sample rate: hop and filters belong to it
        self._model = LogmelDct(LogmelConfig(), resolve_device(device))
        self._id = identity

    @property
    def id(self) -> FingerprinterId:
        return self._id

    def fingerprint(
        self, path: Path, *, content_id: str, info: MediaInfo, watch: Watch = unwatched
    ) -> Fingerprint:
        """See `Fingerprinter`. Sound shorter than one window has no descriptor."""
        config, model = self._model.config, self._model
        blocks = watch("normalise", decode_audio(path, sample_rate=config.sample_rate))
        spectra = watch("preprocess", model.preprocess(blocks))
        contexts = watch("context", model.embed(spectra))
        vectors, valid = [np.empty((0, config.dims), np.int8)], [np.empty(0, np.bool_)]
        for described, lively in watch("interval", quantised(model.pool(contexts))):
            vectors.append(described)
            valid.append(lively)
        descriptors = np.concatenate(vectors)
        return Fingerprint(
            content_id=content_id,
            fingerprinter=self._id,
            descriptors=descriptors,
            starts=np.arange(len(descriptors), dtype=np.float64) * config.step,
            window=config.window,
            valid=np.concatenate(valid),
            duration=info.duration,
        )
