"""Make the broken and awkward files that a bucket of uploads always holds."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from avm_core.benchmark.edits import Clip, Edit, make_copy
from avm_core.media.write import AudioFormat, VideoFormat, write_media
from avm_core.types import Float32

_MEDIA = Path(__file__).resolve().parent / "media"
_SMALL = VideoFormat(width=240, height=180, bitrate=80_000)
_THIN = AudioFormat(bitrate=32_000)


def build_bad_media(out_dir: Path, media: Path = _MEDIA) -> dict[str, Path]:
    """Write one file per kind and return them by kind.

    Unreadable: `text`, `empty`, `no_index` (an MP4 cut before its index). Readable in part:
    `cut_in_half`. Readable but awkward: `audio_only`, `video_only`, `one_second` (shorter than
    a match), `odd_name` (spaces and Cyrillic in the key).
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    return {
        "text": _bytes(out_dir / "notes.mp4", b"This is a shopping list, not a film.\n"),
        "empty": _bytes(out_dir / "empty.mp4", b""),
        "no_index": _truncated(out_dir / "no_index.mp4", faststart=False),
        "cut_in_half": _truncated(out_dir / "cut_in_half.mp4", faststart=True),
        **_awkward(out_dir, Clip(media / "clean" / "pianist.mp4", 3.0, 23.0, licensed=False)),
    }


def _awkward(out_dir: Path, clip: Clip) -> dict[str, Path]:
    audio_only, video_only = out_dir / "audio_only.m4a", out_dir / "video_only.mp4"
    one_second, odd_name = out_dir / "one_second.mp4", out_dir / "фильм с пробелами.mp4"
    _copy(clip, audio_only, Edit(name="audio_only", drop="picture"))
    _copy(clip, video_only, Edit(name="video_only", drop="sound"))
    _copy(Clip(clip.path, 5.0, 6.0, licensed=False), one_second, Edit(name="one_second"))
    _copy(clip, odd_name, Edit(name="odd_name"))
    return {
        "audio_only": audio_only,
        "video_only": video_only,
        "one_second": one_second,
        "odd_name": odd_name,
    }


def _copy(clip: Clip, path: Path, edit: Edit) -> None:
    make_copy([clip], path, edit, video_format=_SMALL, audio_format=_THIN)


def _bytes(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _truncated(path: Path, *, faststart: bool) -> Path:
    """Ten seconds of noise over a moving gradient, of which the first half of the bytes stay."""
    rng = np.random.default_rng(7)
    sound: Float32 = rng.normal(0, 0.1, 441_000).astype(np.float32)
    ramp = np.add.outer(np.arange(180), np.arange(240))
    pictures = [
        np.repeat(((ramp + 3 * shift) % 256).astype(np.uint8)[:, :, None], 3, axis=2)
        for shift in range(250)
    ]
    write_media(
        path,
        video=pictures,
        audio=sound,
        video_format=VideoFormat(bitrate=100_000),
        audio_format=_THIN,
        faststart=faststart,
    )
    data = path.read_bytes()
    return _bytes(path, data[: len(data) // 2])


if __name__ == "__main__":
    for kind, made in build_bad_media(Path(sys.argv[1])).items():
        print(kind, made.name)
