"""Calibrations of fingerprinters whose answers are known, and of a real one against plain loops."""

from pathlib import Path

import numpy as np
import pytest

from avm_core.benchmark import calibrate
from avm_core.benchmark.calibrate import measure_calibration
from avm_core.benchmark.cosines import fingerprint_of
from avm_core.benchmark.edits import Clip, Edit, make_copy
from avm_core.config import DecodeConfig
from avm_core.errors import BadSettings
from avm_core.fingerprint.registry import create
from avm_core.match.calibration import CLIMB_AT
from avm_core.media.decode import decode_audio
from avm_core.media.write import AudioFormat, write_media
from avm_core.types import Fingerprint, FingerprinterId

TITLES = Path(__file__).resolve().parents[3] / "local" / "media" / "titles"
RATE, SECONDS = 8_000, 50
# One per track, an octave apart: no edit of the list takes one tone for the other.
TONES = (700.0, 1400.0)
BLOCKS_A_SECOND, WINDOW, STEP = 20, 40, 5  # the latter two in blocks: 2 s every 0.25 s
PLAIN = Edit("reencode", drop="picture")


class Shares:
    """How much of a window each track's tone fills, to the `power`: between a window that lies
    across a cut and one of the track, the cosine is that share to that power."""

    id = FingerprinterId("audio_shares.x", "0")

    def __init__(self, power, step=STEP):
        self.power, self.step = power, step

    def fingerprint(self, path, *, content_id, info, watch=None):
        sound = np.concatenate(list(decode_audio(path, sample_rate=RATE)))
        size = RATE // BLOCKS_A_SECOND
        blocks = sound[: len(sound) // size * size].reshape(-1, size)
        loudest = np.abs(np.fft.rfft(blocks))[:, 1:].argmax(axis=1) + 1
        heard = np.log2(loudest * BLOCKS_A_SECOND)[:, None] - np.log2(TONES)
        tone = np.eye(len(TONES))[np.abs(heard).argmin(axis=1)]
        windows = np.lib.stride_tricks.sliding_window_view(tone, WINDOW, axis=0)[:: self.step]
        shares = windows.mean(axis=2) ** self.power
        rest = np.sqrt(np.maximum(1 - np.square(shares).sum(axis=1, keepdims=True), 0))
        vectors = np.hstack([shares, rest])
        rows = np.rint(127 * vectors / vectors.max(axis=1, keepdims=True)).astype(np.int8)
        starts = np.arange(len(rows)) * self.step / BLOCKS_A_SECOND
        window = WINDOW / BLOCKS_A_SECOND
        return Fingerprint(content_id, self.id, rows, starts, window, starts >= 0, info.duration)


@pytest.fixture(scope="module")
def tones(tmp_path_factory):
    folder, times = tmp_path_factory.mktemp("tones"), np.arange(SECONDS * RATE) / RATE
    form = AudioFormat(sample_rate=RATE)
    paths = []
    for tone in TONES:
        paths.append(folder / f"{tone:g}.m4a")
        sound = 0.3 * np.sin(2 * np.pi * tone * times).astype(np.float32)
        write_media(paths[-1], audio=sound, audio_format=form)
    hiss = np.random.default_rng(1).normal(0, 0.1, 10 * RATE).astype(np.float32)
    write_media(folder / "speech.m4a", audio=hiss, audio_format=form)
    return paths, [folder / "speech.m4a"]


@pytest.fixture(scope="module")
def found(tones):
    makers = {"linear": Shares(1), "square": Shares(2)}
    return measure_calibration(makers, *tones)


def test_a_perfect_fingerprinter_knows_its_own_and_no_strangers(found):
    assert found["tracks"] == len(TONES)
    for one in found["fingerprinters"].values():
        assert len(one["same"]) == 12
        assert all(values["median"] >= 0.99 for values in one["same"].values())
        assert one["same"]["reencode"]["p10"] >= 0.99
        assert one["strangers"]["p90"] == pytest.approx(0.0, abs=0.01)
        # A single tone is the same everywhere in its track.
        assert one["own_background"]["p50"] >= 0.99
        assert one["suggested"]["floor"] == pytest.approx(0.0, abs=0.01)
        assert one["suggested"]["margin"] == 0.0


def test_the_climb_is_the_shape_that_the_fingerprinter_has(found):
    shares = np.clip((np.array(CLIMB_AT) + 1) / 2, 0, 1)
    for name, expected in (("linear", shares), ("square", shares**2)):
        climb = found["fingerprinters"][name]["suggested"]["climb"]
        np.testing.assert_allclose(climb, expected, atol=0.04)
        assert climb == sorted(climb)


def test_numbers_of_real_sound_are_those_of_plain_loops(tones, monkeypatch, tmp_path):
    monkeypatch.setattr(calibrate, "edits", lambda _: (PLAIN,))
    tracks = [TITLES / "fish_fillets_intro.mp4", TITLES / "worlds_reel.mp4"]
    maker = create("audio_logmel.dct", DecodeConfig())
    result = measure_calibration({"dct": maker}, tracks, tones[1])["fingerprinters"]["dct"]

    strangers, own = [], []
    for path, other in (tracks, tracks[::-1]):
        copy = tmp_path / "copy.m4a"
        form = AudioFormat(bitrate=48_000)
        make_copy([Clip(path, 20.11, 44.11)], copy, PLAIN, audio_format=form)
        made, title, stranger = (fingerprint_of(maker, p) for p in (copy, path, other))
        for row in made.unit_vectors()[made.valid]:
            strangers.append(max(float(row @ far) for far in stranger.unit_vectors()))
            own.append(np.median([float(row @ near) for near in title.unit_vectors()]))
    for name, q in {"p50": 0.5, "p90": 0.9, "p99": 0.99}.items():
        assert result["strangers"][name] == pytest.approx(np.quantile(strangers, q), abs=1e-3)
        assert result["own_background"][name] == pytest.approx(np.quantile(own, q), abs=1e-3)
    assert result["same"]["reencode"]["median"] > 0.8
    suggested = result["suggested"]
    assert suggested["hit"] == pytest.approx(np.quantile(strangers, 0.8), abs=6e-3)
    assert suggested["floor"] == pytest.approx(np.quantile(strangers, 0.9), abs=6e-3)
    assert suggested["margin"] == 0.2


def test_what_cannot_be_measured_is_refused(tones, monkeypatch):
    tracks, speech = tones
    makers = {"linear": Shares(1)}
    with pytest.raises(BadSettings, match="needs two tracks and speech"):
        measure_calibration(makers, tracks[:1], speech)
    with pytest.raises(BadSettings, match="needs two tracks and speech"):
        measure_calibration(makers, tracks, [])
    # A window every eight seconds: hardly one of them lies across a cut.
    monkeypatch.setattr(calibrate, "edits", lambda _: (PLAIN,))
    with pytest.raises(BadSettings, match="take more tracks"):
        measure_calibration({"sparse": Shares(1, step=4 * WINDOW)}, tracks, speech)
