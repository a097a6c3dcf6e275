"""Short queries against a small database: right place, wrong place, too short, unreadable."""

from pathlib import Path

import numpy as np
import pytest

from avm_core.benchmark.edits import Clip, Edit
from avm_core.benchmark.hit_rate import conditions, draw_queries, measure_hits
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
    return {"dct": create(NAME, DecodeConfig()), "blind": Blind()}


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
