"""Chromaprint on real sound: offsets, several segments, strangers, bytes, a missing tool."""

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest

from avm_core.benchmark.edits import Clip, Edit, make_copy
from avm_core.benchmark.rivals.base import Printed
from avm_core.benchmark.rivals.chromaprint import ITEM, ChromaprintPrinter, ChromaprintSystem
from avm_core.errors import BadMedia
from avm_core.media.probe import probe
from avm_core.media.write import AudioFormat, write_media

MEDIA = Path(__file__).resolve().parents[4] / "local" / "media"
FILES = {path.stem: path for path in sorted(MEDIA.glob("*/*.m*"))}
KEY = ChromaprintPrinter().key
TOOL = ChromaprintPrinter().missing() is None
# Bits that noise turns over in every item of a made copy.
NOISE_BITS = 4


def printed(path):
    info = probe(path)
    return Printed(path.stem, info.duration, {KEY: ChromaprintPrinter().make(path, info)})


def offset(stretch):
    return stretch.licensed_start - stretch.ugc_start


def test_both_tools_missing_is_said_with_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "")
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "imageio_ffmpeg" else find(name)
    )
    assert "pip install -e '.[rivals]'" in (ChromaprintPrinter().missing() or "")


def test_either_tool_is_enough(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert ChromaprintPrinter().missing()
    fpcalc = tmp_path / "fpcalc"
    fpcalc.write_text("#!/bin/sh\n")
    fpcalc.chmod(0o755)
    assert shutil.which("fpcalc") == str(fpcalc)
    assert ChromaprintPrinter().missing() is None
    fpcalc.unlink()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name == "imageio_ffmpeg" or None)
    assert ChromaprintPrinter().missing() is None


@pytest.fixture
def fpcalc(monkeypatch, tmp_path):
    """Installs an fpcalc that prints three items and ends with the given status."""

    def install(status):
        path = tmp_path / "fpcalc"
        path.write_text(f"#!/bin/sh\necho 1,4294967295,256\necho end of file >&2\nexit {status}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))

    return install


def test_prints_of_the_two_tools_have_different_keys(monkeypatch, fpcalc):
    monkeypatch.setenv("PATH", "")
    before = ChromaprintPrinter()
    fpcalc(0)
    assert ChromaprintPrinter().key == "chromaprint-fpcalc-1"
    # A printer keeps the tool that its key names, whatever is installed meanwhile.
    assert before.key == "chromaprint-ffmpeg-1"
    if before.missing() is None:
        path = FILES["caves"]
        assert len(before.make(path, probe(path))) > 3 * 4


@pytest.mark.parametrize("status", [0, 3])
def test_what_fpcalc_prints_becomes_little_endian_items(fpcalc, status):
    fpcalc(status)  # 3: it made the fingerprint, and something about the file to warn of
    path = FILES["caves"]
    data = ChromaprintPrinter().make(path, probe(path))
    assert data.hex() == "01000000ffffffff00010000"


def test_an_fpcalc_that_fails_is_bad_media_in_its_own_words(fpcalc):
    fpcalc(2)
    path = FILES["caves"]
    with pytest.raises(BadMedia, match=r"caves\.m4a: end of file"):
        ChromaprintPrinter().make(path, probe(path))


# --- real fingerprints ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def prints():
    """Of every file; empty where no tool is installed, which must then be said."""
    return {name: printed(path) for name, path in FILES.items()} if TOOL else {}


def installed():
    """False, after checking that the reader is told how to install it, without a tool."""
    if not TOOL:
        assert "pip install -e '.[rivals]'" in (ChromaprintPrinter().missing() or "")
    return TOOL


def search(prints, names, parts, out):
    """What is found among `names` in a copy of (name, start, end, licensed) `parts`."""
    clips = [Clip(FILES[name], start, end, licensed=kept) for name, start, end, kept in parts]
    edit, form = Edit("sound", drop="picture"), AudioFormat(bitrate=96_000)
    planted = make_copy(clips, out, edit, audio_format=form)
    searcher = ChromaprintSystem().index([prints[name] for name in names])
    return searcher.match(printed(out)), planted


def check(found, planted):
    """One match per planted stretch, within 1.5 s of it on both sides and on its line."""
    assert len(found) == len(planted), found
    for stretch in planted:
        (match,) = [m for m in found if abs(m.ugc_start - stretch.ugc_start) < 5]
        assert match.licensed_id == stretch.licensed_id
        assert offset(match) == pytest.approx(offset(stretch), abs=0.5)
        for field in ("ugc_start", "ugc_end", "licensed_start", "licensed_end"):
            assert getattr(match, field) == pytest.approx(getattr(stretch, field), abs=1.5)
        assert match.score > 0.7


def test_an_excerpt_is_found_where_it_was_planted(prints, tmp_path):
    if not installed():
        return
    parts = [("dancer", 2, 10, False), ("chaos_god", 12, 37, True), ("dancer", 12, 20, False)]
    names = ("chaos_god", "caves", "city_reel")
    check(*search(prints, names, parts, tmp_path / "copy.m4a"))


def test_two_titles_in_one_upload_are_both_found(prints, tmp_path):
    if not installed():
        return
    parts = [("caves", 4, 26, True), ("pianist", 5, 12, False), ("worlds_reel", 20, 45, True)]
    names = ("caves", "worlds_reel", "fish_fillets_intro")
    check(*search(prints, names, parts, tmp_path / "two.m4a"))


def test_two_excerpts_of_one_title_keep_their_own_offsets(prints, tmp_path):
    if not installed():
        return
    parts = [
        ("worlds_reel", 35, 55, True),
        ("pianist", 5, 20, False),
        ("worlds_reel", 3, 25, True),
    ]
    check(*search(prints, ("worlds_reel", "caves"), parts, tmp_path / "twice.m4a"))


def test_no_file_matches_a_stranger(prints):
    assert installed() == bool(prints)
    for name, upload in prints.items():
        others = [item for other, item in prints.items() if other != name]
        assert ChromaprintSystem().index(others).match(upload) == [], name


def test_bytes_are_the_same_again_and_one_item_per_eighth_of_a_second(prints):
    if not installed():
        return
    path = FILES["chaos_god"]
    data = ChromaprintPrinter().make(path, probe(path))
    assert data == prints["chaos_god"].prints[KEY]
    # The last items would look past the end of the file.
    seconds = len(data) / 4 * ITEM
    assert probe(path).duration - 4 < seconds < probe(path).duration


def test_a_file_that_cannot_be_read_is_bad_media(tmp_path):
    if not installed():
        return
    broken = tmp_path / "broken.m4a"
    broken.write_bytes(b"no media at all")
    with pytest.raises(BadMedia, match=r"broken\.m4a"):
        ChromaprintPrinter().make(broken, probe(FILES["caves"]))
    mute = tmp_path / "mute.mp4"
    write_media(mute, video=[np.zeros((64, 64, 3), np.uint8)] * 25)
    with pytest.raises(BadMedia, match=r"mute\.mp4"):
        ChromaprintPrinter().make(mute, probe(mute))


# --- the matcher alone, which needs no tool ---------------------------------------------------


def items(seconds, seed):
    count = round(seconds / ITEM)
    return np.random.default_rng(seed).integers(0, 1 << 32, count, dtype=np.uint32)


def noisy(stretch, seed):
    """Each item with `NOISE_BITS` of its lowest twenty bits turned over."""
    draw = np.random.default_rng(seed)
    flips = np.array([draw.permutation(20)[:NOISE_BITS] for _ in stretch])
    return stretch ^ (np.uint32(1) << flips.astype(np.uint32)).sum(axis=1, dtype=np.uint32)


def item(name, values):
    return Printed(name, len(values) * ITEM, {KEY: values.astype("<u4").tobytes()})


def test_a_noisy_stretch_of_made_items_is_found_with_its_score():
    title, first = items(120, 1), round(30 / ITEM)
    copied = noisy(title[first : first + round(25 / ITEM)], 2)
    upload = np.concatenate([items(12, 3), copied, items(12, 4)])
    searcher = ChromaprintSystem().index([item("t", title), item("other", items(120, 5))])
    (match,) = searcher.match(item("u", upload))
    assert match.licensed_id == "t"
    assert match.ugc_start == pytest.approx(12, abs=1.5)
    assert match.ugc_end == pytest.approx(37, abs=2.5)
    assert match.licensed_start - match.ugc_start == pytest.approx(18, abs=ITEM)
    assert match.score == pytest.approx(1 - NOISE_BITS / 16, abs=0.1)


def test_less_than_ten_seconds_of_made_items_are_no_match():
    title = items(60, 1)
    upload = np.concatenate([items(20, 3), title[80 : 80 + round(6 / ITEM)], items(20, 4)])
    assert ChromaprintSystem().index([item("t", title)]).match(item("u", upload)) == []


def test_a_copy_behind_a_held_note_keeps_its_exact_item():
    title = np.concatenate([np.full(400, 77 << 20, np.uint32), items(60, 1)])
    upload = np.concatenate([np.full(300, 77 << 20, np.uint32), title[450:650]])
    found = ChromaprintSystem().index([item("t", title)]).match(item("u", upload))
    lines = [m.licensed_start - m.ugc_start for m in found if m.ugc_end > 320 * ITEM]
    assert any(abs(line - 150 * ITEM) < ITEM / 2 for line in lines), found


def test_silence_on_both_sides_of_a_short_cue_is_no_copy():
    cue, silence = items(4, 1), np.full(round(40 / ITEM), 627_964_279, np.uint32)
    title = np.concatenate([items(20, 2), silence, cue, silence])
    upload = np.concatenate([items(20, 3), silence, cue, silence])
    assert ChromaprintSystem().index([item("t", title)]).match(item("u", upload)) == []
