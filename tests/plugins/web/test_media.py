"""Bytes out of the store: the range that was asked for, private, and never more than a piece."""

from __future__ import annotations

from typing import Any

import pytest
from avm_airflow.web import media
from avm_airflow.web.media import wanted_range

from avm_core.storage.local import LocalStore
from tests.plugins.web.conftest import Site


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("bytes=0-", (0, 100)),
        ("bytes=0-0", (0, 1)),
        ("bytes=10-19", (10, 20)),
        ("bytes=90-500", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-500", (0, 100)),
        ("bytes=100-", (100, 100)),
        ("bytes=500-600", (500, 500)),
        ("bytes=-0", (100, 100)),
        ("bytes=20-10", None),
        ("bytes=0-1,5-6", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("chunks=0-1", None),
    ],
)
def test_a_range_is_read_as_the_standard_says(text: str, expected: tuple[int, int] | None) -> None:
    assert wanted_range(text, 100) == expected


def test_a_player_gets_the_range_that_it_asks_for(site: Site) -> None:
    size = len(site.film)
    client = site.client("viewer")
    for text, start, end in (
        ("bytes=0-", 0, size),
        ("bytes=100-299", 100, 300),
        ("bytes=-50", size - 50, size),
    ):
        answer = client.get("/avm/media/u1", headers={"Range": text})
        assert answer.status_code == 206
        assert answer.content == site.film[start:end]
        assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
        assert answer.headers["content-length"] == str(end - start)
        assert answer.headers["content-type"] == "video/mp4"


def test_the_whole_is_the_object_and_is_not_compressed(site: Site) -> None:
    answer = site.client("viewer").get("/avm/media/t1", headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.content == site.film
    assert answer.headers["content-length"] == str(len(site.film))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"] == "private, max-age=86400"
    head = site.client("viewer").head("/avm/media/t1")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(site.film))


def test_a_range_behind_the_end_is_refused(site: Site) -> None:
    answer = site.client("viewer").get("/avm/media/u1", headers={"Range": "bytes=99999999-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(site.film)}"


def test_what_the_browser_has_is_not_sent_again(site: Site) -> None:
    client = site.client("viewer")
    etag = client.head("/avm/media/u1").headers["etag"]
    assert client.get("/avm/media/u1", headers={"If-None-Match": etag}).status_code == 304
    ranged = {"Range": "bytes=0-9", "If-Range": etag}
    assert client.get("/avm/media/u1", headers=ranged).status_code == 206
    assert client.get("/avm/media/u1", headers=ranged | {"If-Range": '"x"'}).status_code == 200


@pytest.mark.parametrize("name", ["gone", "new"])
def test_an_object_that_is_gone_or_replaced_is_not_found(site: Site, name: str) -> None:
    for accept in ("*/*", "text/html"):
        answer = site.client("viewer").get(f"/avm/media/{name}", headers={"Accept": accept})
        assert answer.status_code == 404
        assert str(site.platform.settings.ugc_uri) not in answer.text
    assert site.client("viewer").get(f"/avm/uploads/{name}").status_code == 200


def test_an_upload_is_never_served_as_a_page(site: Site) -> None:
    answer = site.client("viewer").get("/avm/media/u1", params={"download": True})
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"]
    row: dict[str, Any] = {"media_id": "x", "uri": "s3://ugc/evil.html"}
    headers = media._headers(row, download=False)
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"].startswith("attachment")


def test_a_long_object_is_read_in_pieces(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve hours: nothing may ask the store for all of it."""
    asked: list[int] = []
    real = LocalStore.get_range

    def watched(self: LocalStore, key: str, start: int, end: int, **more: Any) -> bytes:
        asked.append(end - start)
        return real(self, key, start, end, **more)

    monkeypatch.setattr(LocalStore, "get_range", watched)
    monkeypatch.setattr(LocalStore, "get", None)
    monkeypatch.setattr(media, "CHUNK", 10_000)
    row = {
        "uri": f"{site.platform.media_store('ugc').uri}/u1.mp4",
        "version_id": "",
        "etag": "",
    }
    pieces = media._pieces(row, 0, len(site.film))
    assert len(next(pieces)) == 10_000
    assert asked == [10_000], "the next piece waits until it is asked for"
    assert b"".join(pieces) == site.film[10_000:]
    assert max(asked) == 10_000
