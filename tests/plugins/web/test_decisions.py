"""A decision made on the page is in the catalog, with who and when, and can be taken back."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from tests.plugins.web.conftest import NASTY, Site


def token(client: TestClient, match_id: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', client.get(f"/avm/matches/{match_id}").text)
    assert found
    return found[1]


def test_a_rejected_match_leaves_the_open_claims_and_comes_back(site: Site) -> None:
    client, match_id = site.client("user"), site.matches["u1-t1"]
    mine = token(client, match_id)
    answer = client.post(
        f"/avm/matches/{match_id}/decision",
        data={"verdict": "reject", "note": NASTY["html"]},
        headers={"X-AVM-Token": mine, "Origin": "http://testserver"},
    )
    assert answer.status_code == 200
    assert (answer.json()["action"], answer.json()["decision"]) == ("ignore", "reject")
    [row] = site.sql("FROM decisions WHERE ugc_id = 'u1' AND licensed_id = 't1'")
    assert (row["verdict"], row["decided_by"], row["source"]) == ("reject", "user", "page")
    assert row["note"] == NASTY["html"]
    assert match_id not in client.get("/avm/matches").text
    assert match_id in client.get("/avm/matches", params={"action": "ignore"}).text
    page = client.get(f"/avm/matches/{match_id}").text
    assert "<script>alert" not in page

    undo = client.post(
        f"/avm/decisions/{row['decision_id']}/undo",
        data={"back": f"/matches/{match_id}", "token": mine},
        headers={"Accept": "text/html"},
    )
    assert (undo.status_code, undo.headers["location"]) == (303, f"/avm/matches/{match_id}")
    assert match_id in client.get("/avm/matches").text
    [row] = site.sql("FROM decisions WHERE ugc_id = 'u1' AND licensed_id = 't1'")
    assert (row["in_force"], row["undone_by"]) == (False, "user")


def test_a_bearer_of_a_token_needs_no_form(site: Site) -> None:
    client = site.client("user")
    bearer = {"Authorization": f"Bearer {client.cookies['_token']}"}
    match_id = site.matches["four-t2"]
    answer = site.client().post(
        f"/avm/matches/{match_id}/decision", data={"verdict": "confirm"}, headers=bearer
    )
    assert answer.status_code == 200
    assert answer.json()["action"] == "block"


@pytest.mark.parametrize(
    ("data", "status", "field"),
    [
        ({"verdict": "burn"}, 400, "verdict"),
        ({}, 400, "verdict"),
        ({"verdict": "reject", "note": "x" * 2001}, 400, "note"),
    ],
)
def test_a_malformed_decision_is_named(
    site: Site, data: dict[str, str], status: int, field: str
) -> None:
    client, match_id = site.client("user"), site.matches["rtl-t2"]
    answer = client.post(
        f"/avm/matches/{match_id}/decision", data=data | {"token": token(client, match_id)}
    )
    assert answer.status_code == status
    assert field in answer.json()["detail"]


def test_an_unknown_match_or_decision_is_not_found(site: Site) -> None:
    client = site.client("user")
    mine = token(client, site.matches["rtl-t2"])
    for path, data in (
        ("/matches/nothing/decision", {"verdict": "reject"}),
        ("/decisions/nothing/undo", {"back": "/matches/nothing"}),
    ):
        answer = client.post(f"/avm{path}", data=data | {"token": mine})
        assert answer.status_code == 404, answer.text


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/matches/../x/y"])
def test_nobody_is_sent_elsewhere(site: Site, back: str) -> None:
    client = site.client("user")
    mine = token(client, site.matches["rtl-t2"])
    answer = client.post("/avm/decisions/any/undo", data={"back": back, "token": mine})
    assert answer.status_code == 400
