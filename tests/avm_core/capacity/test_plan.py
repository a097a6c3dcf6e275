"""The plan grows as the load does, uses the rates it is given and invents none."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from avm_core.capacity.model import Load, plan
from avm_core.capacity.rates import Rates, load_rates
from avm_core.cli import main
from avm_core.config import IndexConfig, MatchConfig
from avm_core.errors import BadSettings

LOAD = Load(hours_per_day=100, library_hours=2_000, retention_days=30, new_library_hours=4)


def made(load=LOAD, rates=None, **index):
    return plan(load, rates or load_rates(), IndexConfig(**index), MatchConfig())


def changed(**values):
    rates = load_rates()
    return rates.model_copy(
        update={
            name: rates.audio_x.model_copy(update={"value": value})
            for name, value in values.items()
        }
    )


def test_every_rate_names_its_command_and_none_is_a_gpus():
    rates = load_rates()
    given = {name: rate for name, rate in rates if rate is not None}
    assert set(given) == {name for name in Rates.model_fields if not name.startswith("gpu_")}
    assert all("avm " in rate.command and rate.unit for rate in given.values())


def test_work_follows_the_load():
    one, two = made(), made(replace(LOAD, hours_per_day=200))
    for name in ("search", "align", "search_back"):
        ratio = two["work_hours_per_day"][name] / one["work_hours_per_day"][name]
        assert ratio == pytest.approx(2.0, rel=0.01), name
    assert two["storage_gb"]["ugc_index"] == pytest.approx(2 * one["storage_gb"]["ugc_index"])
    assert two["storage_gb"]["licensed_index"] == one["storage_gb"]["licensed_index"]
    assert made(replace(LOAD, hours_per_day=1_000))["workers"] > one["workers"]
    longer = made(replace(LOAD, retention_days=60))
    ratio = longer["index"]["audio"]["ugc_windows"] / one["index"]["audio"]["ugc_windows"]
    assert ratio == 2.0


def test_the_workers_finish_within_the_night():
    for night in (4.0, 8.0):
        found = made(replace(LOAD, hours_per_day=1_000, night_hours=night))
        assert found["workers"] > 1
        total = sum(found["work_hours_per_day"].values())
        assert found["serial_hours_per_day"] < found["nightly_hours"] <= night
        fewer = found["serial_hours_per_day"] + total / (found["workers"] - 1)
        assert fewer > night


def test_a_writer_that_needs_longer_than_the_night_has_no_number_of_workers():
    found = made(replace(LOAD, night_hours=0.5), changed(adds_per_s=1.0))
    assert (found["workers"], found["nightly_hours"]) == (None, None)


def test_searching_back_needs_the_memory_of_a_day_whatever_is_rewritten():
    small, large = made(segment_windows=10_000), made(segment_windows=4_000_000)
    assert small["ram_gb"]["search_back"] < 0.05 * small["storage_gb"]["ugc_index"]
    assert large["ram_gb"]["search_back"] < 0.05 * large["storage_gb"]["ugc_index"]


def test_more_segments_are_searched_less_deep_each():
    """Four times the segments of a fourth: less than four times the work."""
    load = replace(LOAD, library_hours=1_200, with_video=False)
    few, many = made(load, segment_windows=4_000_000), made(load, segment_windows=1_000_000)
    work = [found["work_hours_per_day"]["search"] for found in (few, many)]
    segments = [found["index"]["audio"]["licensed_segments"] for found in (few, many)]
    assert segments[1] / segments[0] > 2.5
    assert 1 < work[1] / work[0] < 0.7 * segments[1] / segments[0]


def test_searching_back_by_graph_is_cheaper_than_all_pairs():
    exact, few = made(), made(back_neighbours=64)
    assert few["work_hours_per_day"]["search_back"] < exact["work_hours_per_day"]["search_back"]
    assert few["work_hours_per_day"]["search"] == exact["work_hours_per_day"]["search"]


def test_gpus_are_counted_only_by_measured_rates():
    assert made()["gpus"] == {"fingerprint_video": None, "search_back": None}
    with_gpu = made(rates=changed(gpu_video_x=1.5, gpu_reverse_pairs_per_s=1e9))
    # 104 hours a day at 1.5 times real time within 8 hours.
    assert with_gpu["gpus"]["fingerprint_video"] == 9
    assert with_gpu["gpus"]["search_back"] >= 1
    without = made(replace(LOAD, with_video=False), changed(gpu_video_x=1.5))
    assert without["gpus"]["fingerprint_video"] is None


def test_own_rates_are_put_over_the_shipped_ones(tmp_path, capsys):
    path = tmp_path / "mine.toml"
    path.write_text('[audio_x]\nvalue = 2000\nunit = "x"\ncommand = "avm bench speed"\n')
    assert load_rates(path).audio_x.value == 2000
    assert load_rates(path).video_x == load_rates().video_x
    command = ["plan", "--hours-per-day", "5000", "--library-hours", "100000"]
    command += ["--retention-days", "365", "--rates", str(path)]
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rates"]["audio_x"] == 2000
    assert found["load"]["new_library_hours"] == 100
    assert found["work_hours_per_day"]["fingerprint_audio"] == 5100 / 2000
    assert main(command) == 0
    assert "gpus.search_back: not known" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[audio_x\n", "cannot be read"),
        ('[audio_x]\nvalue = 0\nunit = ""\ncommand = ""\n', "audio_x.value"),
        ('[speed]\nvalue = 1\nunit = ""\ncommand = ""\n', "speed"),
    ],
)
def test_a_wrong_rates_file_is_refused_by_name(tmp_path, text, message):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(BadSettings, match=message):
        load_rates(path)
    with pytest.raises(BadSettings, match=r"none\.toml"):
        load_rates(tmp_path / "none.toml")


@pytest.mark.parametrize("option", ["--hours-per-day", "--retention-days", "--night-hours"])
def test_a_load_of_nothing_is_refused(option, capsys):
    values = {"--hours-per-day": "1", "--library-hours": "1", "--retention-days": "1"}
    values[option] = "0"
    assert main(["plan", *(part for pair in values.items() for part in pair)]) == 2
    assert option in capsys.readouterr().err
