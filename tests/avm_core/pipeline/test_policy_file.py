"""Policy files: what is right survives the way back, what is wrong is named."""

import pytest

from avm_core.errors import BadSettings
from avm_core.pipeline.policy_file import parse_policy, policy_text

REST = '[[rule]]\npriority = 90\nname = "rest"\naction = "review"\nreason = "the rest"\n'
RULE = '[[rule]]\npriority = 10\nname = "long"\naction = "block"\nreason = "why"\n'


def test_a_policy_survives_the_way_through_its_text() -> None:
    text = (
        'note = "ночь \\" <b>\\\\ \\u202e 𝔘 \\u007f"\n'
        + RULE
        + 'min_length = 30\nmax_score = 0.5\nprecedes_licence = false\nterritories = ["RU", "KZ"]\n'
        + 'uploaders = ["o\'neil", "עברית", "🎬", "a,b"]\nmodalities = ["both"]\n'
        + REST
    )
    policy = parse_policy(text, where="p.toml")
    assert policy.rule[0].uploaders == ("o'neil", "עברית", "🎬", "a,b")
    assert policy.note == 'ночь " <b>\\ \u202e 𝔘 \x7f'
    assert parse_policy(policy_text(policy), where="again") == policy


def test_rules_are_tried_by_priority_not_by_place_in_the_file() -> None:
    policy = parse_policy(REST + RULE, where="p.toml")
    assert [rule.name for rule in policy.ordered] == ["long", "rest"]
    rules, values = policy.rows("p1")
    assert [(row["priority"], row["name"]) for row in rules] == [(10, "long"), (90, "rest")]
    assert values == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("note = ", "p.toml is not TOML"),
        ("", "rule: Field required"),
        ("rule = 3", "rule: Input should be a valid tuple, not 3"),
        (
            RULE + "min_score = 1.5\n" + REST,
            r"rule 1 \(long\): min_score: .*less than or equal to 1",
        ),
        (RULE + 'min_length = "long"\n' + REST, r"rule 1 \(long\): min_length: .*number"),
        (RULE + "min_length = nan\n" + REST, r"rule 1 \(long\): min_length: .*finite"),
        (RULE + "min_length = -1\n" + REST, r"rule 1 \(long\): min_length: .*greater than"),
        (
            RULE + "minimum = 3\n" + REST,
            r"rule 1 \(long\): there is no field 'minimum'; allowed: pri",
        ),
        ("notes = 3\n" + REST, "there is no field 'notes'; allowed: note, rule"),
        (RULE.replace("block", "delete") + REST, r"rule 1 \(long\): action: .*'track' or 'ignore'"),
        (RULE + 'territories = ["Russia"]\n' + REST, r"territories.0: .*\[A-Z\]"),
        (RULE + "uploaders = []\n" + REST, "uploaders: .*at least 1"),
        (RULE + 'modalities = ["smell"]\n' + REST, "modalities.0: .*'both'"),
        (RULE + "min_score = 0.9\nmax_score = 0.8\n" + REST, "min_score 0.9 must be less than max"),
        (
            RULE.replace('"long"', '"decision"') + REST,
            "'decision' is what claims say without a rule",
        ),
        (RULE.replace("10", "90") + REST, "priority 90 belongs to several rules"),
        (REST.replace("90", "91") + REST, "name rest belongs to several rules"),
        (RULE + "min_length = 3\n", "the last rule, 'long', has conditions"),
        (RULE.replace("why", "a\\u0000b") + REST, "reason: "),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(text: str, complaint: str) -> None:
    with pytest.raises(BadSettings, match=complaint):
        parse_policy(text, where="p.toml")
