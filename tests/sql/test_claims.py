"""Claims: the first rule that fits, people above rules, and always as the last commit left it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avm_core.catalog import Catalog
from avm_core.config import CatalogConfig
from tests.avm_core.catalog.builders import DAY, commit, content, match, media, scan
from tests.avm_core.catalog.claims import actions, claims, decision, read, save_rules

LICENCE = {"licensed_from": DAY, "licensed_until": DAY + timedelta(days=10)}
REST = {"name": "rest", "action": "review"}


def plant(catalog: Catalog, folder: Path, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Matches of uploads u1, u2, … in titles l1, l2, …, with what is said about both."""
    uploads = sorted({row["ugc_id"] for row in rows["match"]})
    titles = sorted({row["licensed_id"] for row in rows["match"]})
    known = {row["media_id"] for row in rows.get("media", ())}
    commit(
        catalog,
        folder,
        {
            "media": [
                *rows.get("media", []),
                *[media(u, uploaded_at=DAY) for u in uploads if u not in known],
                *[media(t, "licensed", **LICENCE) for t in titles if t not in known],
            ],
            "media_content": [
                *[content(u, duration=100.0) for u in uploads],
                *[content(t, duration=1000.0) for t in titles],
            ],
            "match": rows["match"],
            "match_scan": [scan(u, "forward", 1) for u in uploads],
        },
    )


def segment(ugc_id: str, start: float, end: float, at: float, **more: Any) -> dict[str, Any]:
    """A match of upload seconds [start, end) with as many seconds of l1 from `at`."""
    row = match(ugc_id, more.pop("licensed_id", "l1"), start=start)
    return row | {
        "ugc_end": end,
        "licensed_start": at,
        "licensed_end": at + end - start,
        **more,
    }


# The match: 20 s, 0.2 of the upload, 0.02 of the title, score 0.9, audio; the title is licensed in
# RU and KZ to Studio; the upload is ann's.
ASKED: list[tuple[dict[str, Any], dict[str, list[str]], bool]] = [
    ({"min_length": 20.0}, {}, True),
    ({"min_length": 20.5}, {}, False),
    ({"max_length": 20.0}, {}, False),
    ({"max_length": 20.5}, {}, True),
    ({"min_share_of_upload": 0.2}, {}, True),
    ({"min_share_of_upload": 0.21}, {}, False),
    ({"max_share_of_upload": 0.2}, {}, False),
    ({"min_share_of_title": 0.02}, {}, True),
    ({"min_share_of_title": 0.021}, {}, False),
    ({"max_share_of_title": 0.021}, {}, True),
    ({"min_score": 0.9, "max_score": 0.91}, {}, True),
    ({"min_score": 0.91}, {}, False),
    ({"min_share_excluded": 0.1}, {}, False),
    ({"precedes_licence": False, "licence_ended": False}, {}, True),
    ({"precedes_licence": True}, {}, False),
    ({"licence_ended": True}, {}, False),
    ({}, {"modalities": ["video", "audio"]}, True),
    ({}, {"modalities": ["video", "both"]}, False),
    ({}, {"territories": ["DE", "KZ"]}, True),
    ({}, {"territories": ["DE"]}, False),
    ({}, {"uploaders": ["bob", "ann"]}, True),
    ({}, {"uploaders": ["bob"]}, False),
    ({}, {"rights_holders": ["Studio"]}, True),
    ({}, {"rights_holders": ["studio"]}, False),
    ({}, {"titles": ["l1"]}, True),
    ({}, {"titles": ["l2"]}, False),
    ({"min_length": 10.0}, {"uploaders": ["ann"], "territories": ["DE"]}, False),
    ({"min_length": 10.0}, {"uploaders": ["ann"], "territories": ["RU"]}, True),
]


def test_a_rule_fits_when_all_that_it_asks_is_so(config: CatalogConfig, tmp_path: Path) -> None:
    described = [
        media("l1", "licensed", rights_holder="Studio", territories="RU,KZ", **LICENCE),
        media("u1", uploader="ann", uploaded_at=DAY),
    ]
    with Catalog.open(config) as catalog:
        plant(catalog, tmp_path, {"media": described, "match": [match("u1", "l1")]})
        for version, (conditions, values, fits) in enumerate(ASKED, 2):
            rules = [{"name": "asked", "action": "block"} | conditions, REST]
            save_rules(catalog, tmp_path, version, rules, **values)
            found = claims(config)["u1@10"]
            expected = ("block", "asked") if fits else ("review", "rest")
            assert (found["action"], found["rule"]) == expected, (conditions, values)
            assert (found["reason"], found["policy_version"]) == ("because", version)


def test_what_is_unknown_fits_no_condition_but_a_title_without_territories_is_licensed_everywhere(
    config: CatalogConfig, tmp_path: Path
) -> None:
    bare = [media("l1", "licensed"), media("u1")]
    asked: list[tuple[dict[str, Any], dict[str, list[str]], str]] = [
        ({"min_share_of_title": 0.0}, {}, "review"),
        ({"precedes_licence": True}, {}, "review"),
        ({"precedes_licence": False}, {}, "block"),
        ({}, {"uploaders": ["ann"]}, "review"),
        ({}, {"territories": ["DE"]}, "block"),
    ]
    with Catalog.open(config) as catalog:
        commit(
            catalog,
            tmp_path,
            {"media": bare, "match": [match("u1", "l1")], "match_scan": [scan("u1", "forward", 1)]},
        )
        for number, (conditions, values, action) in enumerate(asked, 2):
            rules = [{"name": "asked", "action": "block"} | conditions, REST]
            save_rules(catalog, tmp_path, number, rules, **values)
            assert actions(config) == {"u1@10": action}, (conditions, values)


def test_of_several_rules_the_first_has_its_way(config: CatalogConfig, tmp_path: Path) -> None:
    rules = [
        {"name": "first", "action": "track", "max_score": 0.8},
        {"name": "second", "action": "ignore", "max_score": 0.95},
        {"name": "third", "action": "block"},
    ]
    scores = {"u1": 0.7, "u2": 0.9, "u3": 0.99}
    with Catalog.open(config) as catalog:
        found = [match(u, "l1", score=score) for u, score in scores.items()]
        plant(catalog, tmp_path, {"match": found})
        save_rules(catalog, tmp_path, 2, rules)
    assert actions(config) == {"u1@10": "track", "u2@10": "ignore", "u3@10": "block"}


def test_the_policy_that_avm_comes_with_knows_licence_length_and_score(
    config: CatalogConfig, tmp_path: Path
) -> None:
    early, late = DAY - timedelta(days=1), DAY + timedelta(days=11)
    with Catalog.open(config) as catalog:
        plant(
            catalog,
            tmp_path,
            {
                "media": [media("u1", uploaded_at=early), media("u2", uploaded_at=late)],
                "match": [
                    segment("u1", 0, 90, 0),
                    segment("u2", 0, 90, 0),
                    segment("u3", 0, 90, 0, score=0.7),
                    segment("u4", 0, 90, 0),
                    segment("u5", 0, 17, 0),
                    segment("u6", 0, 40, 0),
                ],
            },
        )
    found = claims(config)
    assert {name[:2]: row["rule"] for name, row in found.items()} == {
        "u1": "precedes-licence",
        "u2": "licence-ended",
        "u3": "unsure",
        "u4": "long",
        "u5": "short",
        "u6": "rest",
    }
    assert {row["policy_version"] for row in found.values()} == {1}
    assert [row["ugc_id"] for row in read(config, "FROM review_queue ORDER BY place")] == [
        "u3",
        "u6",
    ]


def test_shares_are_of_the_union_of_the_pairs_segments(
    config: CatalogConfig, tmp_path: Path
) -> None:
    """Compared with seconds that are counted one by one."""
    rng = np.random.default_rng(5)
    rows: list[dict[str, Any]] = []
    truth: dict[tuple[str, str], tuple[int, int]] = {}
    for upload in ("u1", "u2", "u3"):
        for title in ("l1", "l2"):
            ours, theirs = np.zeros(100, bool), np.zeros(1000, bool)
            for number in range(int(rng.integers(1, 12))):
                start, length, at = rng.integers(0, 60), rng.integers(1, 40), rng.integers(0, 900)
                ours[start : start + length] = theirs[at : at + length] = True
                rows.append(
                    segment(upload, float(start), float(start + length), float(at))
                    | {"licensed_id": title, "match_id": f"{upload}{title}{number}"}
                )
            truth[upload, title] = (int(ours.sum()), int(theirs.sum()))
    with Catalog.open(config) as catalog:
        plant(catalog, tmp_path, {"match": rows})
    found = read(config, "FROM claims")
    assert len(found) == len(rows)
    for row in found:
        ours_s, theirs_s = truth[row["ugc_id"], row["licensed_id"]]
        assert (row["pair_ugc_seconds"], row["pair_licensed_seconds"]) == (ours_s, theirs_s)
        assert row["share_of_upload"] == pytest.approx(ours_s / 100)
        assert row["share_of_title"] == pytest.approx(theirs_s / 1000)


def test_a_verdict_holds_for_what_overlaps_it_in_the_title_by_half_of_the_shorter(
    config: CatalogConfig, tmp_path: Path
) -> None:
    seen = segment("u1", 10, 50, 100)
    with Catalog.open(config) as catalog:
        plant(catalog, tmp_path / "1", {"match": [seen, segment("u2", 10, 50, 100)]})
        commit(catalog, tmp_path / "2", {"decision": [decision(seen, "reject")]})
        assert actions(config) == {"u1@10": "ignore", "u2@10": "review"}
        # A re-match of the upload finds other segments.
        found = [
            segment("u1", 11, 91, 120),  # 20 s of the shorter's 40
            segment("u1", 12, 92, 121),
            segment("u1", 13, 33, 90),  # 10 of 20
            segment("u1", 14, 34, 89),
            segment("u1", 15, 55, 400),
        ]
        plant(catalog, tmp_path / "3", {"match": found})
    assert actions(config) == {
        "u1@11": "ignore",
        "u1@12": "block",
        "u1@13": "ignore",
        "u1@14": "review",
        "u1@15": "review",
        "u2@10": "review",
    }


def test_the_latest_decision_wins_until_it_is_undone(config: CatalogConfig, tmp_path: Path) -> None:
    seen = segment("u1", 10, 50, 100)
    later = decision(seen, "reject", number=2, decided_by="bob", note="<b>ours</b>")
    with Catalog.open(config) as catalog:
        plant(catalog, tmp_path, {"match": [seen]})
        commit(catalog, tmp_path, {"decision": [decision(seen, "confirm")]})
        assert claims(config)["u1@10"]["reason"] == "confirmed by ann"
        assert actions(config) == {"u1@10": "block"}
        commit(catalog, tmp_path, {"decision": [later]})
        found = claims(config)["u1@10"]
        assert (found["action"], found["rule"], found["decision"]) == (
            "ignore",
            "decision",
            "reject",
        )
        assert (found["reason"], found["decision_note"]) == ("rejected by bob", "<b>ours</b>")
        commit(catalog, tmp_path, {"decision": [later | {"undone_by": "ann", "undone_at": DAY}]})
        assert actions(config) == {"u1@10": "block"}
        assert [r["in_force"] for r in read(config, "FROM decisions ORDER BY decided_at")] == [
            True,
            False,
        ]
        first = decision(seen, "confirm") | {"undone_by": "ann", "undone_at": DAY}
        commit(catalog, tmp_path, {"decision": [first]})
        found = claims(config)["u1@10"]
        assert (found["action"], found["rule"], found["decision"]) == ("review", "rest", None)


def test_a_decision_stands_above_a_policy_that_comes_later(
    config: CatalogConfig, tmp_path: Path
) -> None:
    confirmed, rejected, open_ = (segment(u, 10, 50, 100) for u in ("u1", "u2", "u3"))
    with Catalog.open(config) as catalog:
        plant(catalog, tmp_path, {"match": [confirmed, rejected, open_]})
        decided = [decision(confirmed, "confirm"), decision(rejected, "reject", number=2)]
        commit(catalog, tmp_path, {"decision": decided})
        for version, action in ((2, "review"), (3, "ignore"), (4, "block")):
            save_rules(catalog, tmp_path, version, [{"name": "all", "action": action}])
            assert actions(config) == {"u1@10": "block", "u2@10": "ignore", "u3@10": action}


def test_an_exclusion_ends_claims_of_all_uploads_that_show_little_else(
    config: CatalogConfig, tmp_path: Path
) -> None:
    seen = segment("u1", 0, 20, 100)
    others = [
        segment("u2", 0, 40, 100),  # half of it
        segment("u3", 0, 42, 100),
        segment("u4", 0, 20, 110),
        segment("u5", 0, 20, 100, licensed_id="l2"),
    ]
    with Catalog.open(config) as catalog:
        plant(catalog, tmp_path, {"match": [seen, *others]})
        save_rules(catalog, tmp_path, 2, [{"name": "all", "action": "block"}])
        commit(catalog, tmp_path, {"decision": [decision(seen, "exclude")]})
    found = claims(config)
    assert {name[:2]: row["action"] for name, row in found.items()} == {
        "u1": "ignore",
        "u2": "ignore",
        "u3": "block",
        "u4": "ignore",
        "u5": "block",
    }
    shares = {name[:2]: row["share_excluded"] for name, row in found.items()}
    assert shares == pytest.approx({"u1": 1.0, "u2": 0.5, "u3": 20 / 42, "u4": 0.5, "u5": 0.0})
    assert found["u2@0"]["reason"] == "this part of the title was excluded by ann"


def test_claims_follow_whatever_changes_beneath_them(config: CatalogConfig, tmp_path: Path) -> None:
    with Catalog.open(config) as catalog:
        plant(catalog, tmp_path / "1", {"match": [segment("u1", 10, 80, 100)]})
        assert claims(config)["u1@10"]["rule"] == "long"
        later = media("l1", "licensed", licensed_from=DAY + timedelta(days=1), title="Новое")
        commit(catalog, tmp_path / "2", {"media": [later]})
        found = claims(config)["u1@10"]
        assert (found["rule"], found["licensed_title"]) == ("precedes-licence", "Новое")
        commit(catalog, tmp_path / "3", {"media": [media("l1", "licensed", **LICENCE)]})
        commit(catalog, tmp_path / "3", {"media_content": [content("l1", duration=100.0)]})
        assert claims(config)["u1@10"]["rule"] == "most-of-title"
        plant(catalog, tmp_path / "4", {"match": [segment("u1", 20, 60, 300)]})
        assert list(claims(config)) == ["u1@20"]
        assert not any(catalog.check().values())


def test_a_title_with_fifty_thousand_matches_is_excluded_and_taken_back_at_once(
    config: CatalogConfig, tmp_path: Path
) -> None:
    count = 50_000
    rows = [
        segment("u1", float(n), n + 20.0, 100.0) | {"match_id": f"{n:032x}", "ugc_id": f"u{n}"}
        for n in range(count)
    ]
    said = decision(rows[7], "exclude")
    with Catalog.open(config) as catalog:
        commit(
            catalog,
            tmp_path,
            {
                "media": [media("l1", "licensed"), media("u7")],
                "match": rows,
                "match_scan": [scan("l1", "reverse", 1)],
            },
        )
        counted = "SELECT action, count(*) AS n FROM claims GROUP BY action"
        assert read(config, counted) == [{"action": "review", "n": count}]
        commit(catalog, tmp_path, {"decision": [said]})
        assert read(config, counted) == [{"action": "ignore", "n": count}]
        commit(catalog, tmp_path, {"decision": [said | {"undone_by": "ann", "undone_at": DAY}]})
        assert read(config, counted) == [{"action": "review", "n": count}]


def test_claims_have_every_column_of_matches(config: CatalogConfig) -> None:
    with Catalog.open(config, read_only=True) as reader:
        matches, found = (reader.select(f"FROM {v}").schema for v in ("matches", "claims"))
    assert [found.field(name).type for name in matches.names] == matches.types
