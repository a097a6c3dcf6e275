"""An evaluation by batches gives the numbers of the command line, and does nothing twice."""

import json
from dataclasses import replace

import numpy as np
import pytest

from avm_core.benchmark.edits import Clip, Edit, make_copy
from avm_core.benchmark.edits.sound import Resampled
from avm_core.benchmark.evaluation import evaluation as keys
from avm_core.benchmark.evaluation.plan import (
    plan_evaluation,
    plan_points,
    plan_prints,
    plan_queries,
    sweep_points,
)
from avm_core.benchmark.evaluation.stages import make_prints, match_queries, score_evaluation
from avm_core.benchmark.evaluation.stored_set import load_set, store_set
from avm_core.benchmark.sets.manifest import LicensedItem, SetManifest, UgcItem, write_manifest
from avm_core.cli import main
from avm_core.commands import bench_sets
from avm_core.config import PipelineConfig, Settings
from avm_core.errors import BadSettings
from avm_core.media.write import write_media
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.staging import record
from tests.avm_core.media.makers import RATE
from tests.avm_core.pipeline.conftest import make_platform

__all__ = ["make_platform"]

SECONDS = 40


def melody(seed, seconds):
    """Random tones that change four times a second, float32 [N]."""
    tones = np.repeat(np.random.default_rng(seed).uniform(300, 3000, 4 * seconds), RATE // 4)
    return (0.3 * np.sin(2 * np.pi * np.cumsum(tones) / RATE)).astype(np.float32)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A set of sound alone: two titles, two kinds of copies, and uploads that copy nothing."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "licensed").mkdir()
    (folder / "ugc").mkdir()
    titles, uploads = [], []
    for number, name in enumerate(("song", "tune")):
        path = folder / "licensed" / f"{name}.m4a"
        write_media(path, audio=melody(number, SECONDS))
        titles.append(LicensedItem(name, f"licensed/{name}.m4a", SECONDS, True, False, (), True))
        for edit in (
            Edit("plain", drop="picture"),
            Edit("resample", sound=(Resampled(8000),), drop="picture"),
        ):
            copy = f"{name}_{edit.name}"
            planted = make_copy([Clip(path, 5.0, 30.0)], folder / "ugc" / f"{copy}.m4a", edit)
            uploads.append(upload(copy, 25.0, edit.name, tuple(planted)))
    for number in range(2):
        name = f"clean_{number}"
        write_media(folder / "ugc" / f"{name}.m4a", audio=melody(50 + number, 20))
        uploads.append(upload(name, 20.0, "clean_music", ()))
    manifest = SetManifest("smoke", 1, tuple(titles), tuple(uploads))
    write_manifest(manifest, folder)
    return manifest, folder


def upload(name, seconds, edit, planted):
    strength = "light" if planted else ""
    return UgcItem(name, f"ugc/{name}.m4a", seconds, True, False, (), edit, strength, "", planted)


@pytest.fixture
def platform(make_platform):
    """Two uploads a batch, so that every metric is made of several batches."""
    return make_platform(pipeline=PipelineConfig(batch_media_count=2))


@pytest.fixture
def without_catalog(tmp_path):
    """A platform of a lake alone, for what never asks the catalog."""
    (tmp_path / "lake").mkdir()
    return Platform(
        Settings(lake_uri=str(tmp_path / "lake"), cache_dir=str(tmp_path), video_fingerprinter="")
    )


def plan(platform, tiny, points=({},), *, edits=(), run_id="run-1", sweep=False):
    stored = store_set(platform, tiny[1])
    return plan_points(
        platform, stored, points, modality="audio", edits=edits, run_id=run_id, sweep=sweep
    )


def carry_out(platform, evaluations):
    """All stages in turn; how many batches of prints and of uploads there were."""
    prints = plan_prints(platform, evaluations)
    for batch in prints:
        make_prints(platform, batch)
    queries = plan_queries(platform, evaluations)
    for batch in queries:
        match_queries(platform, batch)
    units = [score_evaluation(platform, batch) for batch in evaluations]
    record(platform, units, message="test")
    return len(prints), len(queries)


def select(platform, text):
    with platform.catalog() as catalog:
        return catalog.select(text).to_pylist()


def command_line(monkeypatch, capsys, tiny, **settings):
    """`avm bench quality` on the same set."""
    monkeypatch.setattr(bench_sets, "build", lambda _: tiny)
    for name, value in settings.items():
        monkeypatch.setenv(f"AVM_{name}", value)
    assert main(["bench", "quality", "--modality", "audio", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_batches_give_the_numbers_of_the_command_line(platform, tiny, monkeypatch, capsys):
    assert carry_out(platform, plan(platform, tiny)) == (4, 3)
    want = command_line(monkeypatch, capsys, tiny)
    assert want["overall"]["f1"] == 1.0
    found = select(platform, "FROM evaluation_metrics")
    for edit, scores in (("", want["overall"]), *want["edits"].items()):
        got = {
            row["metric"]: row["value"]
            for row in found
            if row["edit"] == edit and row["strength"] == ""
        }
        assert {name: got[name] for name in scores} == scores, edit
    assert {row["edit"] for row in found} == {"", "plain", "resample", "clean_music"}
    [row] = select(platform, "FROM evaluations")
    assert (row["final"], row["titles"], row["uploads"]) == (want["overall"]["final"], 2, 6)
    assert row["final_low"] <= row["final"] <= row["final_high"]
    assert (row["set_name"], row["split"], row["modality"]) == ("smoke", "demo", "audio")
    assert row["media_seconds"] == pytest.approx(140.0)
    assert row["video_fingerprinter"] is None
    with platform.catalog() as catalog:
        assert {name: n for name, n in catalog.check().items() if n} == {}


def test_what_was_done_is_not_done_again(platform, tiny):
    evaluations = plan(platform, tiny)
    [first, *_] = plan_prints(platform, evaluations)
    assert make_prints(platform, first) == {"made": 2}
    assert len(plan_prints(platform, evaluations)) == 3  # as after a kill
    assert make_prints(platform, first) == {"made": 0}
    carry_out(platform, evaluations)
    before = select(platform, "FROM evaluations")
    again = plan(platform, tiny, run_id="run-2")
    assert carry_out(platform, again) == (0, 0)
    assert carry_out(platform, plan(platform, tiny)) == (0, 0)
    assert len(select(platform, "SELECT DISTINCT evaluation_id FROM evaluation_metrics")) == 2
    [latest] = select(platform, "FROM evaluations")
    assert (latest["run_id"], latest["final"]) == ("run-2", before[0]["final"])
    assert latest["seconds"] == before[0]["seconds"]


def test_a_change_of_code_matches_again_with_the_prints_that_are_there(platform, tiny, monkeypatch):
    carry_out(platform, plan(platform, tiny))
    monkeypatch.setattr(keys, "code_version", lambda: "changed!")
    assert carry_out(platform, plan(platform, tiny)) == (0, 3)


def test_edits_restrict_the_uploads(platform, tiny):
    carry_out(platform, plan(platform, tiny, edits=["resample"]))
    [row] = select(platform, "FROM evaluations")
    assert (row["edits"], row["uploads"], row["titles"]) == ("resample", 2, 2)
    assert row["fp_per_clean_hour"] is None
    with pytest.raises(
        BadSettings, match="no edit 'sample': choose from plain, resample, clean_music"
    ):
        plan(platform, tiny, edits=["resample", "sample"])


def test_a_sweep_names_its_winner_and_each_point_is_what_its_settings_give(
    platform, tiny, monkeypatch, capsys
):
    grid = {"match.min_duration": [24.0, 28.0]}
    points = sweep_points(platform, "audio", grid, baseline=True)
    assert points == [{}, {"match.min_duration": 24.0}, {"match.min_duration": 28.0}]
    evaluations = plan(platform, tiny, points, sweep=True)
    assert carry_out(platform, evaluations) == (4, 9)  # prints once, matches for every point
    rows = select(platform, "FROM experiments WHERE metric = 'final'")
    by_point = {row["point"]: row for row in rows}
    assert len(by_point) == 3
    # Copies of 25 s cannot be found where a match must have 28.
    short = by_point['{"match.min_duration": 28.0}']
    assert (short["value"], short["place"], short["real"]) == (0.0, 3, True)
    in_force = by_point["{}"]
    assert short["gain"] == -in_force["value"]
    assert short["gain_low"] <= short["gain"] <= short["gain_high"] < 0
    assert (in_force["gain"], in_force["real"]) == (None, None)
    assert {point for point, row in by_point.items() if row["wins"]} >= {"{}"}
    for minimum in (24.0, 28.0):
        want = command_line(monkeypatch, capsys, tiny, MATCH__MIN_DURATION=str(minimum))
        got = by_point[json.dumps({"match.min_duration": minimum})]["value"]
        assert got == want["overall"]["final"]


def test_the_settings_in_force_are_measured_once(without_catalog):
    in_force = without_catalog.settings.match.k
    points = sweep_points(without_catalog, "audio", {"match.k": [10, in_force]}, baseline=True)
    assert points == [{"match.k": 10}, {"match.k": in_force}]
    assert sweep_points(without_catalog, "audio", {"match.k": [10]}, baseline=False) == [
        {"match.k": 10}
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"modality": "video"}, "set AVM_VIDEO_FINGERPRINTER"),
        ({"grid": {"match.k": [0]}}, r"'match\.k', value 0"),
        ({"grid": {"audio_fingerprinter": ["audio_none.v9"]}}, "audio_none.v9"),
        ({"grid": {"audio_fingerprinter": ["video_gem.v1"]}}, "is no audio fingerprinter"),
        ({"set_name": "exam"}, "unknown set 'exam'"),
    ],
)
def test_what_is_wrong_is_refused_before_anything_is_built(
    without_catalog, tmp_path, arguments, said
):
    given = {"set_name": "smoke", "modality": "audio", "run_id": "r"} | arguments
    with pytest.raises(BadSettings, match=said):
        plan_evaluation(without_catalog, **given)
    assert list(without_catalog.lake.list()) == []


def test_a_plan_of_too_many_batches_says_what_to_do(without_catalog, tiny):
    few = replace(
        without_catalog,
        settings=without_catalog.settings.model_copy(
            update={"pipeline": PipelineConfig(batch_media_count=1, max_batches=5)}
        ),
    )
    with pytest.raises(BadSettings, match="take fewer points"):
        plan_prints(few, plan(few, tiny))


def test_a_file_that_cannot_be_read_finds_nothing_and_fails_nothing(platform, tiny, tmp_path):
    manifest, folder = tiny
    broken = tmp_path / "set"
    (broken / "ugc").mkdir(parents=True)
    (broken / "licensed").symlink_to(folder / "licensed")
    for item in manifest.ugc:
        (broken / item.path).write_bytes((folder / item.path).read_bytes())
    (broken / "ugc" / "song_resample.m4a").write_bytes(b"not media")
    write_manifest(manifest, broken)
    carry_out(platform, plan(platform, (manifest, broken)))
    rows = select(platform, "FROM evaluation_metrics WHERE metric = 'found' AND strength = ''")
    assert {row["edit"]: row["value"] for row in rows} == {
        "": 0.75,
        "plain": 1.0,
        "resample": 0.5,
        "clean_music": None,
    }


def test_a_set_comes_back_from_the_lake_as_it_was_put_there(without_catalog, tiny):
    stored = store_set(without_catalog, tiny[1])
    assert load_set(without_catalog.lake, stored.digest) == stored
    assert stored.manifest == tiny[0]
    sizes = {item.key: item.modified for item in without_catalog.lake.list("bench/media/")}
    assert store_set(without_catalog, tiny[1]) == stored
    assert {item.key: item.modified for item in without_catalog.lake.list("bench/media/")} == sizes
    assert len(sizes) == 8
