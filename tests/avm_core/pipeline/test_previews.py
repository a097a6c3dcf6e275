"""What the page draws of a planted copy: the line is where the copy is, the evidence too."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from avm_core.fingerprint import codec
from avm_core.pipeline.likeness import SIDE
from avm_core.pipeline.preview_task import make_apart
from avm_core.pipeline.previews import extent, keys, make
from avm_core.storage import object_uri
from avm_core.types import Modality
from tests.avm_core.catalog.builders import commit, content, fingerprint, match, media
from tests.builders import IDS, cut, make_fingerprint, make_tape, splice


@pytest.fixture
def planted(make_platform: Any, tmp_path: Any) -> Any:
    """(platform, match row): 60 s of a title, from its second 300, in an upload at 100 s."""
    platform = make_platform()
    rows: dict[str, list[dict[str, Any]]] = {"media_content": [], "media_fingerprint": []}
    prints: dict[Modality, Any] = {}
    for modality in ("audio", "video"):
        title = make_tape(1, 600, modality)
        upload = splice(
            make_tape(2, 100, modality), cut(title, 300, 360), make_tape(3, 100, modality)
        )
        prints = {"t": title, "u": upload}  # type: ignore[dict-item]
        for name, tape in prints.items():
            made = make_fingerprint(tape, modality=modality, content_id=name)
            key = f"prints/{name}-{modality}"
            platform.lake.put(key, codec.encode(made))
            rows["media_fingerprint"].append(
                fingerprint(
                    name,
                    str(IDS[modality]),
                    modality=modality,
                    artefact_uri=object_uri(platform.lake, key),
                )
            )
    found = match(
        "u",
        "t",
        start=100.0,
        ugc_end=160.0,
        licensed_start=300.0,
        licensed_end=360.0,
        modality="both",
        audio_fingerprinter=str(IDS["audio"]),
        video_fingerprinter=str(IDS["video"]),
    )
    rows |= {
        "media": [media("t", "licensed"), media("u")],
        "match": [found],
        "media_content": [content("t", duration=600.0), content("u", duration=260.0)],
    }
    with platform.catalog(read_only=False) as catalog:
        commit(catalog, tmp_path / "staged", rows)
    return platform, found


def test_the_extent_is_the_same_stretch_of_both_sides() -> None:
    shown = extent(match("u", "t", start=100.0, speed=1.25, licensed_start=50.0, licensed_end=75.0))
    assert (shown.ugc_start, shown.ugc_end) == (95.0, 125.0)
    assert (shown.licensed_start, shown.licensed_end) == (43.75, 81.25)


def test_the_matrix_is_opaque_on_the_line_and_nowhere_else(planted: Any) -> None:
    platform, row = planted
    make(platform, "pair", row)
    note = json.loads(platform.lake.get(keys(row)["pair.json"]))
    assert note["matrices"] == ["audio", "video"]
    image = Image.open(io.BytesIO(platform.lake.get(keys(row)["audio.png"])))
    opaque = np.asarray(image)[..., 3][::-1] / 255  # the first second of the title first
    shown = extent(row)
    moments = shown.ugc_start + (np.arange(SIDE) + 0.5) * (78 / SIDE)
    inside = (moments > 102) & (moments < 158)
    outside = (moments < 97) | (moments > 163)
    line = np.diagonal(opaque)
    assert line[inside].min() > 0.7
    assert line[outside].max() < 0.1
    far = np.abs(np.arange(SIDE)[:, None] - np.arange(SIDE)) > 20
    assert opaque[far].max() < 0.1


def test_the_evidence_rises_where_the_copy_is(planted: Any) -> None:
    platform, row = planted
    make_apart(platform, "pair", row)
    evidence = json.loads(platform.lake.get(keys(row)["pair.json"]))["evidence"]
    moments = 91 + (np.arange(SIDE) + 0.5) * (78 / SIDE)
    for modality in ("audio", "video"):
        values = np.array([np.nan if v is None else v for v in evidence[modality]])
        assert np.nanmin(values[(moments > 104) & (moments < 156)]) > 0.1
        assert np.nanmax(values[(moments < 96) | (moments > 164)]) < 0.1


def test_made_twice_is_the_same(planted: Any) -> None:
    platform, row = planted
    make(platform, "pair", row)
    first = {info.key: info.etag for info in platform.lake.list("previews/")}
    make(platform, "pair", row)
    assert {info.key: info.etag for info in platform.lake.list("previews/")} == first
    assert len(first) == 3


def test_a_match_that_another_model_finds_again_is_drawn_anew() -> None:
    row = {
        "match_id": "m",
        "ugc_id": "u",
        "licensed_id": "l",
        "ugc_start": 10.0,
        "ugc_end": 30.0,
        "licensed_start": 40.0,
        "licensed_end": 60.0,
        "speed": 1.0,
        "audio_fingerprinter": "audio_conv.v2-00000000",
        "video_fingerprinter": None,
    }
    before, after = keys(row), keys(row | {"audio_fingerprinter": "audio_conv.v3-00000000"})
    assert before == keys(dict(row))
    assert {name for name in before if before[name] != after[name]} == {
        "pair.json",
        "audio.png",
        "video.png",
    }
