"""One decoded frame as an upright square RGB picture, whatever way the file stores it.

The square makes the pixel aspect ratio irrelevant: 720 x 576 pixels that a player shows as 4:3
or as 16:9 give the same picture as square pixels would.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorTrc, VideoReformatter

from avm_core.types import Float32

Pixels = npt.NDArray[np.uint8]

# ITU-R BT.2408: white of a page in an HDR picture, and the peak that HLG is graded for, in nits.
_WHITE, _HLG_PEAK = 203.0, 1000.0
# Of white: up to here light is kept as it is, the rest of the HDR range is squeezed above it.
_KNEE = 0.7
_BT2020_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    dtype=np.float32,
)


class Scaler:
    """Scales the frames of one file. Swscale's tables are kept from frame to frame: making them
    takes three times as long as scaling a 720p frame."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int, str], VideoReformatter] = {}

    def square(self, frame: VideoFrame, size: int) -> Pixels:
        """Upright RGB uint8 [size, size, 3] in SDR; of an interlaced frame the first field."""
        to_linear = _LINEAR.get(frame.color_trc)
        form = "rgb24" if to_linear is None else "rgb48le"
        source = frame
        if frame.interlaced_frame:
            # Both fields at once would be two moments in one picture.
            lines = self._scaled(frame, size, frame.height, form)[::2]
            source = VideoFrame.from_ndarray(np.ascontiguousarray(lines), format=form)
        pixels = self._scaled(source, size, size, form)
        if to_linear is not None:
            wide = frame.color_primaries == ColorPrimaries.BT2020
            pixels = to_sdr(to_linear[pixels], wide_gamut=wide)
        turns = round(frame.rotation / 90) % 4
        return np.rot90(pixels, k=turns) if turns else pixels

    def resized(self, pixels: Pixels, size: int) -> Pixels:
        """RGB uint8 [H, W, 3] as [size, size, 3]."""
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        return self._scaled(frame, size, size, "rgb24")

    def _scaled(self, frame: VideoFrame, width: int, height: int, form: str) -> Any:
        """RGB [height, width, 3], uint8 or uint16 as `form` says."""
        reformatter = self._kept.setdefault((width, height, form), VideoReformatter())
        scaled = reformatter.reformat(
            frame, width=width, height=height, format=form, interpolation="AREA", threads=1
        )
        return scaled.to_ndarray()


def to_sdr(light: Float32, *, wide_gamut: bool) -> Pixels:
    """RGB uint8 of linear light [..., 3], where 1 is the white of a page and more is brighter.

    A plain curve with one knee: what an SDR copy of the same film looks like, nearly.
    """
    if wide_gamut:
        light = np.maximum(light @ _BT2020_TO_BT709.T, 0.0)
    squeezed = 1.0 - (1.0 - _KNEE) * np.exp((_KNEE - light) / (1.0 - _KNEE))
    toned = np.where(light > _KNEE, squeezed, light)
    return np.asarray(np.rint(255.0 * toned ** (1 / 2.2)), dtype=np.uint8)


def _from_pq(code: Float32) -> Float32:
    # SMPTE ST 2084.
    power = code ** (1 / 78.84375)
    light = np.maximum(power - 0.8359375, 0.0) / (18.8515625 - 18.6875 * power)
    return light ** (1 / 0.1593017578125) * (10_000.0 / _WHITE)


def _from_hlg(code: Float32) -> Float32:
    # ITU-R BT.2100, its system gamma applied to each channel.
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
    return np.asarray(scene**1.2 * (_HLG_PEAK / _WHITE), dtype=np.float32)


def _table(curve: Callable[[Float32], Float32]) -> Float32:
    return curve(np.linspace(0, 1, 65_536, dtype=np.float32)).astype(np.float32)


# Linear light of each 16-bit code.
_LINEAR: dict[int, Float32] = {
    ColorTrc.SMPTE2084: _table(_from_pq),
    ColorTrc.ARIB_STD_B67: _table(_from_hlg),
}
