"""The demo corpus is attributed, audible, long enough, and planted as its truth says."""

import csv
import hashlib
import json
import tomllib
from datetime import datetime

import numpy as np
import pytest

from avm_core.errors import BadMedia
from avm_core.media.decode import decode_audio
from avm_core.media.filters import read_pictures
from avm_core.media.probe import probe
from local.bad_media import build_bad_media
from local.corpus import MEDIA, build_uploads, load_titles

RATE = 8_000
LICENCES = {
    "CC-BY-2.5",
    "CC-BY-3.0",
    "CC-BY-SA-3.0",
    "GPL-2.0-only",
    "GPL-2.0-or-later",
    "GPL-3.0-or-later",
    "MIT",
}


def listed():
    return tomllib.loads((MEDIA / "corpus.toml").read_text(encoding="utf-8"))["file"]


def sound_of(path):
    return np.concatenate(list(decode_audio(path, sample_rate=RATE)))


def found_at(needle, hay):
    """Second of `hay` where `needle` correlates best, and the normalised correlation there."""
    size = 1 << (len(needle) + len(hay)).bit_length()
    peak = np.fft.irfft(np.fft.rfft(hay, size) * np.conj(np.fft.rfft(needle, size)), size)
    best = int(np.argmax(peak[: len(hay) - len(needle)]))
    there = hay[best : best + len(needle)]
    return best / RATE, float(peak[best] / np.linalg.norm(needle) / np.linalg.norm(there))


def thumbnails(path, times):
    filters = [("scale", "24:16:flags=area"), ("format", "pix_fmts=gray")]
    times = np.asarray(times, dtype=np.float64)
    shots = [p.astype(float).ravel() for p in read_pictures(path, times, filters=filters)]
    return np.stack([shot - shot.mean() for shot in shots])


def likeness(one, other):
    """Mean correlation of two runs of thumbnails."""
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return float(np.mean(np.sum(one * other, axis=1) / np.maximum(norms, 1e-6)))


# --- what is in the repository ----------------------------------------------------------------


def test_every_media_file_is_listed_with_its_checksum():
    there = {p.relative_to(MEDIA).as_posix() for p in MEDIA.rglob("*") if p.is_file()}
    assert there - {"corpus.toml"} == {entry["path"] for entry in listed()}
    for entry in listed():
        data = (MEDIA / entry["path"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == entry["sha256"], entry["path"]


def test_every_media_file_has_a_free_licence_and_stands_in_the_notice():
    notice = (MEDIA.parents[1] / "NOTICE").read_text(encoding="utf-8")
    for entry in listed():
        assert entry["licence"] in LICENCES
        assert entry["changed"]
        assert f"local/media/{entry['path']}" in notice
        for part in entry["part"]:
            assert part["licence"] in LICENCES
            assert part["author"] in notice
            assert part["work"] in notice
            assert part["package"] in notice


def test_the_media_stay_small():
    assert sum(p.stat().st_size for p in MEDIA.rglob("*") if p.is_file()) < 15_000_000


def test_there_are_seven_titles_one_of_them_late_and_two_clean_clips():
    titles = load_titles()
    assert len(titles) >= 7
    assert [title.late for title in titles].count(True) == 1
    for title in titles:
        info = probe(title.path)
        assert 50 <= info.duration <= 75
        assert (info.video is not None, info.audio is not None) == (True, True)
    clean = sorted((MEDIA / "clean").iterdir())
    assert len(clean) >= 2
    assert all(30 <= probe(path).duration <= 46 for path in clean)


def test_every_title_is_audible_and_moves():
    for title in load_titles():
        samples = sound_of(title.path)
        seconds = samples[: len(samples) // RATE * RATE].reshape(-1, RATE)
        level = 10 * np.log10(np.mean(seconds**2, axis=1) + 1e-12)
        assert np.mean(level > -35) > 0.9, title.key
        shots = thumbnails(title.path, np.arange(2.0, 48.0, 5.0))
        assert likeness(shots[1:], shots[:-1]) < 0.9, title.key


def test_no_two_works_share_sound_or_picture():
    paths = [title.path for title in load_titles()] + sorted((MEDIA / "clean").iterdir())
    sounds = [sound_of(path) for path in paths]
    shots = [thumbnails(path, np.arange(2.0, 38.0, 3.0)) for path in paths]
    for one in range(len(paths)):
        for other in range(one):
            needle = sounds[one][10 * RATE : 20 * RATE]
            assert found_at(needle, sounds[other])[1] < 0.3, (paths[one], paths[other])
            assert likeness(shots[one], shots[other]) < 0.7, (paths[one], paths[other])


# --- uploads ----------------------------------------------------------------------------------


def test_uploads_are_many_short_and_long_enough_to_match(demo_uploads):
    _, uploads = demo_uploads
    assert len(uploads) >= 10
    assert all(probe(upload.path).duration <= 75 for upload in uploads)
    assert sum(not upload.planted for upload in uploads) >= 2
    for upload in uploads:
        for stretch in upload.planted:
            assert stretch.ugc_end - stretch.ugc_start >= 20
            assert stretch.licensed_end - stretch.licensed_start >= 20


def test_planted_sound_is_at_the_claimed_times(demo_uploads):
    _, uploads = demo_uploads
    checked = 0
    for upload in uploads:
        for stretch in upload.planted:
            # A changed speed with kept pitch has no sample-exact original to correlate with.
            if stretch.modality == "video" or stretch.speed != 1.0:
                continue
            copied = sound_of(upload.path)
            original = sound_of(MEDIA / "titles" / f"{stretch.licensed_id}.mp4")
            for offset in (3.0, 14.0):
                begin = int((stretch.ugc_start + offset) * RATE)
                second, sure = found_at(copied[begin : begin + 4 * RATE], original)
                assert second == pytest.approx(stretch.licensed_start + offset, abs=0.04)
                assert sure > 0.7
                checked += 1
    assert checked >= 10


def test_planted_picture_is_at_the_claimed_times(demo_uploads):
    _, uploads = demo_uploads
    checked = 0
    for upload in uploads:
        for stretch in upload.planted:
            if stretch.modality == "audio" or stretch.edit == "crop":
                continue
            at = np.linspace(stretch.ugc_start + 1, stretch.ugc_end - 1, 25)
            claimed = stretch.licensed_start + (at - stretch.ugc_start) * stretch.speed
            copied = thumbnails(upload.path, at)
            title = MEDIA / "titles" / f"{stretch.licensed_id}.mp4"
            shifts = (0.0, -1.5, 1.5)
            wanted = np.concatenate([claimed + shift for shift in shifts])
            order = np.argsort(wanted)
            shots = np.empty((len(wanted), copied.shape[1]))
            shots[order] = thumbnails(title, wanted[order])
            there, before, after = (likeness(copied, run) for run in np.split(shots, 3))
            assert there > 0.9, upload.key
            assert there > max(before, after), upload.key
            checked += 1
    assert checked >= 6


def test_one_upload_is_older_than_its_licence_and_one_copies_the_late_title(demo_uploads):
    _, uploads = demo_uploads
    since = {t.path.stem: t.metadata["licensed_from"] for t in load_titles()}
    for upload in uploads:
        uploaded = datetime.fromisoformat(upload.metadata["uploaded_at"])
        starts = [datetime.fromisoformat(since[s.licensed_id]) for s in upload.planted]
        assert upload.claimable == any(uploaded >= start for start in starts)
    assert sum(bool(u.planted) and not u.claimable for u in uploads) == 1
    assert sum(upload.late for upload in uploads) == 1


def test_truth_files_say_what_was_planted(demo_uploads):
    folder, uploads = demo_uploads
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["ID-piracy", "SEG-piracy", "ID-license", "SEG-license"]
    planted = [(u.path.stem, s) for u in uploads for s in u.planted]
    assert [row["ID-piracy"] for row in rows] == [stem for stem, _ in planted]
    for row, (_, stretch) in zip(rows, planted, strict=True):
        start, end = map(int, row["SEG-license"].split("-"))
        assert row["ID-license"] == stretch.licensed_id
        assert (start, end) == pytest.approx(
            (stretch.licensed_start, stretch.licensed_end), abs=0.51
        )
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    found = [s["ugc_start"] for upload in truth for s in upload["planted"]]
    assert found == [stretch.ugc_start for _, stretch in planted]


def test_a_second_build_keeps_what_is_there_and_repairs_what_is_not(demo_uploads):
    folder, uploads = demo_uploads
    lost = uploads[0].path
    data = lost.read_bytes()
    kept = {u.key: u.path.stat().st_mtime_ns for u in uploads[1:]}
    lost.unlink()
    again = build_uploads(folder)
    assert again == uploads
    assert lost.read_bytes() == data
    assert {u.key: u.path.stat().st_mtime_ns for u in again[1:]} == kept


# --- bad media --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bad_media(tmp_path_factory):
    return build_bad_media(tmp_path_factory.mktemp("bad_media"))


@pytest.mark.parametrize("kind", ["text", "empty", "no_index"])
def test_unreadable_files_are_unreadable(bad_media, kind):
    with pytest.raises(BadMedia):
        probe(bad_media[kind])


def test_awkward_files_are_readable(bad_media):
    assert probe(bad_media["audio_only"]).video is None
    assert probe(bad_media["video_only"]).audio is None
    assert probe(bad_media["one_second"]).duration == pytest.approx(1.0, abs=0.1)
    odd = bad_media["odd_name"]
    assert odd.name == "фильм с пробелами.mp4"
    assert probe(odd).duration == pytest.approx(20.0, abs=0.1)


def test_a_file_cut_in_half_still_gives_its_first_part(bad_media):
    path = bad_media["cut_in_half"]
    assert probe(path).duration == pytest.approx(10.0, abs=0.1)
    assert 2 * RATE < len(sound_of(path)) < 8 * RATE
