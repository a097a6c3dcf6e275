"""Short queries against a small database: right place, wrong place, too short, unreadable."""

from pathlib import Path

import numpy as np
import pytest

from avm_core.benchmark.edits import Clip, Edit
from avm_core.benchmark.hit_database import Database, WholeFiles, principal, signs, unchanged
from avm_core.benchmark.hit_rate import Subject, conditions, draw_queries, measure_hits
from avm_core.config import DecodeConfig
from avm_core.errors import BadSettings
from avm_core.fingerprint.registry import create
from avm_core.types import Fingerprint, FingerprinterId

MEDIA = Path(__file__).resolve().parents[3] / "local" / "media"
SONGS = sorted((MEDIA / "music").glob("*.m*"))
NAME = "audio_logmel.dct"


class Blind:
    """Says the same about everything: its first neighbour is as good as any."""

    id = FingerprinterId("audio_blind.x", "0")

    def fingerprint(self, path, *, content_id, info, watch=None):
        count = int(info.duration)
        ones = np.ones((count, 8), np.int8)
        times = np.arange(count, dtype=float)
        return Fingerprint(content_id, self.id, ones, times, 1.0, times >= 0, info.duration)


@pytest.fixture(scope="module")
def makers():
    return {
        "dct": Subject(create(NAME, DecodeConfig())),
        "blind": Subject(Blind()),
        "file": Subject(create(NAME, DecodeConfig()), None),
    }


def test_clean_queries_are_found_and_a_blind_fingerprint_finds_nothing(makers, tmp_path):
    broken = tmp_path / "broken.m4a"
    broken.write_bytes(b"no media")
    queries = draw_queries(SONGS, 4, seed=1)
    assert all(clip.end - clip.start > 12.5 for clip in queries)
    edits = {"clean": Edit("clean"), "tempo": Edit("tempo", speed=1.1)}
    result = measure_hits(makers, [*SONGS, broken], queries, edits)
    assert result["queries"] == 4
    assert result["database"]["dct"]["hours"] == pytest.approx(
        result["database"]["blind"]["hours"], rel=1e-6
    )
    clean = result["hits"]["dct"]["clean"]
    # A window of four seconds does not fit into three.
    assert [clean[length] for length in ("1", "2", "3")] == [None] * 3
    assert (clean["5"], clean["10"]) == (1.0, 1.0)
    assert result["hits"]["dct"]["tempo"]["10"] >= 0.75
    assert result["hits"]["blind"]["clean"]["10"] <= 0.25
    assert result["database"]["file"]["windows"] == len(SONGS)
    assert result["hits"]["file"]["clean"]["3"] is None
    assert result["hits"]["file"]["clean"]["10"] is not None


def test_a_query_from_outside_the_database_is_refused(makers):
    stranger = Clip(SONGS[0], 5.0, 18.0)
    with pytest.raises(BadSettings, match="not in the database"):
        measure_hits({"dct": makers["dct"]}, SONGS[1:], [stranger], {"clean": Edit("clean")})
    with pytest.raises(BadSettings, match="no track is longer than"):
        draw_queries([], 3, seed=1)


def test_conditions_name_noise_speech_speed_and_pitch():
    found = conditions(SONGS[0], seed=3)
    assert {"clean", "noise 0 dB", "speech 5 dB", "tempo 0.8", "speed 1.25", "pitch -4"} <= set(
        found
    )
    assert found["speed 1.25"].pitch == "coupled"
    assert found["tempo 0.8"].pitch == "kept"


def drifting(seed, count=40, dims=16):
    """A track whose windows change slowly, half a second apart."""
    steps = np.random.default_rng(seed).normal(size=(count, dims)).cumsum(axis=0)
    scaled = np.rint(127 * steps / np.abs(steps).max()).astype(np.int8)
    starts = np.arange(count) * 0.5
    identity = FingerprinterId("audio_drift.x", "0")
    return Fingerprint("t", identity, scaled, starts, 1.0, starts >= 0, count * 0.5 + 0.5)


TRACKS = [(Path(f"t{n}"), drifting(n)) for n in range(6)]


def part(made, first, count):
    at = slice(first, first + count)
    starts = made.starts[at] - made.starts[first]
    length = float(starts[-1]) + 1.0
    return Fingerprint(
        "q", made.fingerprinter, made.descriptors[at], starts, 1.0, starts >= 0, length
    )


@pytest.mark.parametrize("fit", [unchanged, principal(8), signs])
def test_each_part_of_a_track_is_found_at_its_second(fit):
    database = Database.of(TRACKS, fit)
    for number, first in ((0, 0), (3, 11), (5, 20)):
        path, made = TRACKS[number]
        query = part(made, first, 19)
        judged = database.judge(query, path, made.starts[first], 1.0)
        assert judged[-1] is True
        assert database.judge(query, path, made.starts[first] + 0.5, 1.0)[-1] is True  # one hop
        assert database.judge(query, path, made.starts[first] + 1.0, 1.0)[-1] is False
        assert database.judge(query, TRACKS[1][0], made.starts[first], 1.0)[-1] is False


def test_reductions_keep_cosines_as_far_as_they_can():
    rows = np.concatenate([made.unit_vectors() for _, made in TRACKS])
    whole = principal(16)(rows)(rows)
    np.testing.assert_allclose(whole @ whole.T, rows @ rows.T, atol=1e-5)
    errors = [
        np.abs(principal(d)(rows)(rows) @ principal(d)(rows)(rows).T - rows @ rows.T).max()
        for d in (12, 4)
    ]
    assert errors[0] < errors[1]
    bits = signs(rows)(rows)
    agree = np.mean((rows[0] > 0) == (rows[9] > 0))
    assert bits[0] @ bits[9] == pytest.approx(2 * agree - 1, abs=1e-5)
    with pytest.raises(BadSettings, match="cannot keep 17"):
        principal(17)(rows)


def test_one_vector_per_file_names_the_track_alone():
    files = WholeFiles(TRACKS)
    path, made = TRACKS[2]
    assert files.judge(part(made, 0, 40), path, 999.0, 1.0)[-1] is True
    assert files.judge(part(made, 0, 40), TRACKS[4][0], 0.0, 1.0)[-1] is False
    with pytest.raises(BadSettings, match="nothing in the database"):
        WholeFiles([])
