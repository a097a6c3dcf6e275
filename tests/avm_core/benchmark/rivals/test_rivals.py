"""Every system finds a planted excerpt where it is, and nothing in what is foreign."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from avm_core.benchmark.edits import Clip, Edit, make_copy
from avm_core.benchmark.quality import kept_print
from avm_core.benchmark.rivals import chromaprint, origin, pdq
from avm_core.benchmark.rivals.base import Printed, missing
from avm_core.benchmark.rivals.chromaprint import ChromaprintPrinter, bit_distance
from avm_core.benchmark.rivals.origin import Run, drop_impostors, merge, to_segments
from avm_core.benchmark.rivals.registry import systems
from avm_core.benchmark.rivals.votes import best_offset, equal_pairs, runs
from avm_core.errors import BadSettings
from avm_core.media.probe import probe
from avm_core.media.write import AudioFormat, VideoFormat

MEDIA = Path(__file__).resolve().parents[4] / "local" / "media"
TITLES = ("biniou_visuals", "bunny_trailer", "city_reel")
# Seconds that each system may be off at an end: its windows or its frames.
TOLERANCE = {
    "avm": 1.5,
    "avm (audio)": 1.5,
    "avm (video)": 4.0,
    # The threshold that suits it best lets foreign windows at the edges in.
    "origin (audio)": 30.0,
    "origin (video)": 5.0,
    "chromaprint": 3.0,
    "landmarks": 5.0,
    "pdq": 6.0,
}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Three titles, a copy of one between foreign scenes, a copy of two, and a clean upload."""
    folder = tmp_path_factory.mktemp("rivals")
    titles = {name: MEDIA / "titles" / f"{name}.mp4" for name in TITLES}
    dancer, pianist = (MEDIA / "clean" / f"{n}.mp4" for n in ("dancer", "pianist"))
    clips = {
        "copy": [
            Clip(dancer, 3.0, 9.0, licensed=False),
            Clip(titles["biniou_visuals"], 12.0, 42.0),
            Clip(dancer, 12.0, 18.0, licensed=False),
        ],
        "two": [
            Clip(titles["bunny_trailer"], 6.0, 31.0),
            Clip(pianist, 2.0, 8.0, licensed=False),
            Clip(titles["city_reel"], 20.0, 45.0),
        ],
        "clean": [Clip(pianist, 0.5, 33.0, licensed=False)],
    }
    form = VideoFormat(width=320, height=180, bitrate=250_000, options=(("preset", "superfast"),))
    planted, uploads = {}, {}
    for name, parts in clips.items():
        uploads[name] = folder / f"{name}.mp4"
        sound = AudioFormat(bitrate=96_000)
        planted[name] = make_copy(
            parts, uploads[name], Edit("x"), video_format=form, audio_format=sound
        )
    return titles, uploads, planted, folder / "prints"


def printed(system, path, prints):
    made = {p.key: kept_print(p, path, prints) for p in system.printers}
    return Printed(path.stem, probe(path).duration, made)


@pytest.mark.parametrize("name", list(TOLERANCE))
def test_a_system_finds_the_planted_excerpts(world, name):
    titles, uploads, planted, prints = world
    (system,) = systems([name])
    if missing(system):
        assert "rivals" in missing(system)
        return
    searcher = system.index([printed(system, path, prints) for path in titles.values()])
    assert searcher.ram_bytes > 0
    for upload in ("copy", "two"):
        found = searcher.match(printed(system, uploads[upload], prints))
        assert found == searcher.match(printed(system, uploads[upload], prints))
        assert {m.licensed_id for m in found} == {p.licensed_id for p in planted[upload]}, found
        for stretch in planted[upload]:
            mine = [m for m in found if m.licensed_id == stretch.licensed_id]
            for field in ("ugc_start", "licensed_start"):
                first = min(getattr(m, field) for m in mine)
                assert first == pytest.approx(getattr(stretch, field), abs=TOLERANCE[name])
            for field in ("ugc_end", "licensed_end"):
                last = max(getattr(m, field) for m in mine)
                assert last == pytest.approx(getattr(stretch, field), abs=TOLERANCE[name])
    assert searcher.match(printed(system, uploads["clean"], prints)) == []


@pytest.mark.parametrize("name", list(TOLERANCE))
def test_a_system_without_titles_or_prints_finds_nothing(name):
    (system,) = systems([name])
    nothing = Printed("u", 30.0, {})
    assert system.index([]).match(nothing) == []
    assert system.index([Printed("t", 30.0, {})]).match(nothing) == []


def test_unknown_systems_are_refused():
    with pytest.raises(BadSettings, match="unknown system 'panaco': choose from avm, avm"):
        systems(["panaco"])


def test_a_tool_that_is_not_there_is_missing_and_says_what_to_install(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    for module in (chromaprint, pdq):
        monkeypatch.setattr(module.importlib.util, "find_spec", lambda _: None)
    for name in ("chromaprint", "pdq"):
        (system,) = systems([name])
        assert "pip install -e '.[rivals]'" in missing(system)
    monkeypatch.setattr(shutil, "which", lambda _: sys.executable)
    assert ChromaprintPrinter().missing() is None


def test_a_modality_that_is_switched_off_is_missing_and_the_others_run(monkeypatch):
    monkeypatch.setenv("AVM_VIDEO_FINGERPRINTER", "")
    monkeypatch.setenv("AVM_AUDIO_FINGERPRINTER", "audio_logmel.dct")
    reasons = {system.name: missing(system) for system in systems()}
    unset = "no video fingerprinter is set: set AVM_VIDEO_FINGERPRINTER"
    assert reasons["avm"] == reasons["avm (video)"] == reasons["origin (video)"] == unset
    assert reasons["avm (audio)"] is reasons["origin (audio)"] is reasons["landmarks"] is None
    monkeypatch.setenv("AVM_AUDIO_FINGERPRINTER", "")
    (both,) = systems(["avm"])
    assert missing(both) == unset.replace("video", "audio").replace("VIDEO", "AUDIO") + f"; {unset}"


# --- rules, by hand ---------------------------------------------------------------------------


def run(title, ugc, ref, end=None):
    length = (end or ugc) - ugc
    return Run(title, ugc, ugc + length, ref, ref + length, 0.9)


def test_origin_merges_below_ten_seconds_on_both_sides():
    # A window is 5 s long: from the start of one to the start of the next are 5 s and the gap.
    assert len(merge([run(1, 0, 50), run(1, 14, 64)])) == 1
    assert len(merge([run(1, 0, 50), run(1, 15, 65)])) == 2
    assert len(merge([run(1, 0, 50), run(1, 3, 66)])) == 2
    assert len(merge([run(1, 0, 50), run(1, 3, 40)])) == 1
    assert len(merge([run(1, 0, 50), run(2, 3, 53)])) == 2
    (one,) = merge([run(1, 0, 50), run(1, 3, 53), run(1, 6, 56)])
    assert (one.ugc_end, one.ref_end, one.windows) == (6, 56, 3)


def kept(*runs):
    """(title, last window's start) of the runs that `drop_impostors` keeps."""
    return [(r.title, r.ugc_end) for r in drop_impostors(runs)]


def test_origin_drops_what_lies_before_a_title_that_is_back_within_a_window():
    first, other = run(1, 0, 50, end=20), run(2, 22, 7)
    # The title's first run ends at 20, and a window is 5 s long.
    assert kept(first, other, run(1, 24, 74)) == [(1, 20), (1, 24)]
    assert kept(first, other, run(1, 24.8, 74.8)) == [(1, 20), (1, 24.8)]
    assert kept(first, other, run(1, 25, 75)) == [(1, 20), (2, 22), (1, 25)]
    assert kept(first, other, run(1, 26, 76)) == [(1, 20), (2, 22), (1, 26)]
    # The end of the later run counts, not its start.
    assert kept(first, other, run(1, 24, 74, end=26)) == [(1, 20), (2, 22), (1, 26)]
    # Everything between goes, and nothing before.
    before = run(3, -9, 0, end=-3)
    between = run(2, 21, 7), run(3, 22, 7), run(2, 23, 7)
    assert kept(before, first, *between, run(1, 24, 74)) == [(3, -3), (1, 20), (1, 24)]


def test_origin_measures_from_the_first_run_of_a_title_even_if_it_was_dropped():
    first, again = run(1, 0, 50, end=20), run(1, 24, 74)
    # From the first run, not the last: 28 is 8 s after 20, though 4 s after 24.
    late = run(3, 26, 9), run(1, 28, 78)
    assert kept(first, run(2, 22, 7), again, *late) == [(1, 20), (1, 24), (3, 26), (1, 28)]
    # Title 2 was dropped when title 1 came back at 24; its end at 22 is still its first, and
    # back at 26 it drops all that is kept, as none of that is its own.
    assert kept(first, run(2, 22, 7), again, run(2, 26, 11)) == [(2, 26)]
    assert kept(first, run(2, 22, 7), again, run(2, 27, 12)) == [(1, 20), (1, 24), (2, 27)]


def test_origin_at_its_step_of_three_seconds_keeps_both_parts_around_a_stranger():
    hits = [run(1, t, 50 + t) for t in (0, 3, 6, 9)] + [run(2, 12, 7)]
    hits += [run(1, t, 50 + t) for t in (15, 18)]
    # Back at 15, 18 is 9 s after 9: the stranger stays until it is dropped for its 5 s, the
    # second part, of 8 s, with it; 14 s of the first are too short as well.
    assert kept(*merge(hits)) == [(1, 9), (2, 12), (1, 18)]
    assert to_segments(hits) == []


def test_origin_drops_the_short():
    # 12 s of windows and a window of 5 s are 17 s: under 20.
    assert to_segments([run(1, t, t) for t in (0, 3, 6, 9, 12)]) == []
    assert len(to_segments([run(1, t, t) for t in (0, 3, 6, 9, 12, 15)])) == 1
    assert origin.WINDOW + 15 == origin.MIN_DURATION


def test_votes_runs_and_pairs():
    assert best_offset(np.array([5.0, 5.9, 6.1, -3.0]), 1.0) == (6.0, 3)
    assert list(runs(np.array([0.0, 1, 2, 9, 10]), 3)) == [(0, 3), (3, 5)]
    assert list(runs(np.empty(0), 3)) == []
    i, j = equal_pairs(np.array([7, 1, 9]), np.array([1, 1, 5, 9]))
    assert sorted(zip(i.tolist(), j.tolist(), strict=True)) == [(1, 0), (1, 1), (2, 3)]


def test_bit_distance_counts_differing_bits_where_both_sides_are():
    query = np.array([0b1111, 0, 1], np.uint32)
    ref = np.array([9, 9, 0b1110, 3, 1], np.uint32)
    first, distance = bit_distance(query, ref, 2)
    assert (first, distance.tolist()) == (0, [1, 2, 0])
    first, distance = bit_distance(ref, query, -2)
    assert (first, distance.tolist()) == (2, [1, 2, 0])
    assert len(bit_distance(query, ref, 50)[1]) == 0
