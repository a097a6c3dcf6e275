"""What the pages show: planted rows come back, filtered, sorted, escaped; bad input is told."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from avm_airflow.web.filters import Filters

from avm_core.catalog import Catalog
from tests.avm_core.catalog.builders import commit, content, match, media
from tests.plugins.web.conftest import NASTY, Site

NO_SUCH = ["/matches/nothing", "/titles/nothing", "/uploads/nothing", "/media/nothing"]


def listed(page: str) -> list[str]:
    return re.findall(r'data-row="([^"]+)"', page)


def names(site: Site, page: str) -> list[str]:
    by_id = {identity: name for name, identity in site.matches.items()}
    return [by_id[found] for found in listed(page)]


def get(site: Site, path: str, **params: Any) -> str:
    answer = site.client("viewer").get(f"/avm{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_list_shows_every_open_claim_newest_first(site: Site) -> None:
    rows = site.sql(
        "SELECT match_id FROM claims WHERE action <> 'ignore' "
        "ORDER BY found_at DESC, match_id LIMIT 50"
    )
    assert listed(get(site, "/matches")) == [row["match_id"] for row in rows]


@pytest.mark.parametrize(
    ("params", "condition"),
    [
        ({"q": "film u1"}, "ugc_id = 'u1'"),
        ({"q": "КАТ"}, "false"),
        ({"q": NASTY["four"][:4]}, "ugc_id = 'four'"),
        ({"q": "%"}, "false"),
        ({"q": "' OR 1=1 --"}, "false"),
        ({"licensed_id": "t1", "min_score": "0.5"}, "licensed_id = 't1' AND score >= 0.5"),
        ({"max_score": 0.51}, "score <= 0.51"),
        ({"min_length": 20, "max_length": 20}, "length BETWEEN 20 AND 20"),
        ({"min_length": 20.5}, "length >= 20.5"),
        ({"rights_holder": "Mosfilm"}, "rights_holder = 'Mosfilm'"),
        ({"uploader": "channel 1"}, "uploader = 'channel 1'"),
        ({"min_views": 3000}, "views >= 3000"),
        ({"modality": "video"}, "modality = 'video'"),
        ({"modality": ["audio", "both"]}, "modality IN ('audio', 'both')"),
        ({"decision": "none"}, "decision IS NULL"),
        ({"action": "ignore"}, "action = 'ignore'"),
        ({"found_from": "2026-03-01T15:00:00Z"}, "found_at >= '2026-03-01T15:00:00Z'"),
        ({"found_to": "2026-03-02"}, "found_at < '2026-03-02T00:00:00Z'"),
        ({"speed_changed": "true"}, "abs(speed - 1) > 0.005"),
        ({"q": "", "min_score": "", "territory": "", "decision": ""}, "true"),
    ],
)
def test_a_filter_keeps_what_it_says(site: Site, params: dict[str, Any], condition: str) -> None:
    shown = "action IN ('ignore')" if "action" in params else "action <> 'ignore'"
    wanted = site.sql(f"SELECT match_id FROM claims WHERE {shown} AND ({condition})")
    page = get(site, "/matches", **params)
    assert sorted(listed(page)) == sorted(row["match_id"] for row in wanted)
    answer = site.client("viewer").get("/avm/matches/count", params=params)
    assert answer.json()["claims"] == len(wanted)


@pytest.mark.parametrize("sort", ["found", "score", "length", "views", "share_of_title"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_sorting_is_total(site: Site, sort: str, order: str) -> None:
    column = {"found": "found_at"}.get(sort, sort)
    rows = site.sql(
        f"SELECT match_id FROM claims WHERE action <> 'ignore' "
        f"ORDER BY coalesce({column}, {'NULL' if sort == 'found' else -1}) {order}, match_id"
    )
    page = get(site, "/matches", sort=sort, order=order)
    assert listed(page) == [row["match_id"] for row in rows][:50]


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"min_score": "high"}, "min_score"),
        ({"min_score": "nan"}, "min_score"),
        ({"max_score": 1.5}, "max_score"),
        ({"min_length": "-1"}, "min_length"),
        ({"action": "destroy"}, "action"),
        ({"modality": "smell"}, "modality"),
        ({"sort": "score; DROP TABLE match"}, "sort"),
        ({"order": "sideways"}, "order"),
        ({"page": 0}, "page"),
        ({"page": 201}, "page"),
        ({"page": "9" * 400}, "page"),
        ({"found_from": "yesterday"}, "found_from"),
        ({"territory": "Germany"}, "territory"),
        ({"licensed_id": "t1' OR '1'='1"}, "licensed_id"),
        ({"min_views": 2**70}, "min_views"),
        ({"q": "x" * 201}, "q"),
        ({"no_such_filter": 1}, "no_such_filter"),
    ],
)
def test_a_malformed_filter_is_named(site: Site, params: dict[str, Any], field: str) -> None:
    client = site.client("viewer")
    for path in ("/matches", "/matches/count", "/export.csv", "/titles/t1"):
        answer = client.get(f"/avm{path}", params=params)
        assert answer.status_code == 400, path
        assert field in answer.json()["detail"]
    page = client.get("/avm/matches", params=params, headers={"Accept": "text/html"})
    assert page.status_code == 400
    assert field in page.text
    assert "Traceback" not in page.text


@pytest.mark.parametrize("path", [*NO_SUCH, "/matches/a b", "/matches/" + "x" * 80, "/no/page"])
def test_what_is_not_there_is_not_found(site: Site, path: str) -> None:
    client = site.client("viewer")
    assert client.get(f"/avm{path}").status_code == 404
    page = client.get(f"/avm{path}", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert "text/html" in page.headers["content-type"]


def test_a_title_is_no_upload_and_the_other_way(site: Site) -> None:
    client = site.client("viewer")
    assert client.get("/avm/titles/u1").status_code == 404
    assert client.get("/avm/uploads/t1").status_code == 404


@pytest.mark.parametrize("name", sorted(NASTY))
def test_any_title_is_shown_as_it_is_and_runs_nothing(site: Site, name: str) -> None:
    match_id = site.matches[f"{name}-t1"]
    for path in ("/matches", f"/matches/{match_id}", f"/uploads/{name}"):
        page = get(site, path)
        assert NASTY[name] in unescape(page), path
        assert "<script>" not in page
        assert "onerror=alert(1)>" not in page
        assert "<img src=x" not in page


def test_a_match_page_holds_both_sides(site: Site) -> None:
    page = get(site, f"/matches/{site.matches['u1-t1']}")
    assert 'src="/avm/media/u1"' in page
    assert 'src="/avm/media/t1"' in page
    assert 'data-ugc-start="10.0"' in page
    assert 'data-licensed-start="310.0"' in page


def test_a_match_of_a_deleted_upload_says_so(site: Site) -> None:
    told = "The object is gone from the store since"
    for path in (f"/matches/{site.matches['gone-t1']}", "/uploads/gone"):
        assert get(site, path).count(told) == 1
    assert told not in get(site, f"/matches/{site.matches['u1-t1']}")


def test_an_address_keeps_what_was_chosen() -> None:
    chosen = Filters(q="а&б", action=["block", "ignore"], min_score=0.5, page=3)
    address = chosen.address(page=4)
    assert address == "q=%D0%B0%26%D0%B1&action=block&action=ignore&min_score=0.5&page=4"


def test_a_failure_of_our_own_shows_no_trace(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from avm_airflow.web.catalogs import CatalogPool

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret: s3_password=hunter2")

    monkeypatch.setattr(CatalogPool, "query", broken)
    for accept in ("text/html", "application/json"):
        answer = site.client("viewer").get("/avm/matches", headers={"Accept": accept})
        assert answer.status_code == 500
        assert "hunter2" not in answer.text
        assert "Traceback" not in answer.text
        assert "the log of the API server has it as" in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_query_without_end_is_stopped(site: Site) -> None:
    from avm_airflow.web.catalogs import CatalogPool

    from avm_core.errors import StoreUnavailable

    pool = CatalogPool()
    endless = "SELECT count(*) FROM range(1000000000) a, range(1000000) b"
    with pytest.raises(StoreUnavailable, match="narrow the filters"), pool.lend(0.3) as catalog:
        catalog.select(endless)
    with pool.lend() as catalog:
        assert catalog.select("SELECT 1 AS n").to_pylist() == [{"n": 1}]


def test_a_reader_sees_what_was_committed_after_it_was_opened(site: Site, tmp_path: Path) -> None:
    get(site, "/matches")
    with Catalog.open(site.platform.settings.catalog) as catalog:
        commit(catalog, tmp_path, {"media": [media("late", "licensed", title="Late title")]})
    assert "Late title" in get(site, "/titles/late")


def test_a_title_with_fifty_thousand_matches(site: Site, tmp_path: Path) -> None:
    """The last test here: it floods the list."""
    count = 50_000
    rows = {
        "media": [media("hit", "licensed", title="Hit")],
        "media_content": [content("hit", duration=7200.0)],
        "match": [
            match(f"copy{number}", "hit", start=float(number % 6000)) for number in range(count)
        ],
    }
    with Catalog.open(site.platform.settings.catalog) as catalog:
        commit(catalog, tmp_path, rows)
    page = get(site, "/titles/hit")
    assert "50\u202f000" in page
    assert len(listed(page)) == 50
    assert page.count("<rect") < 500
    assert len(page) < 400_000
    last = get(site, "/titles/hit", page=200)
    assert len(listed(last)) == 50
    assert "narrow the filters" in last
    seen = listed(get(site, "/titles/hit", page=2))
    assert not set(seen) & set(listed(page))
