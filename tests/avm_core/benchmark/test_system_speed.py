"""What systems cost, on toy systems whose bytes are known: an hour of prints, of memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pytest

from avm_core.benchmark.system_speed import measure_systems
from avm_core.errors import BadMedia, BadSettings
from avm_core.media.decode import decode_audio, decode_frames
from avm_core.media.write import write_media
from tests.avm_core.media.makers import RATE, numbered

NUMBERS = {"fingerprint_x", "vs_decode", "match_x", "disk_mb_per_hour", "ram_mb_per_hour"}


@dataclass
class Levels:
    """Sound as `each` bytes per second that begins; or pictures as one byte each."""

    key: str = "levels"
    modality: str = "audio"
    each: int = 4
    why: str | None = None
    calls: Counter = field(default_factory=Counter)

    def missing(self):
        return self.why

    def make(self, path, info):
        self.calls[path.name] += 1
        if self.modality == "video":
            runs = decode_frames(path, step=2.0, max_keyframe_gap=3.0, size=32)
            return bytes(int(picture.mean()) for run in runs for picture in run.pixels)
        seconds = decode_audio(path, sample_rate=8_000, block_seconds=1.0)
        return b"".join(bytes([int(100 * np.abs(s).mean())] * self.each) for s in seconds)


@dataclass
class Toy:
    """Holds `factor` bytes in memory for each byte of a print."""

    name: str
    printers: tuple
    factor: int = 2
    task: str = "both"
    taken: list = field(default_factory=list)
    asked: Counter = field(default_factory=Counter)

    def index(self, licensed):
        self.taken = list(licensed)
        return self

    @property
    def ram_bytes(self):
        return self.factor * sum(len(d) for item in self.taken for d in item.prints.values())

    def match(self, ugc):
        self.asked[ugc.media_id] += 1
        assert ugc.prints
        return []


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Titles of 10 s with both streams and of 6 s of sound; uploads of 8 s and, silent, 4 s."""
    folder = tmp_path_factory.mktemp("systems")
    rng = np.random.default_rng(0)

    def sound(seconds):
        return rng.normal(0, 0.1, round(seconds * RATE)).astype(np.float32)

    def film(seconds):
        return [numbered(9000 + n) for n in range(seconds * 25)]

    write_media(folder / "long.mkv", audio=sound(9.9), video=film(10))
    write_media(folder / "song.m4a", audio=sound(6))
    write_media(folder / "copy.mkv", audio=sound(7.9), video=film(8))
    write_media(folder / "silent.mkv", video=film(4))
    titles = [("t1", folder / "long.mkv"), ("t2", folder / "song.m4a")]
    return titles, [("u1", folder / "copy.mkv"), ("u2", folder / "silent.mkv")]


def test_bytes_are_those_per_hour_of_what_the_system_looks_at(files):
    toy = Toy("toy", (Levels(),))
    found = measure_systems([toy], *files, repeats=1)
    assert set(found) == {"toy"}
    assert set(found["toy"]) == NUMBERS  # there is no chromaprint to compare with
    assert min(found["toy"].values()) > 0
    # Four bytes a second; the silent upload is neither read nor counted, nor asked about.
    hour = 4 * 3600 / 1e6
    assert found["toy"]["disk_mb_per_hour"] == pytest.approx(hour, rel=0.06)
    assert found["toy"]["ram_mb_per_hour"] == pytest.approx(2 * hour, rel=0.08)
    assert [item.media_id for item in toy.taken] == ["t1", "t2"]
    assert toy.taken[0].duration == pytest.approx(10, abs=0.1)
    assert toy.asked == {"u1": 1}
    assert set(toy.printers[0].calls) == {"long.mkv", "song.m4a", "copy.mkv"}


def test_a_system_of_both_streams_keeps_both_prints_and_counts_a_file_once(files):
    toy = Toy("toy", (Levels(), Levels("looks", "video")), factor=1)
    found = measure_systems([toy], *files, repeats=1)["toy"]
    assert [set(item.prints) for item in toy.taken] == [{"levels", "looks"}, {"levels"}]
    assert toy.asked == {"u1": 1, "u2": 1}
    sound, pictures = 4 * (10 + 6 + 8), (10 + 8 + 4) / 2
    wanted = (sound + pictures) / (10 + 6 + 8 + 4) * 3600 / 1e6
    assert found["disk_mb_per_hour"] == pytest.approx(wanted, rel=0.08)
    wanted = (4 * (10 + 6) + 10 / 2) / (10 + 6) * 3600 / 1e6
    assert found["ram_mb_per_hour"] == pytest.approx(wanted, rel=0.08)


def test_systems_are_compared_with_chromaprint_wherever_it_stands(files):
    wide = Toy("wide", (Levels("wide", each=12),), factor=6)
    found = measure_systems([wide, Toy("chromaprint", (Levels(),))], *files, repeats=1)
    for values in found.values():
        assert set(values) == NUMBERS | {"vs_chromaprint"}
        for name, multiple in values["vs_chromaprint"].items():
            assert multiple == pytest.approx(values[name] / found["chromaprint"][name])
    assert found["wide"]["vs_chromaprint"]["disk_mb_per_hour"] == pytest.approx(3.0)
    assert found["wide"]["vs_chromaprint"]["ram_mb_per_hour"] == pytest.approx(9.0)
    assert set(found["chromaprint"]["vs_chromaprint"].values()) == {1.0}


def test_a_system_that_cannot_run_says_why_and_the_others_run(files):
    gone = Levels("gone", why="no fpcalc: pip install -e '.[rivals]'")
    blind = Levels("blind", "video", why="no pictures: set one")
    systems = [Toy("chromaprint", (gone, Levels(), blind)), Toy("toy", (Levels(),))]
    found = measure_systems(systems, *files, repeats=1)
    both = "no fpcalc: pip install -e '.[rivals]'; no pictures: set one"
    assert found["chromaprint"] == {"missing": both}
    assert not gone.calls
    assert not blind.calls
    assert set(found["toy"]) == NUMBERS


def test_a_printer_that_systems_share_prints_once(files):
    printer = Levels()
    measure_systems([Toy("one", (printer,)), Toy("two", (printer,))], *files, repeats=2)
    # Two timed runs over all, and one before them over the first file.
    assert printer.calls == {"long.mkv": 3, "song.m4a": 2, "copy.mkv": 2}


def test_what_cannot_be_measured_is_refused(files):
    titles, uploads = files
    toy = Toy("toy", (Levels(),))
    with pytest.raises(BadSettings, match="at least one title and one upload"):
        measure_systems([toy], titles, [])
    with pytest.raises(BadSettings, match="media id comes twice"):
        measure_systems([toy], titles, [("t1", uploads[0][1])])
    with pytest.raises(BadMedia, match="no upload has audio, which toy needs"):
        measure_systems([toy], titles, uploads[1:], repeats=1)
