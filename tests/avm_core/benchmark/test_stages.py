"""The stages taken apart: each gets its own time, and together they make the same fingerprint."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from avm_core.benchmark import timing
from avm_core.benchmark.stages import measure_stages
from avm_core.benchmark.timing import Stopwatch, best_of
from avm_core.config import DecodeConfig
from avm_core.errors import BadMedia
from avm_core.fingerprint.codec import encode, quantise
from avm_core.fingerprint.registry import create
from avm_core.fingerprint.stages import STAGES
from avm_core.media.decode import decode_audio, decode_frames
from avm_core.media.probe import probe
from avm_core.media.write import write_media
from avm_core.models.audio import LogmelConfig, LogmelDct
from avm_core.models.video import GemConfig, GemDescriber
from tests.avm_core.media.makers import RATE, numbered

MEDIA = Path(__file__).resolve().parents[3] / "local" / "media"
SECONDS = 12
SMALL = DecodeConfig(frame_size=64, max_views=0)
NAMES = ("audio_logmel.dct", "video_lite0.imagenet")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Twelve seconds of sound that moves, and a picture that changes every frame."""
    path = tmp_path_factory.mktemp("stages") / "clip.mp4"
    noise = np.random.default_rng(3).normal(0, 0.1, SECONDS * RATE)
    loud = 1 + 0.8 * np.sin(np.arange(len(noise)) / RATE * 9)
    pictures = (numbered(9000 + n) for n in range(SECONDS * 25))
    write_media(path, video=pictures, audio=(noise * loud).astype(np.float32))
    return path


@pytest.fixture(scope="module")
def makers():
    """Both fingerprinters, loaded once: the network is most of the time here."""
    return {name: create(name, SMALL, device="cpu") for name in NAMES}


@pytest.fixture(scope="module")
def wanted(makers, clip):
    """The clip's fingerprints as everyday work makes them."""
    info = probe(clip)
    return {
        name: maker.fingerprint(clip, content_id="a", info=info) for name, maker in makers.items()
    }


@pytest.fixture(scope="module")
def measured(clip):
    with pytest.MonkeyPatch.context() as patch:
        # A counter that runs looks like pictures of their own; how many depends on the size.
        patch.setenv("AVM_DECODE__MAX_VIEWS", "0")
        patch.setenv("AVM_VIDEO_FINGERPRINTER", NAMES[1])
        return measure_stages([clip, MEDIA / "music" / "caves.m4a"])


# --- the same fingerprint ---------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_watched_fingerprint_is_the_same_fingerprint(makers, wanted, clip, name):
    watch = Stopwatch(lambda: None)
    found = makers[name].fingerprint(clip, content_id="a", info=probe(clip), watch=watch)
    assert encode(found) == encode(wanted[name])
    assert len(found.starts) > 5
    assert found.valid.any()
    assert list(watch.seconds()) == list(STAGES)
    assert min(watch.seconds().values()) > 0


def test_sound_stages_one_after_the_other_are_the_fingerprint(wanted, clip):
    model = LogmelDct(LogmelConfig())
    blocks = list(decode_audio(clip, sample_rate=16_000))
    parts = list(model.pool(list(model.embed(list(model.preprocess(blocks))))))
    np.testing.assert_array_equal(
        np.concatenate([quantise(vectors) for vectors, _ in parts]), wanted[NAMES[0]].descriptors
    )
    np.testing.assert_array_equal(
        np.concatenate([valid for _, valid in parts]), wanted[NAMES[0]].valid
    )


def test_sound_stages_keep_frames_apart_from_blocks(clip):
    [samples] = decode_audio(clip, sample_rate=16_000)
    model = LogmelDct(LogmelConfig())
    whole = list(model.preprocess([samples]))
    pieces = list(model.preprocess(np.split(samples, [100, 5_000, 60_001])))
    assert len(whole) == 1
    assert len(pieces) == 3  # a hundred samples are no frame yet
    mel = np.concatenate([part.numpy() for part, _ in pieces], axis=1)
    assert mel.shape == (40, whole[0][0].shape[1])
    np.testing.assert_allclose(mel, whole[0][0].numpy(), rtol=1e-3, atol=1e-6)
    [context] = model.embed(whole)
    assert context.shape == (13, mel.shape[1])


def test_picture_stages_one_after_the_other_are_the_fingerprint(wanted, clip):
    model = GemDescriber(GemConfig(size=SMALL.frame_size))
    gap = SMALL.max_keyframe_gap
    batches = list(decode_frames(clip, step=SMALL.frame_step, max_keyframe_gap=gap, size=64))
    pictures = list(model.preprocess(batches))
    assert [tuple(batch.shape) for batch, _ in pictures] == [
        (len(frames.times), 3, 64, 64) for frames in batches
    ]
    parts = list(model.pool(list(model.embed(pictures))))
    np.testing.assert_array_equal(
        np.concatenate([quantise(vectors) for vectors, _ in parts]), wanted[NAMES[1]].descriptors
    )
    np.testing.assert_array_equal(
        np.concatenate([valid for _, valid in parts]), wanted[NAMES[1]].valid
    )


# --- whose time it is -------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves only when told: `clock(seconds)`."""
    now = [0.0]

    def tick(seconds):
        now[0] += seconds

    monkeypatch.setattr(timing.time, "perf_counter", lambda: now[0])
    return tick


def test_the_stopwatch_gives_each_stage_its_own_time(clock):
    def source():
        for number in range(3):
            clock(1.0)
            yield number
        clock(0.5)  # closing the file

    def doubled(numbers, cost):
        for number in numbers:
            clock(cost)
            yield 2 * number

    watch = Stopwatch(lambda: None)
    for _ in range(2):  # files add up
        parts = watch("normalise", source())
        for stage, cost in zip(STAGES[1:], (2.0, 8.0, 0.25), strict=True):
            parts = watch(stage, doubled(parts, cost))
        found = []
        for part in parts:
            clock(100.0)  # what the caller does is no stage
            found.append(part)
        assert found == [0, 8, 16]
    wanted = {"normalise": 7.0, "preprocess": 12.0, "context": 48.0, "interval": 1.5}
    assert watch.seconds() == pytest.approx(wanted)


def test_work_of_the_device_counts_for_the_stage_that_asked(clock):
    owed = [0.0]

    def wait():
        clock(owed[0])
        owed[0] = 0.0

    def lazy(numbers, cost):
        for number in numbers:
            owed[0] += cost
            yield number

    watch = Stopwatch(wait)
    parts = watch("normalise", iter(range(4)))
    for stage, cost in zip(STAGES[1:], (1.0, 5.0, 2.0), strict=True):
        parts = watch(stage, lazy(parts, cost))
    assert len(list(parts)) == 4
    wanted = {"normalise": 0.0, "preprocess": 4.0, "context": 20.0, "interval": 8.0}
    assert watch.seconds() == pytest.approx(wanted)


def test_the_best_run_counts(clock):
    costs = iter([3.0, 1.0, 2.0])
    assert best_of(lambda: clock(next(costs))) == pytest.approx(1.0)
    assert next(costs, None) is None


# --- the measurement --------------------------------------------------------------------------


def test_every_stage_of_both_modalities_is_measured(measured):
    base = dict.fromkeys((*STAGES, "core"), "core_decode") | {"whole": "decode"}
    names = {"disk_mb_per_hour", "ram_mb_per_hour", "media_seconds"}
    names |= {f"{what}_x" for what in (*base, *base.values())}
    names |= {f"{what}_vs_decode" for what in base}
    assert list(measured) == ["audio", "video"]
    for values in measured.values():
        assert set(values) == names
        assert min(values.values()) > 0
        for what, plain in base.items():
            ratio = values[f"{plain}_x"] / values[f"{what}_x"]
            assert values[f"{what}_vs_decode"] == pytest.approx(ratio)


def test_bytes_follow_from_the_windows(wanted, measured):
    music = probe(MEDIA / "music" / "caves.m4a").duration
    assert measured["audio"]["media_seconds"] == pytest.approx(SECONDS + music, abs=0.2)
    assert measured["video"]["media_seconds"] == pytest.approx(SECONDS, abs=0.2)
    # Pictures at the key frames, each of 256 dimensions, the title's ordinal and a start.
    # Their size in pixels changes what the bytes say, not how many there are.
    found = dataclasses.replace(wanted[NAMES[1]], content_id="clip.mp4")
    per_hour = 3600 / found.duration / 1e6
    ram = found.valid.sum() * (256 + 4 + 8) * per_hour
    assert measured["video"]["ram_mb_per_hour"] == pytest.approx(ram)
    assert measured["video"]["disk_mb_per_hour"] == pytest.approx(len(encode(found)) * per_hour)
    # Two windows a second of 128 + 4 + 8 bytes, but for the ends and silence.
    assert 0.7 < measured["audio"]["ram_mb_per_hour"] < 2 * 140 * 3600 / 1e6


def test_a_modality_that_is_switched_off_is_left_out(monkeypatch):
    monkeypatch.setenv("AVM_VIDEO_FINGERPRINTER", "")
    found = measure_stages([MEDIA / "music" / "caves.m4a"])  # there is no picture, nor need be
    assert list(found) == ["audio"]
    assert found["audio"]["context_x"] > 0


def test_files_without_a_modality_are_named():
    with pytest.raises(BadMedia, match="none of the files has video: give others with --media"):
        measure_stages([MEDIA / "music" / "caves.m4a"])
