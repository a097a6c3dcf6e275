"""Grids: every combination once, and whatever is wrong is refused by the field's name."""

import pytest

from avm_core.benchmark.evaluation.sweep import grid_points, settings_changed, with_point
from avm_core.config import Settings
from avm_core.errors import BadSettings


def test_a_grid_gives_every_combination_in_order():
    points = grid_points({"match.k": [10, 20], "decode.frame_step": [0.5, 1.0]})
    assert points == [
        {"match.k": 10, "decode.frame_step": 0.5},
        {"match.k": 10, "decode.frame_step": 1.0},
        {"match.k": 20, "decode.frame_step": 0.5},
        {"match.k": 20, "decode.frame_step": 1.0},
    ]
    assert grid_points({}) == [{}]


def test_a_point_changes_its_fields_and_nothing_else():
    base = Settings()
    made = with_point(
        base, {"match.k": 7, "match.min_score": 0.25, "audio_fingerprinter": "audio_logmel.dct"}
    )
    assert (made.match.k, made.match.min_score) == (7, 0.25)
    assert made.audio_fingerprinter == "audio_logmel.dct"
    assert made.match.max_gap == base.match.max_gap
    assert (made.index, made.decode, made.catalog) == (base.index, base.decode, base.catalog)
    assert with_point(base, {}) == base
    assert settings_changed(made) == {
        "match.k": 7,
        "match.min_score": 0.25,
        "audio_fingerprinter": "audio_logmel.dct",
    }


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ({"match.kk": 5}, r"'match\.kk' does not exist: choose from .*max_gap"),
        ({"catalog.dsn": "x"}, r"'catalog\.dsn' is no setting of an evaluation: use match\.FIELD"),
        ({"match": 5}, "'match' is no setting"),
        ({"s3.secret_key": "x"}, "no setting of an evaluation"),
        ({"match.k": 0}, r"'match\.k', value 0: .*greater than or equal to 1"),
        ({"match.k": "50"}, r"'match\.k', value '50': .*integer"),
        ({"match.k": True}, r"'match\.k', value True: .*integer"),
        ({"match.min_score": float("nan")}, r"'match\.min_score': nan is not a finite number"),
        ({"decode.hardware": "fast"}, r"'decode\.hardware', value 'fast'"),
        ({"index.grace_seconds": 1.0}, r"'index\.grace_seconds' has no effect"),
        ({"audio_fingerprinter": ""}, "name a fingerprinter"),
    ],
)
def test_an_unknown_field_or_a_wrong_value_is_refused_by_name(point, said):
    with pytest.raises(BadSettings, match=said):
        with_point(Settings(), point)


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        ({"match.k": []}, r"'match\.k': give a list"),
        ({"match.k": 5}, r"'match\.k': give a list"),
        ({"match.k": "567"}, r"'match\.k': give a list"),
        ({"match.max_gap": [4, 8, 4.0]}, r"'match\.max_gap' has a value twice"),
    ],
)
def test_a_grid_without_values_or_with_one_twice_is_refused(grid, said):
    with pytest.raises(BadSettings, match=said):
        grid_points(grid)
