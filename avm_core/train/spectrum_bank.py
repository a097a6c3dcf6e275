"""Sound to train on: decoded and analysed once, read at random places afterwards.

A training step needs power spectra, not samples: speed, pitch, filters, mixtures and rooms are
cheap on them. So the spectra are what is kept, twice as dense as the encoder reads them, that two
views of one moment need not share their frames. An eighth of the pieces also has the spectra of
what a real codec left of them.
"""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from avm_core.errors import BadMedia, BadSettings
from avm_core.media.decode import decode_audio
from avm_core.media.write import AudioFormat, write_media
from avm_core.models.audio_networks import NetworkConfig
from avm_core.models.spectra import power_spectra
from avm_core.train.making import Progress, make_missing, write_array
from avm_core.types import Float32, Int64

Kind = Literal["music", "speech"]

DENSITY = 2  # spectra per hop of the encoder
_VERSION = 1  # raise it when a piece's spectra would differ
_CODEC_RATE = 16_000
_CODECS = (("libmp3lame", ".mp3"), ("aac", ".m4a"), ("libopus", ".mkv"))
_BITRATES = (16_000, 24_000, 32_000)
_CODED_EVERY = 8  # one piece in so many: encoding takes most of the time
# Of each piece; longer media would crowd out the others.
_MAX_SECONDS = 150.0
_BLOCK = 4_096  # spectra computed at once


@dataclass(frozen=True, slots=True)
class Piece:
    """Files that are heard one after the other: one track of music, or many spoken lines.
    `key` is a hash of their content; `held` pieces validate and are never trained on."""

    name: str
    kind: Kind
    files: tuple[Path, ...]
    key: str
    package: str = ""
    held: bool = False


@dataclass(frozen=True, slots=True)
class SpectrumBank:
    """All pieces; `spectra[i]` is float16 [1 or 2, T, bins]: magnitudes of the piece as decoded
    and, for some, as a codec left it; `rate` spectra per second."""

    rate: float
    pieces: tuple[Piece, ...]
    spectra: tuple[npt.NDArray[np.float16], ...]

    def choose(self, kind: Kind | None, *, held: bool) -> list[int]:
        """Indices of pieces of a kind (None: any)."""
        return [
            number
            for number, piece in enumerate(self.pieces)
            if piece.held == held and (kind is None or piece.kind == kind)
        ]

    def seconds(self, number: int) -> float:
        """Length of a piece."""
        return self.spectra[number].shape[1] / self.rate

    def read(self, number: int, places: Int64, *, coded: bool = False) -> npt.NDArray[np.float16]:
        """Magnitudes float16 [T, bins] of the spectra at `places` [T]; outside of the piece there
        is silence. `coded` where a codec's version is kept."""
        whole = self.spectra[number][-1 if coded else 0]
        inside = (places >= 0) & (places < len(whole))
        low = int(np.clip(places.min(), 0, len(whole)))
        high = int(np.clip(places.max() + 1, low, len(whole)))
        # One contiguous read: rows picked one by one from a mapped file are slow.
        part = np.asarray(whole[low:high])
        found = np.zeros((len(places), whole.shape[1]), np.float16)
        found[inside] = part[places[inside] - low]
        return found


def open_bank(
    pieces: Sequence[Piece], folder: Path, config: NetworkConfig, tell: Progress
) -> tuple[SpectrumBank, list[str]]:
    """The bank of `pieces`, made in `folder` where it is not there yet, and the names of pieces
    that cannot be read. Raises `BadSettings` if nothing is left."""
    folder.mkdir(parents=True, exist_ok=True)
    shape = f"{config.sample_rate}-{config.n_fft}-{config.hop}-{_VERSION}"
    paths = [folder / f"{piece.key}-{shape}.npy" for piece in pieces]
    make = partial(_analyse, config)
    kept, missing = make_missing(pieces, paths, make, partial(tell, "analyse"))
    if not kept:
        raise BadSettings("no piece of the training data can be read: check the sources")
    arrays = tuple(np.load(path, mmap_mode="r") for _, path in kept)
    rate = DENSITY * config.sample_rate / config.hop
    return SpectrumBank(rate, tuple(piece for piece, _ in kept), arrays), [p.name for p in missing]


def piece_key(contents: Sequence[str]) -> str:
    """Key of a piece from the sha256 of each of its files."""
    return hashlib.sha256(" ".join(contents).encode()).hexdigest()[:32]


def _analyse(config: NetworkConfig, job: tuple[Piece, Path]) -> None:
    piece, path = job
    torch.set_num_threads(1)
    try:
        versions = [_joined(piece.files, config.sample_rate)]
        if int(piece.key, 16) % _CODED_EVERY == 0:
            versions.append(_through_codec(piece, path, config.sample_rate))
    except BadMedia:
        return  # reported by its absence
    length = min(len(samples) for samples in versions)
    spectra = np.stack([magnitudes(samples[:length], config) for samples in versions])
    write_array(path, spectra)


@torch.inference_mode()
def magnitudes(samples: Float32, config: NetworkConfig) -> npt.NDArray[np.float16]:
    """Float16 [T, bins] of mono samples, `DENSITY` a hop; the first is centred on second 0."""
    analysis = torch.hann_window(config.n_fft)
    padded = np.pad(samples, (config.n_fft // 2, config.n_fft // 2))
    frames = torch.from_numpy(padded).unfold(0, config.n_fft, config.hop // DENSITY)
    blocks = (frames[first : first + _BLOCK] for first in range(0, len(frames), _BLOCK))
    parts = [power_spectra(block, analysis).sqrt().half() for block in blocks]
    return torch.cat(parts).numpy()


def _through_codec(piece: Piece, path: Path, sample_rate: int) -> Float32:
    rng = random.Random(piece.key)
    codec, suffix = rng.choice(_CODECS)
    form = AudioFormat(codec, _CODEC_RATE, rng.choice(_BITRATES))
    made = path.with_suffix(f".{os.getpid()}{suffix}")
    try:
        write_media(made, audio=_joined(piece.files, _CODEC_RATE), audio_format=form)
        return _joined((made,), sample_rate)
    finally:
        made.unlink(missing_ok=True)


def _joined(files: Sequence[Path], sample_rate: int) -> Float32:
    blocks: list[Float32] = []
    left = int(_MAX_SECONDS * sample_rate)
    for path in files:
        for block in decode_audio(path, sample_rate=sample_rate):
            blocks.append(block[:left])
            left -= len(blocks[-1])
            if left <= 0:
                return np.concatenate(blocks)
    return np.concatenate(blocks)
