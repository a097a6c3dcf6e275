"""Work is found by asking what is missing: a planted world with uploads and licences."""

import random
from datetime import timedelta
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
    fingerprint,
    ids,
    media,
    media_error,
    scan,
    snapshot,
)

CURRENT = {"audio_fingerprinter": AUDIO, "video_fingerprinter": VIDEO}
MATCHING = {**CURRENT, "matcher_version": MATCHER}


def forward(catalog: Catalog, limit: int = 100, **changes: object) -> list[str]:
    return ids(catalog.query("match/pending_forward", **(MATCHING | changes), limit=limit))


def reverse(catalog: Catalog, limit: int = 100, **changes: object) -> list[str]:
    return ids(catalog.query("match/pending_reverse", **(MATCHING | changes), limit=limit))


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


def test_another_matcher_or_fingerprinter_makes_uploads_pending(
    world: Catalog, tmp_path: Path
) -> None:
    done = [scan(u, "forward", 2) for u in ("u1", "u2", "u3")]
    commit(world, tmp_path, {"match_scan": done})
    assert forward(world) == []
    assert forward(world, matcher_version="matcher-2") == ["u1", "u2", "u3"]
    assert forward(world, audio_fingerprinter="audio_test.two-00000003") == []


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
