"""Pictures compared one by one, on small sets whose truth is planted."""

import json

import numpy as np
import pytest

from avm_core.benchmark import frames
from avm_core.benchmark.edits.types import Planted
from avm_core.benchmark.frame_sources import FrameSource, Pictures, frame_sources
from avm_core.benchmark.frames import measure_frames
from avm_core.benchmark.sets.manifest import LicensedItem, SetManifest, UgcItem
from avm_core.errors import BadMedia, BadSettings
from avm_core.match.calibration import Calibration
from avm_core.models.background import Background

SECONDS, DIMS = 40, 64


class Printer:
    key, modality = "made-1", "video"

    def __init__(self, missing=None):
        self._missing = missing

    def missing(self):
        return self._missing


def read(data):
    held = json.loads(data)
    vectors = np.float32(held["vectors"]).reshape(-1, DIMS)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return Pictures(np.array(held["times"], float), unit)


def film(seed, seconds=SECONDS):
    """A picture a second, unlike every other."""
    return np.random.default_rng(seed).normal(size=(seconds, DIMS))


@pytest.fixture
def measure(tmp_path, monkeypatch):
    """Measures titles {name: vectors} and uploads {name: (vectors, planted stretches)}; `works`
    {title: names} and `edits` {upload: name} where it matters, other names of a source by key."""
    monkeypatch.setattr(frames, "kept_print", lambda printer, path, prints: path.read_bytes())

    def written(name, vectors):
        times = list(np.arange(len(vectors)) + 0.5)
        held = {"times": times, "vectors": np.asarray(vectors).tolist()} if len(vectors) else None
        (tmp_path / name).write_text(json.dumps(held) if held else "")
        return name, float(len(vectors))

    def run(titles, uploads, works=None, edits=None, **source):
        licensed = [
            LicensedItem(
                name, *written(name, v), True, True, (works or {}).get(name, (name,)), True
            )
            for name, v in titles.items()
        ]
        ugc = [
            UgcItem(
                *(name, *written(name, v), True, True, ()),
                *((edits or {}).get(name, "plain"), "light", "", tuple(planted)),
            )
            for name, (v, planted) in uploads.items()
        ]
        made = FrameSource("made", Printer(), read, **source)
        manifest = SetManifest("smoke", 1, tuple(licensed), tuple(ugc))
        return measure_frames([made], manifest, tmp_path, tmp_path, lambda *_: None)["made"]

    return run


def stretch(title, ugc, licensed, speed=1.0, modality="both"):
    return Planted(title, *map(float, (*ugc, *licensed)), speed, "plain", modality)


def test_a_copy_among_foreign_pictures_is_told_from_all_else(measure):
    titles = {"a": film(1), "b": film(2)}
    upload = np.concatenate([film(3, 6), titles["a"][12:22], film(4, 5)])
    copy = stretch("a", (6, 16), (12, 22))
    found = measure(titles, {"u": (upload, [copy])})
    assert found["pictures"] == 21
    assert found["micro_ap"] == {"place": 1.0, "title": 1.0}
    assert found["own"] == {"count": 10, "p10": pytest.approx(1), "p50": pytest.approx(1)}
    # Foreign pictures against both titles, copied ones against the other.
    assert found["unrelated"]["count"] == 11 * 2 * SECONDS + 10 * SECONDS
    assert abs(found["unrelated"]["p50"]) < 0.05
    assert found["unrelated"]["p999"] < 0.6
    assert found["micro_ap_normalised"] is None
    assert found["passing"] is None


def test_two_titles_in_one_upload_are_each_other_s_strangers(measure):
    titles = {"a": film(1), "b": film(2), "c": film(5)}
    upload = np.concatenate([titles["a"][5:15], titles["b"][20:30]])
    planted = [stretch("a", (0, 10), (5, 15)), stretch("b", (10, 20), (20, 30))]
    found = measure(titles, {"u": (upload, planted)})
    assert found["own"]["count"] == 20
    assert found["micro_ap"] == {"place": 1.0, "title": 1.0}
    # Its titles taken for each other, nothing is right.
    swapped = [stretch("b", (0, 10), (5, 15)), stretch("a", (10, 20), (20, 30))]
    assert measure(titles, {"u": (upload, swapped)})["micro_ap"]["title"] < 0.3


def test_in_a_title_of_one_scene_only_the_title_can_be_right(measure):
    scene = np.repeat(film(7, 1), SECONDS, axis=0)
    titles = {"a": scene, "b": film(2)}
    found = measure(titles, {"u": (scene[20:30], [stretch("a", (0, 10), (20, 30))])})
    assert found["micro_ap"]["title"] == 1.0
    assert found["micro_ap"]["place"] == 0.0  # the first of its like pictures is far away


def test_the_place_follows_the_speed(measure):
    titles = {"a": film(1), "b": film(2)}
    fast = titles["a"][4:34:2]
    uploads = {"u": (fast, [stretch("a", (0, 15), (4, 34), speed=2.0)])}
    assert measure(titles, uploads)["micro_ap"]["place"] == 1.0
    # At another speed the truth runs away from what is shown by over 2 s after two pictures.
    uploads = {"u": (fast, [stretch("a", (0, 15), (4, 19), speed=1.0)])}
    wrong = measure(titles, uploads)
    assert wrong["micro_ap"]["title"] == 1.0
    assert wrong["micro_ap"]["place"] < 0.25


def test_a_shared_intro_is_held_against_nobody(measure):
    intro = film(9, 10)
    titles = {name: np.concatenate([intro, film(n, 20)]) for n, name in enumerate("ab")}
    upload = np.concatenate([intro[2:], titles["a"][10:20]])
    uploads = {"u": (upload, [stretch("a", (0, 18), (2, 20))])}
    strict = measure(titles, uploads)
    fair = measure(titles, uploads, works={"a": ("intro", "one"), "b": ("intro", "two")})
    assert strict["micro_ap"]["title"] < 0.9
    assert fair["micro_ap"]["title"] == 1.0
    assert fair["own"]["count"] == strict["own"]["count"] == 18
    assert fair["unrelated"]["count"] == 10 * 30


def test_pictures_that_may_be_of_either_side_of_a_cut_do_not_count(measure):
    titles = {"a": film(1), "b": film(2)}
    upload = np.concatenate([film(3, 6), titles["a"][12:22]])
    # The picture at 6.5 s may be of the stretch that begins at 6.6, as may that of 6.7.
    found = measure(titles, {"u": (upload, [stretch("a", (6.6, 16), (12.6, 22))])})
    assert found["own"]["count"] == 9
    assert found["unrelated"]["count"] == 16 * SECONDS + 6 * SECONDS


def test_a_place_without_a_picture_of_the_title_does_not_count(measure):
    titles = {"a": film(1), "b": film(2)}
    # The title's pictures end at 39.5 s, its stretch is said to go on to 46.
    upload = np.concatenate([titles["a"][34:40], film(3, 6)])
    found = measure(titles, {"u": (upload, [stretch("a", (0, 12), (34, 46))])})
    assert found["own"]["count"] == 7  # the picture at 40.5 s is 1 s behind the last
    assert found["micro_ap"]["place"] < 1


def test_only_uploads_with_a_planted_picture_are_looked_at(measure):
    titles = {"a": film(1), "b": film(2)}
    copy = (titles["b"][3:9], [stretch("b", (0, 6), (3, 9), modality="video")])
    heard = (film(5, 9), [stretch("a", (0, 9), (3, 12), modality="audio")])
    found = measure(titles, {"u": copy, "heard": heard, "clean": (film(6, 9), [])})
    assert found["pictures"] == found["own"]["count"] == 6


def test_every_edit_has_its_own_scores(measure):
    titles = {"a": film(1), "b": film(2)}
    noisy = titles["a"][5:15] + 3 * film(11, 10)
    planted = [stretch("a", (0, 10), (5, 15))]
    uploads = {"u": (titles["a"][5:15], planted), "v": (noisy, planted)}
    found = measure(titles, uploads, edits={"u": "mirror", "v": "grain"})
    assert list(found["edits"]) == ["grain", "mirror"]
    assert found["edits"]["mirror"]["micro_ap"]["place"] == 1.0
    assert found["edits"]["mirror"]["own"]["p10"] == pytest.approx(1)
    assert found["edits"]["grain"]["own"]["p50"] < 0.6
    assert found["edits"]["grain"]["micro_ap"]["place"] < found["micro_ap"]["place"] < 1


def test_the_normalisation_takes_what_resembles_the_background_down(measure):
    titles = {"a": film(1), "b": film(2)}
    # Foreign pictures that look much like a title's, and like the background.
    fog = titles["b"][30:36] + 0.1 * film(12, 6)
    dim = titles["a"][5:15] + 0.9 * film(13, 10)
    uploads = {"u": (np.concatenate([fog, dim]), [stretch("a", (6, 16), (5, 15))])}
    background = Background.of(titles["b"][30:36].astype(np.float32))
    found = measure(titles, uploads, background=background)
    assert found["micro_ap"]["place"] < 0.8
    assert found["micro_ap_normalised"] == {"place": 1.0, "title": 1.0}


def test_passing_says_what_the_matcher_would_let_in(measure):
    titles = {"a": film(1), "b": film(2)}
    near = titles["b"][:10] + 0.02 * film(3, 10)
    uploads = {"u": (near, [stretch("a", (0, 10), (5, 15))])}
    scale = Calibration(hit=0.9, floor=0.8, margin=0.7)
    found = measure(titles, uploads, scale=scale)
    # Each of ten pictures resembles one of the 40 of a title that is not said to be shown.
    expected = 10 / (10 * SECONDS)
    assert found["passing"] == pytest.approx(dict.fromkeys(("hit", "floor", "margin"), expected))


def test_media_without_a_valid_picture_are_left_out(measure):
    titles = {"a": film(1), "black": np.empty((0, DIMS)), "b": film(2)}
    planted = [stretch("b", (0, 6), (3, 9))]
    uploads = {"u": (titles["b"][3:9], planted), "dark": (np.empty((0, DIMS)), planted)}
    found = measure(titles, uploads)
    assert found["micro_ap"]["place"] == 1.0
    with pytest.raises(BadMedia, match="no"):
        measure({"black": np.empty((0, DIMS))}, {"u": uploads["u"]})


def test_blocks_do_not_show(measure, monkeypatch):
    titles = {"a": film(1), "b": film(2)}
    upload = np.concatenate([film(3, 6), titles["a"][12:22] + film(8, 10), film(4, 5)])
    uploads = {"u": (upload, [stretch("a", (6, 16), (12, 22))])}
    whole = measure(titles, uploads)
    monkeypatch.setattr(frames, "_BLOCK", 4)
    parts = measure(titles, uploads)
    assert parts["micro_ap"] == pytest.approx(whole["micro_ap"])
    assert parts["unrelated"] == pytest.approx(whole["unrelated"])


def test_a_source_that_cannot_run_says_why(tmp_path):
    source = FrameSource("made", Printer("install it"), read)
    found = measure_frames([source], SetManifest("s", 1, (), ()), tmp_path, tmp_path, print)
    assert found == {"made": {"missing": "install it"}}


def test_sources_are_all_that_describe_pictures():
    names = [source.name for source in frame_sources()]
    assert names == ["video_gem.v1", "video_lite0.imagenet", "pdq", "sscd"]
    assert {s.name for s in frame_sources() if s.background} == {"video_gem.v1"}
    for unknown in ("audio_conv.v2", "video_nothing.v1", "chromaprint"):
        with pytest.raises(BadSettings, match=unknown):
            frame_sources([unknown])
