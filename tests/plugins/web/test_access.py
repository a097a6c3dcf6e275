"""Who may look, who may decide, and what every answer carries: asked of all routes there are."""

from __future__ import annotations

import re
from typing import Any

import pytest
from avm_airflow.web.app import create_api
from starlette.routing import Route

from tests.plugins.web.conftest import Site, modules_of

API = create_api()
# A value for each name in a path.
PLACES = {
    "match_id": "m",
    "media_id": "u1",
    "decision_id": "d",
    "part": "pair.json",
    "form": "csv",
    "version": "v",
    "name": "page.css",
}
ROUTES = [
    (method, re.sub(r"{(\w+)}", lambda found: PLACES[found[1]], route.path))
    for route in API.routes
    if isinstance(route, Route)
    for method in sorted(route.methods or ())
]
WRITES = [path for method, path in ROUTES if method == "POST"]
ids = [f"{method} {path}" for method, path in ROUTES]


def test_the_walk_sees_the_routes() -> None:
    assert ("GET", "/matches") in ROUTES
    assert ("GET", "/media/u1") in ROUTES
    assert len(WRITES) == 2
    assert not [route for route in API.routes if not isinstance(route, Route)], (
        "a mount has no guard"
    )


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=ids)
def test_nobody_is_refused(site: Site, method: str, path: str) -> None:
    assert site.client().request(method, f"/avm{path}").status_code == 401


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=ids)
def test_a_wrong_credential_is_refused(site: Site, method: str, path: str) -> None:
    client = site.client(token="x.y.z")
    assert client.request(method, f"/avm{path}").status_code in (401, 403)
    bearer = {"Authorization": "Bearer x.y.z"}
    assert site.client("admin").request(method, f"/avm{path}", headers=bearer).status_code == 403


@pytest.mark.parametrize("path", WRITES)
def test_who_may_only_look_may_not_decide(site: Site, path: str) -> None:
    assert site.client("viewer").post(f"/avm{path}").status_code == 403


@pytest.mark.parametrize("role", ["viewer", "user", "op", "admin"])
def test_every_role_may_look(site: Site, role: str) -> None:
    answer = site.client(role).get("/avm/matches")
    assert answer.status_code == 200
    page = site.client(role).get(f"/avm/matches/{site.matches['u1-t1']}").text
    assert ('name="verdict"' in page) == (role != "viewer")


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=ids)
@pytest.mark.parametrize("role", [None, "admin"])
def test_every_answer_has_its_headers(site: Site, method: str, path: str, role: str | None) -> None:
    headers = site.client(role).request(method, f"/avm{path}").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"].startswith("private")
    assert headers["x-frame-options"] == "SAMEORIGIN"


def test_pages_bring_no_script_or_style_of_their_own(site: Site) -> None:
    client = site.client("admin")
    for path in ("/matches", f"/matches/{site.matches['u1-t1']}", "/titles/t1", "/uploads/u1"):
        page = client.get(f"/avm{path}").text
        assert (
            "frame-ancestors 'self'" in client.get(f"/avm{path}").headers["content-security-policy"]
        )
        assert not re.findall(r"<script(?![^>]*\ssrc=)", page)
        assert not re.findall(r"<style|\sstyle=|\son\w+=(?![^<>]*&)", page)
        assert not re.findall(r"(?:src|href)=\"(?:https?:)?//(?!testserver)", page)


# --- forged writes ----------------------------------------------------------------------------


def token_of(client: Any, site: Site) -> str:
    page = client.get(f"/avm/matches/{site.matches['u1-t2']}").text
    return re.search(r'name="token" value="([^"]+)"', page)[1]  # type: ignore[index]


@pytest.mark.parametrize(
    ("name", "headers", "with_token"),
    [
        ("no token", {}, False),
        ("another site", {"Origin": "http://evil.example"}, True),
        ("an opaque origin", {"Origin": "null"}, True),
        ("another site by its own word", {"Sec-Fetch-Site": "cross-site"}, True),
        ("a sister host", {"Sec-Fetch-Site": "same-site"}, True),
    ],
)
def test_a_forged_write_is_refused(
    site: Site, name: str, headers: dict[str, str], with_token: bool
) -> None:
    client = site.client("user")
    data = {"verdict": "reject"} | ({"token": token_of(client, site)} if with_token else {})
    path = f"/avm/matches/{site.matches['u1-t2']}/decision"
    assert client.post(path, data=data, headers=headers).status_code == 403
    assert site.sql("SELECT 1 FROM decisions WHERE licensed_id = 't2' AND ugc_id = 'u1'") == []


def test_a_token_of_somebody_else_or_of_another_use_does_not_do(site: Site) -> None:
    stolen = token_of(site.client("admin"), site)
    client = site.client("user")
    path = f"/avm/matches/{site.matches['u1-t2']}/decision"
    for token in (stolen, stolen[:-2], "", "x" * 400):
        answer = client.post(path, data={"verdict": "reject", "token": token})
        assert answer.status_code == 403, token


def test_a_form_that_is_too_long_is_refused(site: Site) -> None:
    client = site.client("user")
    data = {"verdict": "reject", "token": token_of(client, site), "note": "x" * 100_000}
    path = f"/avm/matches/{site.matches['u1-t2']}/decision"
    assert client.post(path, data=data).status_code in (400, 413)


# --- the plugin -------------------------------------------------------------------------------


def test_a_task_that_loads_the_plugin_loads_no_page() -> None:
    loaded = modules_of("import avm_plugin")
    assert not loaded & {"duckdb", "numpy", "av", "boto3", "pyarrow", "avm_airflow.web.app"}


def test_the_page_brings_no_network_into_the_api_server() -> None:
    loaded = modules_of("from avm_airflow.web.app import create_api; create_api()")
    assert not loaded & {"torch", "torchaudio", "timm", "usearch", "matplotlib"}
