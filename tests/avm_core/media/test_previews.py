"""Pictures and sound of a stretch: the right ones, at the price of the stretch."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from avm_core.errors import BadMedia
from avm_core.media.previews import peaks, pictures_at, strip
from avm_core.media.write import AudioFormat, VideoFormat, write_media
from avm_core.storage.memory import MemoryStore
from avm_core.storage.range_file import RangeFile
from tests.avm_core.media.makers import RATE, SIDE, clicks, number, numbered

FRAMES, PER_SECOND = 600, 10
TITLE = Path(__file__).resolve().parents[3] / "local" / "media" / "titles" / "worlds_reel.mp4"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute, ten numbered pictures a second, key frames 8 s apart, clicks at 5, 20.5, 41."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    write_media(
        path,
        video=(numbered(ordinal) for ordinal in range(FRAMES)),
        audio=clicks(60, (5.0, 20.5, 41.0)),
        video_format=VideoFormat(frame_rate=Fraction(PER_SECOND), gop=80, bitrate=600_000),
        audio_format=AudioFormat(sample_rate=RATE),
    )
    return path


def test_a_picture_is_the_one_on_screen(film: Path) -> None:
    times = [-1.0, 0.0, 3.33, 3.9, 17.05, 44.44, 59.5, 75.0]
    found = pictures_at(film, times, height=SIDE, patience=60)
    assert [picture is None for picture in found] == [True] + [False] * 6 + [True]
    for second, picture in zip(times, found, strict=True):
        if picture is not None:
            # Frames that no other needs are left out, so up to three of them may lie between.
            assert number(picture) == pytest.approx(second * PER_SECOND, abs=4)


def test_without_patience_there_are_no_pictures_but_no_failure(film: Path) -> None:
    assert pictures_at(film, [1.0, 50.0], height=SIDE, patience=-1) == [None, None]


@pytest.mark.parametrize(("start", "end", "bins"), [(0.0, 60.0, 120), (-30.0, 210.0, 60)])
def test_the_outline_is_high_where_the_sound_is(
    film: Path, start: float, end: float, bins: int
) -> None:
    """Bins of half a second are decoded whole, bins of four are sampled at their beginnings."""
    heights = peaks(film, start, end, bins=bins, patience=60)
    width = (end - start) / bins
    centres = start + (np.arange(bins) + 0.5) * width
    assert np.isnan(heights[centres < -width]).all()
    assert np.isnan(heights[centres > 62]).all()
    if width < 1:
        loud = {round(start + place * width, 1) for place in np.flatnonzero(heights > 0.3)}
        assert loud == {5.0, 20.5, 41.0}
    assert np.nanmax(heights) <= 1.0
    assert np.isfinite(heights[(centres > 1) & (centres < 59)]).all()


def test_a_stretch_of_an_object_is_decoded_without_the_rest() -> None:
    data = TITLE.read_bytes()
    store = MemoryStore("memory://long")
    store.put("film", data)
    asked: list[int] = []
    fetch = store.get_range

    def watched(key: str, start: int, end: int, **more: str) -> bytes:
        asked.append(end - start)
        return fetch(key, start, end, **more)

    store.get_range = watched  # type: ignore[method-assign]
    file = RangeFile(store, "film", len(data), block=65_536)
    pair = pictures_at(file, [40.0, 41.0], height=90, patience=60)  # type: ignore[arg-type]
    whole = pictures_at(TITLE, [40.0, 41.0], height=90, patience=60)
    for mine, theirs in zip(pair, whole, strict=True):
        assert mine is not None
        assert (mine == theirs).all()
    assert sum(asked) < 0.7 * len(data)


def test_what_is_not_there_is_said(film: Path, tmp_path: Path) -> None:
    write_media(tmp_path / "song.m4a", audio=clicks(4, (1.0,)))
    write_media(tmp_path / "mute.mp4", video=[numbered(1)] * 50)
    (tmp_path / "text.mp4").write_text("not a film" * 100)
    with pytest.raises(BadMedia, match="no pictures"):
        pictures_at(tmp_path / "song.m4a", [0.0], height=SIDE, patience=9)
    with pytest.raises(BadMedia, match="no sound"):
        peaks(tmp_path / "mute.mp4", 0, 2, bins=4, patience=9)
    with pytest.raises(BadMedia, match="check the upload"):
        pictures_at(tmp_path / "text.mp4", [0.0], height=SIDE, patience=9)


def test_a_strip_holds_each_picture_in_its_tile() -> None:
    white = np.full((40, 20, 3), 255, np.uint8)
    sheet = Image.open(io.BytesIO(strip([white, None, white], width=64, height=36)))
    assert sheet.size == (192, 36)
    light = np.asarray(sheet.convert("L"))
    assert light[18, 32] > 200
    assert light[18, 96] < 60
    assert light[18, 160] > 200
