"""Sets are a pure function of name, seed and sources, and say exactly what was done."""

import csv
import random
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from avm_core.benchmark.edits import Planted
from avm_core.benchmark.sets import material as material_module
from avm_core.benchmark.sets.build import SPECS, build_set
from avm_core.benchmark.sets.cache import make_once, recipe_digest
from avm_core.benchmark.sets.manifest import (
    LicensedItem,
    SetManifest,
    Skipped,
    UgcItem,
    read_manifest,
    write_manifest,
)
from avm_core.benchmark.sets.material import Material, folder_material, split_material
from avm_core.benchmark.sets.plan import Counts, MadeTitle, plan_uploads
from avm_core.benchmark.sets.titles import film_titles, track_titles
from avm_core.benchmark.sources.catalogue import Source
from avm_core.errors import BadSettings
from avm_core.evaluate.truth import read_truth

SPEECH = Path("speech.m4a")


def sound(name, seconds=120.0):
    return Source(name, "album", "music", "dev", Path(f"{name}.ogg"), seconds, True, False)


def film(name, seconds=100.0, audio=True):
    return Source(name, "reel", "camera", "dev", Path(f"{name}.mp4"), seconds, audio, True)


MATERIAL = Material(
    tracks=tuple(sound(f"t{n}") for n in range(9)),
    films=(film("long"), *(film(f"s{n}", 25.0, audio=False) for n in range(7))),
    scores=tuple(sound(f"score{n}") for n in range(4)),
    jingle=sound("jingle"),
    intro=film("intro", 15.0),
    songs=tuple(sound(f"song{n}") for n in range(3)),
    footage=tuple(film(f"foreign{n}", 60.0) for n in range(3)),
    speech=(sound("voice"),),
)


def made(recipes):
    return [
        MadeTitle(
            Path("licensed") / r.media_id, r.seconds, r.works, r.shared, picture=bool(r.shots)
        )
        for r in recipes
        if r.copied
    ]


def plan(seed=1, **counts):
    rng = random.Random(seed)
    titles = made([*track_titles(MATERIAL, 6, 3), *film_titles(MATERIAL, rng)])
    wanted = Counts(**({"sound": 1, "picture": 1, "clean_sound": 5, "clean_picture": 3} | counts))
    return titles, plan_uploads(titles, MATERIAL, SPEECH, wanted, rng)


def test_titles_share_intros_and_jingles_and_never_a_scene():
    tracks = track_titles(MATERIAL, 6, 3)
    assert [t.copied for t in tracks] == [True] * 6 + [False] * 3
    assert [t.shared > 0 for t in tracks] == [True] * 3 + [False] * 6
    films = film_titles(MATERIAL, random.Random(2))
    assert len(films) >= 3
    works = [work for film in films for work in film.works if work not in ("intro", "jingle")]
    assert len(works) == len(set(works))
    assert {film.shots[0].work for film in films[:3]} == {"intro"}
    for film_recipe in films:
        assert all(shot.seconds > 0 for shot in film_recipe.shots)
        lengths = sum(shot.seconds for shot in film_recipe.shots)
        assert film_recipe.seconds == pytest.approx(lengths)


def test_every_edit_comes_at_three_strengths_and_names_are_unique():
    _, uploads = plan()
    edits = {}
    for upload in uploads:
        if upload.strength:
            edits.setdefault(upload.edit.name, []).append(upload.strength)
    assert len(edits) >= 45
    assert {tuple(strengths) for strengths in edits.values()} == {("light", "medium", "heavy")}
    assert len({upload.media_id for upload in uploads}) == len(uploads)
    for name in ("tempo", "speed", "pitch", "reverb", "speech_over", "mp3", "opus", "new_sound"):
        assert name in edits
    for name in ("rotation", "picture_in_picture", "logo", "frame_rate", "evasion", "reaction"):
        assert name in edits


def test_clips_lie_inside_their_titles_and_outside_what_is_shared():
    titles, uploads = plan()
    by_path = {title.path: title for title in titles}
    licensed = 0
    for upload in uploads:
        for clip in upload.clips:
            assert 0 <= clip.start < clip.end
            if not clip.licensed:
                continue
            licensed += 1
            title = by_path[clip.path]
            assert clip.end <= title.duration
            assert clip.end - clip.start >= 15 * min(upload.edit.speed, 1)
            if "shared" in upload.edit.name:
                assert (clip.start, title.shared > 0) == (0.0, True)
            else:
                assert clip.start >= title.shared
    assert licensed > 120
    clean = [upload for upload in uploads if not any(clip.licensed for clip in upload.clips)]
    assert {u.edit.name for u in clean} == {
        *("clean_music", "clean_speech", "clean_film", "intro_only", "jingle_only")
    }


def test_a_plan_is_the_same_again_and_another_for_another_seed():
    assert plan(1)[1] == plan(1)[1]
    assert plan(1)[1] != plan(2)[1]
    only = plan(names=("noise",), strengths=("heavy",), clean_sound=0, clean_picture=0)[1]
    assert [u.media_id for u in only if u.strength] == ["noise_heavy_0"]


# --- the manifest -----------------------------------------------------------------------------


def example():
    both = Planted("film", 1.25, 31.5, 10.0, 40.25, 1.0, "crop", "both")
    seen = Planted("film", 2.0, 20.0, 5.0, 23.0, 1.0, "new_sound", "video")
    common = {"works": ("w",), "strength": "light", "steps": "…"}
    return SetManifest(
        "dev",
        7,
        (LicensedItem("film", "licensed/film.mp4", 90.0, True, True, ("a", "b"), True),),
        (
            UgcItem("a", "ugc/a.mp4", 40.0, True, True, edit="crop", planted=(both,), **common),
            UgcItem("b", "ugc/b.mp4", 30.0, True, True, edit="x", planted=(seen,), **common),
            UgcItem("c", "ugc/c.m4a", 1800.0, True, False, edit="c", planted=(), **common),
        ),
        (Skipped("bad.ogg", "not readable"),),
    )


def test_a_manifest_is_read_as_it_was_written(tmp_path):
    write_manifest(example(), tmp_path)
    assert read_manifest(tmp_path) == example()
    rows = read_truth(tmp_path / "truth.csv")
    assert rows == example().truth()
    with (tmp_path / "truth_rutube.csv").open() as file:
        assert list(csv.reader(file)) == [
            ["ID-piracy", "SEG-piracy", "ID-license", "SEG-license"],
            ["a", "1-32", "film", "10-40"],
            ["b", "2-20", "film", "5-23"],
        ]


def test_a_task_sees_its_own_streams_only():
    manifest = example()
    assert [row.ugc_id for row in manifest.truth("audio")] == ["a"]
    assert [row.ugc_id for row in manifest.truth("video")] == ["a", "b"]
    assert [item.media_id for item in manifest.uploads("video")] == ["a", "b"]
    assert (manifest.clean_hours("audio"), manifest.clean_hours("video")) == (0.5, 0)


def test_a_missing_or_broken_manifest_says_what_to_do(tmp_path):
    with pytest.raises(BadSettings, match="build the set with `avm bench build`"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text('{"name": "dev"}')
    with pytest.raises(BadSettings, match="build the set again"):
        read_manifest(tmp_path)


# --- making once ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Loud:
    amount: float


@dataclass(frozen=True)
class Soft:
    amount: float


def test_a_digest_knows_values_classes_and_bytes(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"one")
    digests = [recipe_digest(Loud(1.0)), recipe_digest(Loud(2.0)), recipe_digest(Soft(1.0))]
    digests.append(recipe_digest((path, None)))
    path.write_bytes(b"other")
    digests.append(recipe_digest((path, None)))
    assert len(set(digests)) == 5
    assert recipe_digest(Loud(1.0)) == digests[0]
    with pytest.raises(TypeError, match="a recipe holds object"):
        recipe_digest(object())


def test_a_file_is_made_once_and_a_killed_run_leaves_nothing_that_looks_finished(tmp_path):
    path, calls = tmp_path / "a.m4a", []

    def make(partial):
        calls.append(partial.name)
        partial.write_bytes(b"made")
        return {"number": len(calls)}

    def die(partial):
        partial.write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_once(path, "first", die)
    assert not path.exists()
    assert make_once(path, "first", make) == make_once(path, "first", make) == {"number": 1}
    assert make_once(path, "second", make) == {"number": 2}
    with pytest.raises(KeyboardInterrupt):
        make_once(path, "third", die)
    # What is there is the second one, but it is not taken for the third.
    assert make_once(path, "third", make) == {"number": 3}


def test_unknown_sets_and_empty_folders_say_what_to_do(tmp_path):
    with pytest.raises(BadSettings, match="choose one of smoke, dev, test"):
        build_set("exam", tmp_path, sources_dir=tmp_path, media=tmp_path)
    with pytest.raises(BadSettings, match="needs media in titles/"):
        folder_material(tmp_path)
    assert set(SPECS) == {"smoke", "dev", "test"}


def test_no_work_is_both_licensed_and_foreign(monkeypatch, tmp_path):
    # Every work has two files, as a song and its guitar track.
    songs = [
        replace(sound(f"w{n}", 100.0 + part), path=Path(f"w{n}_{part}.ogg"))
        for n in range(70)
        for part in range(2)
    ]
    films = [film(f"f{n}", 30.0) for n in range(10)]
    found = {"music": songs, "speech": [sound("voice", 5.0)], "camera": films}
    monkeypatch.setattr(
        material_module, "sources", lambda split, cache, *, kinds, **_: (found[kinds[0]], [])
    )
    made = split_material("dev", tmp_path, 20, random.Random(3))
    parts = (made.tracks, made.scores, made.songs, (made.jingle,))
    works = [source.work for part in parts for source in part]
    assert len(works) == len(set(works)) == 70
    assert all(source.path.stem.endswith("_1") for part in parts for source in part)
    # All that no title needs is foreign, for as many hours of clean uploads as there can be.
    assert (len(made.tracks), len(made.scores), len(made.songs)) == (20, 16, 33)
    pictured = [source.work for source in (*made.films, *made.footage, made.intro)]
    assert len(pictured) == len(set(pictured)) == 10
