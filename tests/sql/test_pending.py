"""Work is found by asking what is missing: a planted world with uploads and licences."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from avm_core.catalog import Catalog
from tests.avm_core.catalog.builders import (
    AUDIO,
    DAY,
    MATCHER,
    VIDEO,
    commit,
    content,
    entry,
    exclusion,
    fingerprint,
    ids,
    match,
    media,
    media_error,
    removal,
    scan,
    snapshot,
)

CURRENT = {"audio_fingerprinter": AUDIO, "video_fingerprinter": VIDEO}
MATCHING = {**CURRENT, "matcher_version": MATCHER}


def forward(catalog: Catalog, limit: int = 100, **changes: object) -> list[str]:
    return ids(catalog.query("match/pending_forward", **(MATCHING | changes), limit=limit))


def reverse(catalog: Catalog, limit: int = 100, **changes: object) -> list[str]:
    return ids(catalog.query("match/pending_reverse", **(MATCHING | changes), limit=limit))


def stale(catalog: Catalog, limit: int = 100, **changes: object) -> list[str]:
    return ids(catalog.query("match/stale", **(MATCHING | changes), limit=limit))


def shared_by(title: str, other: str) -> dict[str, object]:
    return exclusion(title, other, video_fingerprinter=VIDEO)


def seen_with(upload: str, title: str, exclusions: int) -> dict[str, object]:
    return match(upload, title, exclusions=exclusions, video_fingerprinter=VIDEO)


def waiting(catalog: Catalog) -> dict[str, float]:
    rows = catalog.report("summary").to_pylist()
    prefix = "waiting for "
    found = [row for row in rows if row["measure"].startswith(prefix)]
    return {row["measure"].removeprefix(prefix): row["value"] for row in found}


@pytest.fixture
def world(catalog: Catalog, tmp_path: Path) -> Catalog:
    """Uploads u1..u3, licences l1..l3, audio indexed (version 1: 1 and 2, version 2: 3)."""
    names = [(f"{letter}{n}", n) for letter in "ul" for n in (1, 2, 3)]
    commit(
        catalog,
        tmp_path,
        {
            "media": [
                media(name, "ugc" if name[0] == "u" else "licensed", day=n, uploaded_at=DAY)
                for name, n in names
            ],
            "media_content": [content(name, duration=60.0 * n) for name, n in names],
            "media_fingerprint": [
                row
                for name, _ in names
                for row in (fingerprint(name, AUDIO), fingerprint(name, VIDEO, status="absent"))
            ],
            "index_entry": [
                entry("ugc_audio" if name[0] == "u" else "licensed_audio", name, 1 + (n == 3))
                for name, n in names
            ],
        },
    )
    return catalog


def test_media_without_a_current_fingerprint_are_pending_oldest_first(
    catalog: Catalog, tmp_path: Path
) -> None:
    commit(
        catalog,
        tmp_path,
        {
            "media": [
                media("late", day=9),
                media("early", "licensed", day=1),
                media("half", day=5),
                media("done", day=2),
                media("broken", day=3),
            ],
            "media_fingerprint": [
                fingerprint("half", AUDIO),
                fingerprint("half", "video_test.old-00000009"),
                fingerprint("done", AUDIO),
                fingerprint("done", VIDEO, status="absent"),
                fingerprint("broken", AUDIO, status="error"),
                fingerprint("broken", VIDEO, status="error"),
            ],
        },
    )
    name = "media/pending_fingerprint"
    pending = catalog.query(name, **CURRENT, limit=10, now=DAY)
    assert ids(pending) == ["early", "half", "late"]
    assert pending[0]["uri"] == "s3://licensed/early.mp4"
    assert pending[0]["discovered_at"] == DAY + timedelta(days=1)
    assert ids(catalog.query(name, **CURRENT, limit=2, now=DAY)) == ["early", "half"]
    only_audio = CURRENT | {"video_fingerprinter": None}
    assert ids(catalog.query(name, **only_audio, limit=10, now=DAY)) == ["early", "late"]


def test_failures_are_pending_when_they_are_due_and_gone_media_never(
    catalog: Catalog, tmp_path: Path
) -> None:
    hour = timedelta(hours=1)
    waits = {"never": None, "due": DAY - hour, "later": DAY + hour, "made": DAY - hour}
    commit(
        catalog,
        tmp_path,
        {
            "media": [media(name, day=n) for n, name in enumerate(waits)]
            + [media("gone", gone_at=DAY), media("first", "licensed", day=99)],
            "media_fingerprint": [
                fingerprint(name, kind, status="error")
                for name in ("never", "made")
                for kind in (AUDIO, VIDEO)
            ],
            "media_error": [
                media_error(name, "probe", attempts=2, next_attempt_at=when)
                for name, when in waits.items()
            ],
        },
    )
    rows = catalog.query("media/pending_fingerprint", **CURRENT, limit=9, now=DAY)
    assert [(row["media_id"], row["attempts"]) for row in rows] == [
        ("first", 0),
        ("due", 2),
        ("made", 2),
    ]


def test_indexable_are_the_usable_fingerprints_of_a_role(world: Catalog, tmp_path: Path) -> None:
    commit(world, tmp_path, {"media_fingerprint": [fingerprint("u2", AUDIO, status="empty")]})
    rows = world.query("fingerprint/indexable", role="ugc", modality="audio", fingerprinter=AUDIO)
    assert ids(rows) == ["u1", "u3"]
    assert rows[0] == {
        "media_id": "u1",
        "content_id": "content-u1",
        "artefact_uri": f"s3://lake/{AUDIO}/u1",
        "windows": 100,
        "uploaded_at": DAY,
    }
    rows = world.query("fingerprint/indexable", role="ugc", modality="video", fingerprinter=VIDEO)
    assert rows == []


def test_the_recorded_version_is_the_newest_of_its_fingerprinter(
    catalog: Catalog, tmp_path: Path
) -> None:
    snapshots = [snapshot("ugc_audio", 1), snapshot("ugc_audio", 2), snapshot("ugc_video", 7)]
    commit(catalog, tmp_path, {"index_snapshot": snapshots})
    found = {
        (name, who): catalog.query("index/recorded_version", index_name=name, fingerprinter=who)[0][
            "version"
        ]
        for name, who in (("ugc_audio", AUDIO), ("ugc_video", VIDEO), ("ugc_audio", "other"))
    }
    assert list(found.values()) == [2, 7, 0]


def test_artefacts_come_with_both_modalities(world: Catalog, tmp_path: Path) -> None:
    commit(world, tmp_path, {"media_fingerprint": [fingerprint("l2", VIDEO)]})
    rows = world.query("match/artefacts", ids=["u1", "l2"], **CURRENT)
    assert rows == [
        {
            "media_id": "l2",
            "audio_uri": f"s3://lake/{AUDIO}/l2",
            "video_uri": f"s3://lake/{VIDEO}/l2",
            "duration": 120.0,
        },
        {
            "media_id": "u1",
            "audio_uri": f"s3://lake/{AUDIO}/u1",
            "video_uri": None,
            "duration": 60.0,
        },
    ]


def test_uploads_never_scanned_are_pending_forward(world: Catalog, tmp_path: Path) -> None:
    rows = world.query("match/pending_forward", **MATCHING, limit=10)
    assert ids(rows) == ["u1", "u2", "u3"]
    assert rows[1] == {
        "media_id": "u2",
        "uploaded_at": DAY,
        "duration": 120.0,
        "audio_uri": f"s3://lake/{AUDIO}/u2",
        "video_uri": None,
    }
    commit(world, tmp_path, {"match_scan": [scan("u1", "forward", 1), scan("u3", "forward", 1)]})
    assert forward(world) == ["u2"]
    # A video fingerprint that turns up makes a scanned upload pending again.
    commit(world, tmp_path, {"media_fingerprint": [fingerprint("u1", VIDEO)]})
    assert forward(world) == ["u1", "u2"]
    assert forward(world, limit=1) == ["u1"]


def test_what_was_searched_before_there_was_an_index_is_new_once_there_is_one(
    world: Catalog, tmp_path: Path
) -> None:
    both = [fingerprint(u, VIDEO) for u in ("u1", "u2", "u3")]
    scans = [
        scan(u, "forward", version, modality=modality)
        for u in ("u1", "u2", "u3")
        for modality, version in (("audio", 2), ("video", 0))
    ]
    commit(world, tmp_path, {"media_fingerprint": both, "match_scan": scans})
    # A library of sound alone: pictures have nothing to be searched in, tonight and ever.
    assert (forward(world), stale(world)) == ([], [])
    commit(world, tmp_path, {"index_entry": [entry("licensed_video", "l2", 1)]})
    assert (forward(world), stale(world)) == (["u1", "u2", "u3"], [])
    assert waiting(world)["match"] == 3
    done = [scan(u, "forward", 1, modality="video") for u in ("u1", "u3")]
    commit(world, tmp_path, {"match_scan": done})
    assert forward(world) == ["u2"]
    assert waiting(world)["match"] == 1


def test_a_match_made_with_other_exclusions_is_pending_until_it_has_these(
    world: Catalog, tmp_path: Path
) -> None:
    scans = [scan(u, "forward", 2) for u in ("u1", "u2", "u3")]
    found = [seen_with("u1", "l1", 0), seen_with("u2", "l2", 0)]
    commit(world, tmp_path, {"match": found, "match_scan": scans}, kind="forward")
    assert forward(world) == []
    shared = [shared_by("l1", "l3"), shared_by("l3", "l1")]
    commit(world, tmp_path, {"exclusion": shared}, kind="exclusion")
    assert forward(world) == ["u1"]
    assert waiting(world)["match"] == 1
    again = {"match": [seen_with("u1", "l1", 1)], "match_scan": [scans[0]]}
    commit(world, tmp_path, again, kind="forward")
    assert forward(world) == []
    # Fewer than before counts, too: l3 goes, and with it what l1 shared with it.
    commit(world, tmp_path, {"removal": [removal("l3")]}, kind="removal")
    assert forward(world) == ["u1"]
    assert waiting(world)["match"] == 1


def test_another_matcher_or_fingerprinter_makes_uploads_stale_not_new(
    world: Catalog, tmp_path: Path
) -> None:
    times = {"u1": 30, "u2": 10, "u3": 20}
    done = [
        scan(u, "forward", 2, scanned_at=DAY + timedelta(minutes=minutes))
        for u, minutes in times.items()
    ]
    commit(world, tmp_path, {"match_scan": done})
    assert (forward(world), stale(world)) == ([], [])
    other = "audio_test.two-00000003"
    assert forward(world, matcher_version="matcher-2") == []
    assert stale(world, matcher_version="matcher-2") == ["u2", "u3", "u1"], "longest ago first"
    assert stale(world, matcher_version="matcher-2", limit=2) == ["u2", "u3"]
    made = [fingerprint(u, other, fingerprinted_at=DAY + timedelta(1)) for u in ("u1", "u3")]
    commit(world, tmp_path, {"media_fingerprint": made})
    new_model = {"audio_fingerprinter": other}
    assert stale(world, **new_model) == [], "nothing to search them in yet"
    commit(
        world,
        tmp_path,
        {"index_entry": [entry("licensed_audio", "l1", 9, fingerprinter=other)]},
    )
    assert (forward(world, **new_model), stale(world, **new_model)) == ([], ["u3", "u1"])
    assert waiting(world)["nightly"] == 2
    late = scan("u3", "forward", 9, fingerprinter=other, scanned_at=DAY + timedelta(days=2))
    commit(world, tmp_path, {"match_scan": [late]})
    assert stale(world, **new_model) == ["u1"]
    assert waiting(world)["nightly"] == 1


def test_an_upload_is_stale_by_snapshot_until_it_or_the_title_was_searched(
    world: Catalog, tmp_path: Path
) -> None:
    done = [scan("u1", "forward", 1), scan("u2", "forward", 2), scan("u3", "forward", 1)]
    commit(world, tmp_path, {"match_scan": done})
    # l3 came with version 2; u3 is in version 2 of the uploads, u1 in 1.
    assert stale(world) == ["u1", "u3"]
    commit(world, tmp_path, {"match_scan": [scan("l3", "reverse", 1)]}, kind="reverse")
    assert stale(world) == ["u3"]
    commit(world, tmp_path, {"match_scan": [scan("u3", "forward", 2)]})
    assert stale(world) == []


def test_days_are_searched_backwards_one_by_one(world: Catalog, tmp_path: Path) -> None:
    """u1 on 1 March, u2 and u3 on 3 March; the title l3 came after their search."""
    rows = [
        media(u, uploaded_at=DAY + timedelta(days=d), day=n)
        for n, (u, d) in enumerate([("u1", 0), ("u2", 2), ("u3", 2)])
    ]
    early = [scan(u, "forward", 1) for u in ("u1", "u2", "u3")]
    commit(world, tmp_path, {"media": rows, "match_scan": early})

    def days() -> dict[str, list[str]]:
        found = world.query("match/pending_reverse", **MATCHING, limit=10)
        return {row["media_id"]: row["days"] for row in found}

    assert days() == {"l3": ["2026-03-01", "2026-03-03"]}
    assert world.query("match/upload_days", **CURRENT) == [
        {"day": "2026-03-01", "seconds": 60.0},
        {"day": "2026-03-03", "seconds": 300.0},
    ]
    first = scan("l3", "reverse", 2, first_day="2026-03-01", last_day="2026-03-02")
    commit(world, tmp_path, {"match_scan": [first]}, kind="reverse")
    assert days() == {"l3": ["2026-03-03"]}
    assert stale(world) == ["u2", "u3"]
    assert waiting(world)["rematch"] == 1
    second = scan("l3", "reverse", 1, first_day="2026-03-03", last_day="2026-03-03")
    commit(world, tmp_path, {"match_scan": [second]}, kind="reverse")
    assert days() == {"l3": ["2026-03-03"]}, "u3 came with version 2"
    commit(world, tmp_path, {"match_scan": [second | {"searched_version": 2}]}, kind="reverse")
    assert (days(), stale(world), waiting(world)["rematch"]) == ({}, [], 0)
    with Catalog.open(world._config, read_only=True) as reader:
        kept = reader.select("SELECT first_day FROM match_scan WHERE probe_id = 'l3'")
    assert len(kept) == 2
    # A scan of everything stands for both.
    commit(world, tmp_path, {"match_scan": [scan("l3", "reverse", 3)]}, kind="reverse")
    assert (days(), waiting(world)["rematch"]) == ({}, 0)
    with Catalog.open(world._config, read_only=True) as reader:
        kept = reader.select("SELECT first_day FROM match_scan WHERE probe_id = 'l3'")
    assert kept.to_pylist() == [{"first_day": None}]


def test_a_search_of_some_days_replaces_the_matches_of_these(
    world: Catalog, tmp_path: Path
) -> None:
    rows = [media("u2", uploaded_at=DAY + timedelta(days=2))]
    found = [match(u, "l1", direction="reverse") for u in ("u1", "u2")]
    commit(world, tmp_path, {"media": rows})
    whole = [scan("l1", "reverse", 2)]
    commit(world, tmp_path, {"match": found, "match_scan": whole}, kind="reverse")
    part = [scan("l1", "reverse", 3, first_day="2026-03-02", last_day="2026-03-09")]
    commit(world, tmp_path, {"match_scan": part}, kind="reverse")
    with Catalog.open(world._config, read_only=True) as reader:
        left = reader.select("SELECT ugc_id FROM match").to_pylist()
    assert left == [{"ugc_id": "u1"}]


def test_what_a_title_shared_with_a_removed_one_is_searched_backwards_again(
    world: Catalog, tmp_path: Path
) -> None:
    shared = [shared_by("l1", "l2"), shared_by("l2", "l1")]
    commit(world, tmp_path, {"exclusion": shared}, kind="exclusion")
    commit(world, tmp_path, {"match_scan": [scan(u, "forward", 2) for u in ("u1", "u2", "u3")]})
    assert reverse(world) == []
    commit(world, tmp_path, {"removal": [removal("l2")]}, kind="removal")
    assert reverse(world) == ["l1"], "and not l2"
    before = scan("l1", "reverse", 2)
    commit(world, tmp_path, {"match_scan": [before]}, kind="reverse")
    assert reverse(world) == ["l1"], "that scan still knew the exclusion"
    after = before | {"scanned_at": datetime.now(UTC) + timedelta(minutes=1)}
    commit(world, tmp_path, {"match_scan": [after]}, kind="reverse")
    assert reverse(world) == []


def test_removed_media_wait_for_nothing(world: Catalog, tmp_path: Path) -> None:
    commit(world, tmp_path, {"media": [media("u9")], "match_scan": [scan("u1", "forward", 1)]})
    assert (forward(world), reverse(world)) == (["u2", "u3"], ["l3"])
    gone = [removal(name) for name in ("u9", "u1", "u2", "l3")]
    commit(world, tmp_path, {"removal": gone}, kind="removal")
    assert (forward(world), reverse(world)) == (["u3"], [])
    assert stale(world, matcher_version="matcher-2") == []
    assert world.query("media/pending_fingerprint", **CURRENT, limit=10, now=DAY) == []
    rows = world.query("fingerprint/indexable", role="ugc", modality="audio", fingerprinter=AUDIO)
    assert ids(rows) == ["u3"]
    found = waiting(world)
    assert found == {"fingerprint": 0, "publish": 0, "match": 1, "rematch": 0, "nightly": 0}


def test_a_late_licence_is_pending_reverse_until_scanned(world: Catalog, tmp_path: Path) -> None:
    assert reverse(world) == []
    commit(world, tmp_path, {"match_scan": [scan("u1", "forward", 1), scan("u2", "forward", 2)]})
    rows = world.query("match/pending_reverse", **MATCHING, limit=10)
    # u1 saw version 1 only; l3 came with version 2.
    assert ids(rows) == ["l3"]
    assert (rows[0]["duration"], rows[0]["audio_uri"]) == (180.0, f"s3://lake/{AUDIO}/l3")
    commit(world, tmp_path, {"match_scan": [scan("l3", "reverse", 1)]}, kind="reverse")
    assert reverse(world) == []


def test_a_reverse_scan_that_missed_an_upload_is_repeated(world: Catalog, tmp_path: Path) -> None:
    early = [scan(u, "forward", 1) for u in ("u1", "u2", "u3")]
    commit(world, tmp_path, {"match_scan": early})
    # The reverse scan saw version 1 of the uploads; u3 is in version 2.
    commit(world, tmp_path, {"match_scan": [scan("l3", "reverse", 1)]}, kind="reverse")
    assert reverse(world) == ["l3"]
    commit(world, tmp_path, {"match_scan": [scan("l3", "reverse", 2)]}, kind="reverse")
    assert reverse(world) == []
    assert reverse(world, matcher_version="matcher-2") == []


def test_several_late_licences_are_served_within_the_limit(world: Catalog, tmp_path: Path) -> None:
    late = [f"m{n}" for n in range(4)]
    commit(
        world,
        tmp_path,
        {
            "media": [media(m, "licensed", day=10 - n) for n, m in enumerate(late)],
            "media_fingerprint": [fingerprint(m, AUDIO) for m in late],
            "index_entry": [entry("licensed_audio", m, 3 + n) for n, m in enumerate(late)],
            "match_scan": [scan("u1", "forward", 4), scan("u2", "forward", 5)],
        },
    )
    # m2 and m3 are in versions 5 and 6: u1 saw up to 4, u2 up to 5.
    assert reverse(world) == ["m3", "m2"]
    assert reverse(world, limit=1) == ["m3"]


def test_removed_media_are_nobodys_work(world: Catalog, tmp_path: Path) -> None:
    commit(world, tmp_path, {"match_scan": [scan("u1", "forward", 1), scan("u2", "forward", 1)]})
    assert reverse(world) == ["l3"]
    gone = [entry("ugc_audio", u, 1, removed_version=3) for u in ("u1", "u2")]
    commit(world, tmp_path, {"index_entry": gone})
    assert reverse(world) == []
    commit(world, tmp_path, {"index_entry": [entry("ugc_audio", "u1", 4)]})
    assert reverse(world) == ["l3"]
    commit(world, tmp_path, {"index_entry": [entry("licensed_audio", "l3", 2, removed_version=3)]})
    assert reverse(world) == []


def test_the_backlog_counts_what_the_queries_list(world: Catalog, tmp_path: Path) -> None:
    commit(
        world,
        tmp_path,
        {
            "media": [media("u8"), media("u9")],
            "media_fingerprint": [fingerprint("u9", AUDIO), fingerprint("u9", VIDEO)],
            "match_scan": [scan("u1", "forward", 1), scan("u2", "forward", 2)],
        },
    )
    counts = {row["measure"]: row["value"] for row in world.report("summary").to_pylist()}
    assert counts["waiting for fingerprint"] == 1
    assert counts["waiting for publish"] == 1
    assert counts["waiting for match"] == len(forward(world)) == 2
    assert counts["waiting for rematch"] == len(reverse(world)) == 1


def test_pending_reverse_agrees_with_asking_pair_by_pair(catalog: Catalog, tmp_path: Path) -> None:
    rng = random.Random(0)
    uploads, licences = [f"u{n}" for n in range(12)], [f"l{n}" for n in range(40)]
    first: dict[tuple[str, str], int] = {}
    seen: dict[tuple[str, str], int] = {}
    for modality in ("audio", "video"):
        for name in uploads + licences:
            if rng.random() < 0.8:
                first[name, modality] = rng.randint(1, 9)
            if rng.random() < 0.7:
                seen[name, modality] = rng.randint(1, 9)
    index = {"u": "ugc", "l": "licensed"}
    commit(
        catalog,
        tmp_path,
        {
            "media": [media(u) for u in uploads] + [media(name, "licensed") for name in licences],
            "index_entry": [
                entry(f"{index[name[0]]}_{modality}", name, version)
                for (name, modality), version in first.items()
            ],
            "match_scan": [
                scan(name, "forward" if name[0] == "u" else "reverse", version, modality=modality)
                for (name, modality), version in seen.items()
            ],
        },
    )
    expected = {
        name
        for name in licences
        for u in uploads
        for m in ("audio", "video")
        if (name, m) in first and (u, m) in first and (u, m) in seen
        if first[name, m] > seen[u, m] and seen.get((name, m), 0) < first[u, m]
    }
    assert set(reverse(catalog)) == expected
    assert 5 < len(expected) < len(licences)
