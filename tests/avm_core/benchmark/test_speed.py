"""The measurements measure: every number is there, positive, and of the right kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avm_core.benchmark import sparse_speed
from avm_core.benchmark.sparse_speed import make_films
from avm_core.benchmark.speed import measure_match, measure_speed
from avm_core.errors import BadMedia
from avm_core.media.decode import decode_audio, decode_frames, keyframe_times
from avm_core.media.probe import probe
from avm_core.media.write import VideoFormat, write_media

MEDIA = Path(__file__).resolve().parents[3] / "local" / "media"
SECONDS, RATE = 16, 44_100


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The first sixteen seconds of two real clips: a picture every 2 s."""
    folder, made = tmp_path_factory.mktemp("speed"), []
    for source in sorted((MEDIA / "clean").glob("*.mp4")):
        runs = decode_frames(source, step=2.0, max_keyframe_gap=3.0, size=128)
        pictures = [picture for run in runs for picture in run.pixels][: SECONDS // 2]
        sound = np.concatenate(list(decode_audio(source, sample_rate=RATE)))
        made.append(folder / source.name)
        write_media(
            made[-1],
            video=[picture for picture in pictures for _ in range(50)],
            audio=sound[: SECONDS * RATE],
            video_format=VideoFormat(bitrate=400_000),
        )
    return made


def test_speed_of_real_clips(clips: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparse_speed, "_SECONDS", 6.0)  # all of its frames are decoded
    speed = measure_speed(clips)
    assert set(speed) == {"decode", "files", "audio", "video", "video_sparse"}
    assert speed["files"] == len(clips) == 2
    assert 0.5 < speed["audio"]["mb_per_hour"] < 1.2
    assert 0.3 < speed["video"]["mb_per_hour"] < 1.2
    for modality in ("audio", "video"):
        values, stages = speed[modality], speed[modality]["stages"]
        assert set(values) == {"x", "vs_decode", "mb_per_hour", "media_seconds", "stages"}
        assert values["media_seconds"] == pytest.approx(2 * SECONDS, abs=0.5)
        assert speed["decode"][f"{modality}_x"] > 0
        ratio = speed["decode"][f"{modality}_x"] / values["x"]
        assert values["vs_decode"] == pytest.approx(ratio)
        assert values["x"] == stages["whole_x"] > 0
        assert min(stages["context_x"], stages["interval_x"]) > 0
    assert list(speed["video_sparse"]) == ["2", "10"]
    for values in speed["video_sparse"].values():
        assert values["vs_decode"] == pytest.approx(values["decode_x"] / values["x"])
        assert values["media_seconds"] == pytest.approx(6.0, abs=0.1)
        assert values["stages"]["whole_x"] == values["x"] > 0


def test_films_for_speed_have_the_key_frames_they_are_named_for(
    clips: list[Path], tmp_path: Path
) -> None:
    # Cuts every 2 s: without a word to the encoder there would be a key frame at each.
    films = make_films(clips[0], tmp_path)
    for gap, film in films.items():
        info = probe(film)
        assert info.video is not None
        assert info.audio is None
        assert (info.video.codec, info.video.width, info.video.height) == ("h264", 1280, 720)
        wanted = np.arange(0.0, SECONDS - 0.2, gap)
        np.testing.assert_allclose(keyframe_times(film), wanted, atol=0.05)


def test_match_of_real_clips(clips: list[Path]) -> None:
    match = measure_match(clips)
    assert (match["titles"], match["pairs"]) == (2, 4)
    assert match["align_ms_per_pair"] > 0
    # Two windows a second, but for the last window's length; a picture every 2 s.
    assert match["audio"]["indexed_windows"] == pytest.approx(2 * (SECONDS - 3) * 2, abs=10)
    assert match["video"]["indexed_windows"] == pytest.approx(SECONDS, abs=3)
    assert min(match[m]["search_s_per_hour"] for m in ("audio", "video")) > 0


def test_speed_needs_files_with_both_streams() -> None:
    with pytest.raises(BadMedia, match="video"):
        measure_speed(sorted((MEDIA / "music").glob("*.m4a")))
