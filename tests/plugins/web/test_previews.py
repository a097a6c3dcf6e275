"""Previews over HTTP: made once, in a process of their own, honest about what there is not."""

from __future__ import annotations

import io

import numpy as np
from avm_airflow.web import previews
from PIL import Image

from avm_core.pipeline.previews import TILE, TILES
from tests.plugins.web.conftest import Site


def test_a_film_strip_and_a_waveform_of_the_stretch(site: Site) -> None:
    client = site.client("viewer")
    path = f"/avm/matches/{site.matches['u1-t2']}/previews"
    note = client.get(f"{path}/ugc.json")
    assert note.status_code == 200, note.text
    told = note.json()
    assert (told["start"], told["end"]) == (5.0, 35.0)
    loud = [place for place, peak in enumerate(told["peaks"]) if peak and peak > 0.3]
    seconds = {round(5 + (place + 0.5) * 30 / len(told["peaks"])) for place in loud}
    assert seconds == {12, 30}
    strip = client.get(f"{path}/ugc.jpg")
    assert strip.headers["content-type"] == "image/jpeg"
    picture = Image.open(io.BytesIO(strip.content))
    assert picture.size == (TILES * TILE[0], TILE[1])
    # The title's stretch is behind the end of its object: there is nothing to show, and no error.
    beyond = client.get(f"{path}/licensed.json").json()
    assert set(beyond["peaks"]) == {None}
    dark = np.asarray(Image.open(io.BytesIO(client.get(f"{path}/licensed.jpg").content)))
    assert dark.max() < 60


def test_the_second_look_is_a_read(site: Site) -> None:
    client = site.client("viewer")
    path = f"/avm/matches/{site.matches['html-t1']}/previews/ugc.json"
    first = client.get(path).content
    before = {info.key: info.etag for info in site.platform.lake.list("previews/")}
    assert client.get(path).content == first
    assert {i.key: i.etag for i in site.platform.lake.list("previews/")} == before
    assert client.get(path).headers["cache-control"].startswith("private")


def test_a_pair_without_fingerprints_says_so(site: Site) -> None:
    client = site.client("viewer")
    path = f"/avm/matches/{site.matches['u1-t2']}/previews"
    assert "no longer kept" in client.get(f"{path}/pair.json").json()["reason"]
    assert client.get(f"{path}/audio.png").status_code == 404
    assert client.get(f"{path}/passwd").status_code == 404


def test_a_missing_object_is_not_found_and_nothing_is_kept(site: Site) -> None:
    client = site.client("viewer")
    for name in ("gone", "new"):
        match_id = site.matches[f"{name}-t1"]
        answer = client.get(f"/avm/matches/{match_id}/previews/ugc.json")
        assert answer.status_code == 404
        assert not list(site.platform.lake.list(f"previews/media/{name}/"))


def test_who_comes_while_others_are_made_is_asked_to_come_again(site: Site) -> None:
    client = site.client("viewer")
    path = f"/avm/matches/{site.matches['rtl-t1']}/previews/ugc.json"
    held = [previews._AT_ONCE.acquire(blocking=False) for _ in range(2)]
    try:
        answer = client.get(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    finally:
        for got in held:
            if got:
                previews._AT_ONCE.release()
    assert client.get(path).status_code == 200
