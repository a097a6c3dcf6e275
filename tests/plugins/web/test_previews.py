"""Previews over HTTP: made once, in a process of their own, honest about what there is not."""

from __future__ import annotations

import io
import threading
import time
from typing import Any

import numpy as np
import pytest
from avm_airflow.web import previews
from PIL import Image

from avm_core.pipeline.previews import TILE, TILES
from tests.plugins.web.conftest import Site


def patient(client: Any, path: str) -> Any:
    """The answer once the preview is made."""
    for _ in range(400):
        answer = client.get(path)
        if answer.status_code != 503:
            break
        time.sleep(0.5)
    return answer


def test_a_film_strip_and_a_waveform_of_the_stretch(site: Site) -> None:
    client = site.client("viewer")
    path = f"/avm/matches/{site.matches['u1-t2']}/previews"
    note = patient(client, f"{path}/ugc.json")
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
    beyond = patient(client, f"{path}/licensed.json").json()
    assert set(beyond["peaks"]) == {None}
    dark = np.asarray(Image.open(io.BytesIO(client.get(f"{path}/licensed.jpg").content)))
    assert dark.max() < 60


def test_the_second_look_is_a_read(site: Site) -> None:
    client = site.client("viewer")
    path = f"/avm/matches/{site.matches['html-t1']}/previews/ugc.json"
    first = patient(client, path).content
    before = {info.key: info.etag for info in site.platform.lake.list("previews/")}
    assert client.get(path).content == first
    assert {i.key: i.etag for i in site.platform.lake.list("previews/")} == before
    headers = client.get(path).headers
    assert headers["cache-control"] == "private, no-cache"
    known = client.get(path, headers={"If-None-Match": headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")


def test_a_pair_without_fingerprints_says_so(site: Site) -> None:
    client = site.client("viewer")
    path = f"/avm/matches/{site.matches['u1-t2']}/previews"
    assert "no longer kept" in patient(client, f"{path}/pair.json").json()["reason"]
    assert client.get(f"{path}/audio.png").status_code == 404
    assert client.get(f"{path}/passwd").status_code == 404


def test_a_missing_object_is_not_found_and_nothing_is_kept(site: Site) -> None:
    client = site.client("viewer")
    for name in ("gone", "new"):
        match_id = site.matches[f"{name}-t1"]
        answer = patient(client, f"/avm/matches/{match_id}/previews/ugc.json")
        assert answer.status_code == 404
        assert not list(site.platform.lake.list(f"previews/media/{name}/"))


def test_who_comes_too_early_is_asked_to_come_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = site.client("viewer")
    path = f"/avm/matches/{site.matches['rtl-t1']}/previews/ugc.json"
    release, begun = threading.Event(), []

    def slow(job: str, match: dict[str, object]) -> None:
        begun.append(job)
        release.wait(60)

    with monkeypatch.context() as patch:
        patch.setattr(previews, "STUDIO", previews.Studio(at_once=1, queue=1, moment=0.01))
        patch.setattr(previews, "_made", slow)
        for _ in range(3):
            answer = client.get(path)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        other = client.get(path.replace("ugc", "licensed"))
        assert other.status_code == 503, "the queue is full"
        release.set()
    assert begun == ["ugc"], "made once, however many ask"
    assert patient(client, path).status_code == 200


def test_a_decoder_that_crashes_costs_a_process_and_no_server(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from avm_core.errors import StoreUnavailable
    from avm_core.pipeline import preview_task

    monkeypatch.setattr(preview_task.sys, "executable", "/bin/false")
    with pytest.raises(StoreUnavailable, match="exit code 1"):
        preview_task.make_apart(site.platform, "ugc", {})
