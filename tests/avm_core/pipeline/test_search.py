"""Searched backwards, new titles meet exactly the uploads that a forward re-match would give."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from avm_core.config import IndexConfig, MatchConfig
from avm_core.index.reader import SnapshotReader
from avm_core.index.snapshot import publish
from avm_core.match.align import align
from avm_core.pipeline.search import search, search_uploads
from avm_core.storage.memory import MemoryStore
from tests.avm_core.match.test_pictures import pictures, viewed
from tests.builders import IDS, cut, make_fingerprint, make_tape, splice

TITLES, UPLOADS, DAYS = 12, 240, 6
LATE = 4  # titles that arrive after all uploads
SECONDS = 70.0
FLAT = IndexConfig()


@pytest.fixture(scope="module")
def corpus():
    """(titles, uploads, planted pairs): sound of all of them, pictures of every third upload.

    Every second title opens with the same jingle, which is in more uploads than the matcher has
    places for candidates; other uploads copy one or two stretches at two speeds; the rest is new.
    """
    jingle = make_tape(7, 18.0)
    tapes = {f"t{n:02d}": make_tape(100 + n, SECONDS) for n in range(TITLES)}
    for number, name in enumerate(tapes):
        if number % 2 == 0:
            tapes[name] = splice(jingle, tapes[name])
    titles = {name: {"audio": make_fingerprint(tape)} for name, tape in tapes.items()}
    pictures = {name: make_tape(100 + int(name[1:]), SECONDS, "video") for name in tapes}
    for name, tape in pictures.items():
        titles[name]["video"] = make_fingerprint(tape, modality="video")
    uploads, planted = {}, set()
    for number in range(UPLOADS):
        name = f"u{number:03d}"
        strange = [make_tape(1000 + 2 * number + part, 12.0) for part in (0, 1)]
        first = f"t{number % TITLES:02d}"
        if number % 4 == 0:
            parts = [strange[0], jingle, strange[1]]
            planted |= {(name, title) for title in list(tapes)[::2]}
        elif number % 4 == 1:
            copy = cut(tapes[first], 25.0, 50.0, speed=1.0 + 0.05 * (number % 3))
            parts = [strange[0], copy, strange[1]]
            planted.add((name, first))
        elif number % 4 == 2:
            second = f"t{(number + 5) % TITLES:02d}"
            parts = [cut(tapes[first], 20.0, 42.0), strange[0], cut(tapes[second], 30.0, 52.0)]
            planted |= {(name, first), (name, second)}
        else:
            parts = strange
        sound = make_fingerprint(splice(*parts), noise=0.2, phase=0.1 * (number % 3))
        uploads[name] = {"audio": sound}
        if number % 3 == 0:
            picture = splice(
                cut(pictures[first], 5.0, 40.0), make_tape(9000 + number, 9.0, "video")
            )
            uploads[name]["video"] = make_fingerprint(picture, modality="video", noise=0.2)
            planted.add((name, first))
    return titles, uploads, planted


def index(store, name, modality, media, days=None):
    prints = [(key, prints[modality]) for key, prints in media.items() if modality in prints]
    return publish(store, name, IDS[modality], prints, config=FLAT, partition_of=days or {})


def rows(pairs, titles, uploads):
    config = MatchConfig()
    found = []
    for upload, title in sorted(pairs):
        found += align(upload, title, uploads[upload], titles[title], config)
    return found


def test_reverse_gives_the_matches_of_a_forward_rematch(corpus, tmp_path):
    titles, uploads, planted = corpus
    config, store = MatchConfig(), MemoryStore("memory://reverse")
    days = {name: f"2030-01-{1 + n % DAYS:02d}" for n, name in enumerate(uploads)}
    late = {name: titles[name] for name in sorted(titles)[-LATE:]}

    readers = {}
    for modality in ("audio", "video"):
        manifest = index(store, f"licensed_{modality}", modality, titles)
        readers[modality] = SnapshotReader.open(store, manifest, cache_dir=tmp_path, config=FLAT)
    forward = {
        (name, candidate.ref_id)
        for name, prints in uploads.items()
        for candidate in search(name, prints, readers, config)
    }

    manifests = {m: index(store, f"ugc_{m}", m, uploads, days) for m in ("audio", "video")}
    assert [len(manifest.partitions) for manifest in manifests.values()] == [DAYS, 2]
    opened = []

    def open_partition(modality, day):
        opened.append((modality, day))
        return SnapshotReader.open(
            store, manifests[modality], cache_dir=tmp_path, config=FLAT, partition=day
        )

    partitions = {modality: manifest.partitions for modality, manifest in manifests.items()}
    reverse = search_uploads(late, late.__getitem__, partitions, open_partition, config)
    assert len(opened) == len(set(opened)) == DAYS + 2, "each day is opened once for all titles"
    backwards = {(c.ref_id, title) for title, found in reverse.items() for c in found}

    # The jingle's uploads are more than the matcher takes candidates of one query.
    assert max(len(found) for found in reverse.values()) > config.max_candidates
    expected = rows({pair for pair in forward if pair[1] in late}, titles, uploads)
    assert rows(backwards, titles, uploads) == expected
    wanted = {pair for pair in planted if pair[1] in late}
    assert {(match.ugc_id, match.licensed_id) for match in expected} >= wanted
    assert len(wanted) > 100


def test_an_upload_with_holes_has_the_same_candidates_both_ways(corpus, tmp_path):
    titles, uploads, _ = corpus
    config, store = MatchConfig(), MemoryStore("memory://holes")
    name, title = "u001", "t01"
    whole = uploads[name]["audio"]
    valid = np.arange(len(whole.starts)) % 3 != 0
    holes = {name: {"audio": replace(whole, valid=valid)}}
    licensed = {title: titles[title]}
    readers = {
        key: SnapshotReader.open(
            store, index(store, key, "audio", media), cache_dir=tmp_path, config=FLAT
        )
        for key, media in (("licensed", licensed), ("ugc", holes))
    }
    forward = search(name, holes[name], {"audio": readers["licensed"]}, config)
    reverse = search_uploads(
        licensed, licensed.__getitem__, {"audio": ("",)}, lambda *_: readers["ugc"], config
    )
    assert [candidate.ref_id for candidate in forward] == [title]
    assert [candidate.ref_id for candidate in reverse[title]] == [name]
    assert forward[0].score == pytest.approx(reverse[title][0].score, rel=0.5)


def test_a_film_in_a_part_of_the_picture_is_proposed_both_ways(tmp_path):
    config, store = MatchConfig(), MemoryStore("memory://views")
    tapes = {f"t{n}": make_tape(40 + n, 90, "video") for n in (0, 1)}
    licensed = {name: {"video": pictures(tape)} for name, tape in tapes.items()}
    uploads = {}
    for name, tape in tapes.items():
        copy = splice(make_tape(60, 20, "video"), cut(tape, 30, 70), make_tape(61, 30, "video"))
        foreign = pictures(make_tape(62, 90, "video"))
        uploads[f"u-{name}"] = {"video": viewed(foreign, pictures(copy, noise=0.1))}
    readers = {
        role: SnapshotReader.open(
            store, index(store, role, "video", media), cache_dir=tmp_path, config=FLAT
        )
        for role, media in (("licensed", licensed), ("ugc", uploads))
    }
    forward = {
        (upload, candidate.ref_id): candidate.score
        for upload, prints in uploads.items()
        for candidate in search(upload, prints, {"video": readers["licensed"]}, config)
    }
    reverse = {
        (candidate.ref_id, title): candidate.score
        for title, found in search_uploads(
            licensed, licensed.__getitem__, {"video": ("",)}, lambda *_: readers["ugc"], config
        ).items()
        for candidate in found
    }
    assert sorted(forward) == [("u-t0", "t0"), ("u-t1", "t1")]
    assert reverse == pytest.approx(forward, rel=0.1)
