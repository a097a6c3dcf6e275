"""Landmark hashes on real sound: offsets, several segments, strangers, bytes."""

from pathlib import Path

import numpy as np
import pytest

from avm_core.benchmark.edits import Clip, Edit, make_copy
from avm_core.benchmark.rivals.base import Printed
from avm_core.benchmark.rivals.landmarks import FRAME, LandmarkSystem, find_peaks, hash_pairs
from avm_core.errors import BadMedia
from avm_core.media.probe import probe
from avm_core.media.write import AudioFormat, write_media

MEDIA = Path(__file__).resolve().parents[4] / "local" / "media"
FILES = {path.stem: path for path in sorted(MEDIA.glob("*/*.m*"))}
SOUND_ONLY = Edit("sound", drop="picture")


def licensed(name, start, end):
    return Clip(FILES[name], start, end)


def foreign(name, start, end):
    return Clip(FILES[name], start, end, licensed=False)


def printed(path):
    (printer,) = LandmarkSystem().printers
    info = probe(path)
    return Printed(path.stem, info.duration, {printer.key: printer.make(path, info)})


@pytest.fixture(scope="module")
def prints():
    return {name: printed(path) for name, path in FILES.items()}


def search(prints, names, clips, out):
    """What is found among `names` in a copy of `clips`, and what was planted there."""
    planted = make_copy(clips, out, SOUND_ONLY, audio_format=AudioFormat(bitrate=96_000))
    searcher = LandmarkSystem().index([prints[name] for name in names])
    return searcher.match(printed(out)), planted


def offset(stretch):
    return stretch.licensed_start - stretch.ugc_start


def overlap(match, stretch):
    """Seconds of the upload that both cover, as a share of the planted stretch."""
    common = min(match.ugc_end, stretch.ugc_end) - max(match.ugc_start, stretch.ugc_start)
    return max(0.0, common) / (stretch.ugc_end - stretch.ugc_start)


def check(found, planted):
    """One match per planted stretch: on its line, inside it, and covering most of it."""
    assert len(found) == len(planted), found
    for stretch in planted:
        (match,) = [m for m in found if overlap(m, stretch) > 0.5]
        assert match.licensed_id == stretch.licensed_id
        assert offset(match) == pytest.approx(offset(stretch), abs=2 * FRAME)
        for side in ("ugc", "licensed"):
            start, end = (f"{side}_start", f"{side}_end")
            assert getattr(match, start) >= getattr(stretch, start) - 1
            assert getattr(match, end) <= getattr(stretch, end) + 1
        assert overlap(match, stretch) > 0.7
        assert match.ugc_end - match.ugc_start == pytest.approx(
            match.licensed_end - match.licensed_start
        )
        assert 0 < match.score < 1


def test_an_excerpt_lies_on_its_planted_line(prints, tmp_path):
    clips = [
        foreign("dancer", 2, 10),
        licensed("chaos_god", 12, 37),
        foreign("dancer", 12, 20),
    ]
    check(*search(prints, ("chaos_god", "caves", "city_reel"), clips, tmp_path / "copy.m4a"))


def test_an_excerpt_that_ends_both_its_files_is_found_within_a_second(prints, tmp_path):
    found, planted = search(
        prints, ("caves", "chaos_god"), [licensed("caves", 4, 28)], tmp_path / "edge.m4a"
    )
    check(found, planted)
    assert found[0].ugc_start == pytest.approx(0.0, abs=1.5)
    assert found[0].licensed_end == pytest.approx(28.0, abs=1.5)


def test_two_titles_in_one_upload_are_both_found(prints, tmp_path):
    clips = [
        licensed("caves", 4, 26),
        foreign("pianist", 5, 12),
        licensed("worlds_reel", 20, 45),
    ]
    names = ("caves", "worlds_reel", "fish_fillets_intro")
    check(*search(prints, names, clips, tmp_path / "two.m4a"))


def test_two_excerpts_of_one_title_keep_their_own_offsets(prints, tmp_path):
    clips = [
        licensed("worlds_reel", 35, 55),
        foreign("pianist", 5, 20),
        licensed("worlds_reel", 3, 25),
    ]
    check(*search(prints, ("worlds_reel", "caves"), clips, tmp_path / "twice.m4a"))


def test_less_than_ten_seconds_are_no_match(prints, tmp_path):
    clips = [foreign("pianist", 5, 20), licensed("chaos_god", 20, 28)]
    found, _ = search(prints, ("chaos_god",), clips, tmp_path / "short.m4a")
    assert found == []


def test_no_file_matches_a_stranger(prints):
    for name, upload in prints.items():
        others = [item for other, item in prints.items() if other != name]
        assert LandmarkSystem().index(others).match(upload) == [], name


def test_each_file_matches_itself_from_end_to_end(prints):
    searcher = LandmarkSystem().index(list(prints.values()))
    for name, upload in prints.items():
        (match,) = searcher.match(upload)
        assert match.licensed_id == name
        assert offset(match) == pytest.approx(0.0, abs=2 * FRAME)
        assert match.ugc_end - match.ugc_start > 0.9 * upload.duration


def test_bytes_are_the_same_again_and_of_the_expected_density(prints):
    path = FILES["chaos_god"]
    (printer,) = LandmarkSystem().printers
    data = printer.make(path, probe(path))
    assert data == prints["chaos_god"].prints[printer.key]
    hashes, frames = np.frombuffer(data, "<u4").reshape(2, -1)
    assert hashes.max() < 1 << 20
    assert (np.diff(frames.astype(np.int64)) >= 0).all()
    assert frames[-1] * FRAME < probe(path).duration
    assert 8 < len(hashes) / probe(path).duration < 60


def test_the_peaks_of_two_tones_are_where_the_tones_begin():
    spectrum = np.zeros((100, 256), np.float32)
    spectrum[20, 40], spectrum[50, 60] = 5.0, 4.0
    frames, bins = find_peaks(spectrum)
    assert list(zip(frames.tolist(), bins.tolist(), strict=True)) == [(20, 40), (50, 60)]
    hashes, times = hash_pairs(frames, bins)
    assert times.tolist() == [20]
    # 8 bits of bin, 6 of its difference, 6 of the frames between.
    assert hashes.tolist() == [40 << 12 | 20 << 6 | 30]


def test_a_pair_that_goes_down_has_another_hash_than_one_that_goes_up():
    up, _ = hash_pairs(np.array([0, 10]), np.array([50, 60]))
    down, _ = hash_pairs(np.array([0, 10]), np.array([50, 40]))
    assert len(up) == len(down) == 1
    assert up[0] != down[0]


def test_peaks_too_near_or_too_far_make_no_pair():
    for frames, bins in (([0, 1], [9, 9]), ([0, 64], [9, 9]), ([0, 10], [9, 41])):
        assert len(hash_pairs(np.array(frames), np.array(bins))[0]) == 0


def test_silence_and_a_blip_match_nothing(prints, tmp_path):
    searcher = LandmarkSystem().index(list(prints.values()))
    for name, seconds in (("silence", 20.0), ("blip", 0.02)):
        path = tmp_path / f"{name}.m4a"
        write_media(path, audio=np.zeros(int(seconds * 44_100), np.float32))
        assert searcher.match(printed(path)) == []


def test_a_file_without_sound_is_bad_media(tmp_path):
    path = tmp_path / "mute.mp4"
    write_media(path, video=[np.zeros((64, 64, 3), np.uint8)] * 25)
    with pytest.raises(BadMedia, match="audio"):
        printed(path)
