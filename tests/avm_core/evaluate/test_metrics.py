"""Every metric against a value worked out by hand."""

from __future__ import annotations

import json
import math

import pytest

from avm_core.errors import BadSettings
from avm_core.evaluate.metrics import (
    assign,
    localisation,
    match_ratio,
    micro_ap,
    origin,
    product_iou,
    score,
    spurious,
    vcsl,
)
from tests.avm_core.evaluate.builders import make_match, make_truth

TWO = [make_truth("u1"), make_truth("u2", at=(10, 50), of=(0, 40))]
PERFECT = [make_match("u1"), make_match("u2", at=(10, 50), of=(0, 40), score=0.8)]


def test_perfect_matches_have_perfect_scores():
    result = score(TWO, PERFECT, clean_hours=2)
    for name in ("final", "f1", "iou", "precision", "recall", "micro_ap", "match_ratio"):
        assert result[name] == 1.0, name
    for name in ("vcsl_precision", "vcsl_recall", "vcsl_f1"):
        assert result[name] == 1.0, name
    for name in ("boundary_median_s", "boundary_mean_s", "speed_error_mean", "fp_per_clean_hour"):
        assert result[name] == 0.0, name
    assert (result["tp"], result["fp"], result["fn"], result["matched"]) == (2, 0, 0, 2)
    assert json.loads(json.dumps(result)) == result


def test_no_matches_and_no_truth():
    nothing = score(TWO, [])
    assert (nothing["final"], nothing["recall"], nothing["vcsl_f1"], nothing["micro_ap"]) == (
        0.0,
        0.0,
        0.0,
        0.0,
    )
    assert nothing["boundary_median_s"] is nothing["match_ratio"] is None
    assert nothing["fp_per_clean_hour"] is None
    clean = score([], PERFECT, clean_hours=0.5)
    assert (clean["false_positives"], clean["fp_per_clean_hour"], clean["fp"]) == (2, 4.0, 2)
    json.dumps([nothing, clean, score([], [])], allow_nan=False)


# --- origin -----------------------------------------------------------------------------------


def test_origin_counts_rows_per_pair_wherever_they_lie():
    # u1: 1 wanted, 2 given -> TP 1, FP 1; u2: 2 wanted, 1 given -> TP 1, FN 1; u3: FP 1.
    truth = [make_truth("u1"), make_truth("u2"), make_truth("u2", at=(60, 90))]
    matches = [
        make_match("u1", at=(500, 600)),
        make_match("u1", at=(700, 800)),
        make_match("u2"),
        make_match("u3"),
    ]
    result = origin(truth, matches)
    assert (result["tp"], result["fp"], result["fn"]) == (2, 2, 1)
    assert result["precision"] == pytest.approx(2 / 4)
    assert result["recall"] == pytest.approx(2 / 3)
    assert result["f1"] == pytest.approx(4 / 7)


def test_origin_iou_is_the_best_product_over_truth_rows_plus_false_positives():
    # u1: 20 of 40 shared on the upload side (1/2), 25 of 35 on the other (5/7): 5/14.
    truth = [make_truth("u1", at=(0, 30), of=(100, 130)), make_truth("u2")]
    matches = [
        make_match("u1", at=(10, 40), of=(105, 135)),
        make_match("u1", at=(0, 30), of=(300, 330)),
        make_match("u2"),
    ]
    result = origin(truth, matches)
    assert result["iou"] == pytest.approx((5 / 14 + 1) / (2 + 1))
    f1 = 2 * (2 / 3) * 1 / (2 / 3 + 1)
    assert result["f1"] == pytest.approx(f1)
    iou = (5 / 14 + 1) / 3
    assert result["final"] == pytest.approx(2 * iou * f1 / (iou + f1))


def test_origin_lets_one_match_serve_two_truth_rows():
    truth = [make_truth(at=(0, 20), of=(0, 20)), make_truth(at=(20, 40), of=(20, 40))]
    result = origin(truth, [make_match(at=(0, 40), of=(0, 40))])
    assert result["iou"] == pytest.approx((0.25 + 0.25) / 2)
    assert (result["tp"], result["fn"]) == (1, 1)


def test_product_iou_needs_both_axes():
    truth = make_truth(at=(0, 10), of=(0, 10))
    assert product_iou(truth, make_match(at=(0, 10), of=(5, 15))) == pytest.approx(1 / 3)
    assert product_iou(truth, make_match(at=(0, 10), of=(10, 20))) == 0.0


# --- VCSL -------------------------------------------------------------------------------------


def test_vcsl_is_the_product_of_the_axes_averaged_over_pairs():
    # u1: match 0-40 x 100-130 over truth 0-30 x 100-130: P 30/40 * 1, R 1 * 1.
    # u2: match 0-10 x 0-20 over truth 0-20 x 0-20: P 1 * 1, R 1/2 * 1.
    # u3: match without truth: P 0. u4: truth without match: R 0.
    truth = [make_truth("u1"), make_truth("u2", at=(0, 20), of=(0, 20)), make_truth("u4")]
    matches = [
        make_match("u1", at=(0, 40)),
        make_match("u2", at=(0, 10), of=(0, 20)),
        make_match("u3"),
    ]
    result = vcsl(truth, matches)
    precision, recall = (0.75 + 1 + 0) / 3, (1 + 0.5 + 0) / 3
    assert result["vcsl_precision"] == pytest.approx(precision)
    assert result["vcsl_recall"] == pytest.approx(recall)
    assert result["vcsl_f1"] == pytest.approx(2 * precision * recall / (precision + recall))


def test_vcsl_does_not_punish_a_split_but_an_overlap_counts_once():
    truth = [make_truth(at=(0, 30), of=(0, 30))]
    split = [make_match(at=(0, 15), of=(0, 15)), make_match(at=(15, 30), of=(15, 30))]
    assert vcsl(truth, split)["vcsl_f1"] == pytest.approx(1.0)
    # Both cover 0-20 of the truth's 30 seconds.
    twice = [make_match(at=(0, 20), of=(0, 20)), make_match(at=(0, 20), of=(0, 20), score=0.5)]
    assert vcsl(truth, twice)["vcsl_recall"] == pytest.approx((20 / 30) ** 2)
    assert vcsl(truth, twice)["vcsl_precision"] == pytest.approx(1.0)


def test_vcsl_counts_only_overlap_on_both_axes():
    truth = [make_truth(at=(0, 30), of=(0, 30)), make_truth("u2")]
    result = vcsl(truth, [make_match(at=(0, 30), of=(30, 60)), make_match("u2")])
    assert result["vcsl_precision"] == pytest.approx(0.5)


# --- VSC22 ------------------------------------------------------------------------------------


def test_micro_ap_falls_when_a_wrong_match_comes_first():
    # First 30 wrong seconds, then 30 right ones of 30: precision 1/2 at recall 1.
    truth, right = [make_truth("u1")], make_match("u1", score=0.5)
    assert micro_ap(truth, [make_match("u9", score=0.9), right]) == pytest.approx(0.5)
    assert micro_ap(truth, [make_match("u9", score=0.1), right]) == pytest.approx(1.0)


def test_micro_ap_adds_precision_times_recall_gained():
    # Step 1: hit 15 of 30 on both axes: P 1, R 1/2. Step 2: 30 wrong seconds: R stays.
    # Step 3: the other half: hit 30 of 60 claimed: P 1/2, R 1. Area 1/2 + 1/2 * 1/2.
    truth = [make_truth("u1", at=(0, 30), of=(0, 30))]
    matches = [
        make_match("u1", at=(15, 30), of=(15, 30), score=0.1),
        make_match("u1", at=(0, 15), of=(0, 15), score=0.9),
        make_match("u2", score=0.5),
    ]
    assert micro_ap(truth, matches) == pytest.approx(0.75)


def test_micro_ap_takes_geometric_means_over_the_axes():
    # Upload side: 20 of 30 hit, 40 claimed; licensed side: 30 of 30 hit, 30 claimed.
    truth = [make_truth(at=(0, 30), of=(0, 30))]
    value = micro_ap(truth, [make_match(at=(10, 50), of=(0, 30))])
    assert value == pytest.approx(math.sqrt(20 / 40 * 1) * math.sqrt(20 / 30 * 1))


def test_micro_ap_of_equal_scores_does_not_depend_on_their_order():
    truth = [make_truth("u1"), make_truth("u2")]
    matches = [make_match("u1"), make_match("u8"), make_match("u2")]
    for order in ((0, 1, 2), (1, 2, 0)):
        assert micro_ap(truth, [matches[i] for i in order]) == pytest.approx(2 / 3)


# --- errors in seconds ------------------------------------------------------------------------


def test_boundary_and_speed_errors_over_matched_pairs():
    truth = [make_truth("u1", at=(0, 30), of=(100, 130)), make_truth("u2"), make_truth("u5")]
    matches = [
        make_match("u1", at=(1, 30), of=(100, 132), speed=1.1),
        make_match("u2", at=(0, 35), of=(100, 130), speed=0.98),
        make_match("u7"),
    ]
    result = localisation(truth, matches)
    # Ends: 1 0 0 2 and 0 5 0 0.
    assert result["boundary_mean_s"] == pytest.approx(1.0)
    assert result["boundary_median_s"] == pytest.approx(0.0)
    assert result["speed_error_mean"] == pytest.approx(0.06)
    assert result["speed_error_median"] == pytest.approx(0.06)
    assert result["matched"] == 2


def test_speed_error_is_measured_against_the_lengths_of_the_truth():
    truth = [make_truth(at=(0, 100), of=(0, 105)), make_truth("u2")]
    matches = [make_match(at=(0, 100), of=(0, 105), speed=1.04), make_match("u2", speed=1.03)]
    assert localisation(truth, matches)["speed_error_mean"] == pytest.approx((0.01 + 0.03) / 2)


def test_assignment_is_one_to_one_and_takes_the_best_first():
    truth = [make_truth(at=(0, 30), of=(0, 30)), make_truth(at=(25, 60), of=(25, 60))]
    good = make_match(at=(25, 58), of=(25, 58))
    fair = make_match(at=(5, 28), of=(5, 28))
    poor = make_match(at=(0, 6), of=(0, 6))
    pairs = assign(truth, [poor, fair, good])
    assert pairs == [(truth[1], good), (truth[0], fair)]


def test_match_ratio_tells_fragmentation():
    truth = [make_truth("u1"), make_truth("u2"), make_truth("u3")]
    pieces = [
        make_match("u1", at=(10 * i, 10 * i + 10), of=(100 + 10 * i, 110 + 10 * i))
        for i in range(3)
    ]
    matches = [*pieces, make_match("u2"), make_match("u9")]
    assert match_ratio(truth, matches) == pytest.approx(4 / 2)


def test_false_positives_by_place_and_per_clean_hour():
    truth = [make_truth("u1"), make_truth("u2")]
    elsewhere = make_match("u1", at=(300, 330))
    other_ref = make_match("u2", "l9")
    on_clean = [make_match("u8"), make_match("u9")]
    matches = [make_match("u1"), elsewhere, other_ref, *on_clean]
    assert spurious(truth, matches) == [elsewhere, other_ref, *on_clean]
    result = score(truth, matches, clean_hours=4)
    assert (result["false_positives"], result["clean_false_positives"]) == (4, 2)
    assert result["fp_per_clean_hour"] == 0.5


@pytest.mark.parametrize("hours", [0, -1.5])
def test_clean_hours_must_be_positive(hours):
    with pytest.raises(BadSettings, match="clean_hours"):
        score(TWO, PERFECT, clean_hours=hours)
