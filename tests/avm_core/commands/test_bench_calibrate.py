"""`avm bench calibrate`: which tracks and fingerprinters it measures, and what it refuses."""

import json
from pathlib import Path

import pytest

from avm_core.benchmark.sources.catalogue import Source
from avm_core.cli import main
from avm_core.commands import bench_calibrate
from avm_core.models.checkpoint import trained

WEIGHTS = trained("audio_conv.v2")


def source(kind, number, seconds, audio=True):
    path = Path(f"{kind}{number}.ogg")
    return Source(str(path), "pack", kind, "train", path, seconds, audio, not audio)


MUSIC = [source("music", n, 100.0, audio=n != 3) for n in range(6)]
SPEECH = [source("speech", n, seconds) for n, seconds in enumerate((5.0, 9.0, 7.0, 1.0))]


@pytest.fixture
def calibrate(monkeypatch, capsys):
    """Runs the command with the measurement left out: the exit code, the outputs, and what would
    have been measured."""
    asked = {}

    def sources(split, cache_dir, *, kinds, min_seconds):
        assert (split, cache_dir) == ("train", Path("cache"))
        assert min_seconds == (60.0 if kinds == ("music",) else 0.0)
        return (MUSIC if kinds == ("music",) else SPEECH), []

    def measure(makers, tracks, speech):
        asked.update(makers=makers, tracks=tracks, speech=speech)
        return {"tracks": len(tracks)}

    monkeypatch.setattr(bench_calibrate, "sources", sources)
    monkeypatch.setattr(bench_calibrate, "measure_calibration", measure)

    def run(*more):
        code = main(["bench", "calibrate", "--sources", "cache", "--json", *more])
        return code, capsys.readouterr(), asked

    return run


def test_tracks_are_drawn_from_music_with_sound_and_speech_is_the_longest(calibrate):
    code, printed, asked = calibrate("--count", "3")
    assert (code, json.loads(printed.out)) == (0, {"tracks": 3})
    assert list(asked["makers"]) == ["audio_conv.v2"]
    assert asked["speech"] == [SPEECH[n].path for n in (1, 2, 0)]
    first = asked["tracks"]
    assert len(set(first)) == 3
    assert calibrate("--count", "3")[2]["tracks"] == first
    calibrate("--count", "5")
    assert set(asked["tracks"]) == {s.path for s in MUSIC if s.audio}


def test_names_and_weights_with_windows_of_their_own(calibrate):
    names, files = "audio_logmel.dct,audio_conv.v2@2", f"{WEIGHTS},{WEIGHTS}@1"
    code, _, asked = calibrate("--count", "2", "--only", names, "--weights", files)
    assert code == 0
    assert list(asked["makers"]) == [*names.split(","), *files.split(",")]
    *_, whole, short = (maker.id for maker in asked["makers"].values())
    assert whole.modality == short.modality == "audio"
    assert whole != short
    # Weights alone: the configured fingerprinter is not wanted too.
    assert list(calibrate("--count", "2", "--weights", f"{WEIGHTS}@1")[2]["makers"]) == [
        f"{WEIGHTS}@1"
    ]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--count", "6"), "5 tracks of a minute"),
        (("--count", "2", "--only", "audio_conv.v2@long"), "window in seconds"),
        (("--count", "2", "--only", "audio_conv.none"), "unknown fingerprinter"),
        (("--count", "2", "--only", "video_lite0.imagenet"), "describes pictures"),
        (("--count", "2", "--weights", "nowhere.safetensors"), "no weights at"),
    ],
)
def test_wrong_arguments_exit_with_2_and_say_why(calibrate, arguments, why):
    code, printed, asked = calibrate(*arguments)
    assert code == 2
    assert why in printed.err
    assert not asked
