"""What a similarity means, for each kind of descriptor: every vector space has its own scale.

Those of trained weights are what `avm bench calibrate` says, measured on the train split. A new
fingerprinter works with the values of its modality and is better with its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from avm_core.config import MatchConfig
from avm_core.types import FingerprinterId, Modality

# Similarity, as a share of the level inside, of a window whose middle lies this many half windows
# from a cut: all of it foreign at -1, none at 1. A network may hear beyond its window.
CLIMB_AT = tuple(quarter / 4 for quarter in range(-6, 7))
_LINEAR = tuple(min(max((at + 1) / 2, 0.0), 1.0) for at in CLIMB_AT)


@dataclass(frozen=True, slots=True)
class Calibration:
    """`hit`: cosine from which a neighbour in the index is worth a look; `floor`: cosine that
    unrelated windows rarely reach; `margin`: how far a similarity must stand out from the median
    of its own window; `sure`: cosine that only copies reach, however alike the whole title is;
    `climb` at `CLIMB_AT`."""

    hit: float
    floor: float
    margin: float
    climb: tuple[float, ...] = _LINEAR
    sure: float = 1.0


_BY_NAME: dict[str, Calibration] = {
    # The jump at the end is the last foreign sound leaving the window.
    "audio_logmel.dct": Calibration(
        0.50, 0.50, 0.20, (0, 0, 0.03, 0.12, 0.19, 0.26, 0.37, 0.50, 0.61, 0.72, 1, 1, 1)
    ),
    "audio_conv.v2": Calibration(
        *(0.46, 0.50, 0.20),
        (0.00, 0.00, 0.00, 0.05, 0.15, 0.26, 0.40, 0.50, 0.58, 0.66, 0.87, 0.95, 1.00),
    ),
    # What as few strangers of the held-out stills reach as reach the values of "video" by ImageNet.
    "video_gem.v1": Calibration(0.42, 0.40, 0.09, sure=0.50),
    # What as few strangers reach as reach those of video_gem.v1, on a third of dev's film pictures.
    "video_sscd.onnx": Calibration(0.20, 0.19, 0.06, sure=0.29),
}
_BY_MODALITY: dict[Modality, Calibration] = {
    "audio": Calibration(0.50, 0.50, 0.20),
    "video": Calibration(0.60, 0.58, 0.12, sure=0.75),
}


def calibration(identity: FingerprinterId) -> Calibration:
    """That of the fingerprinter, or of its modality."""
    return _BY_NAME.get(identity.name, _BY_MODALITY[identity.modality])


def least_hit(identity: FingerprinterId, config: MatchConfig) -> float:
    """Cosine of a search hit: what the settings say, else what suits the fingerprinter."""
    named = {"audio": config.min_similarity_audio, "video": config.min_similarity_video}
    given = named[identity.modality]
    return calibration(identity).hit if given is None else given
