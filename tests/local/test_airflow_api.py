"""The REST client, against an Airflow of a few lines."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from local.airflow_api import AirflowApi


class FakeAirflow:
    """Knows two pools and 250 runs; its first token expires after one use."""

    def __init__(self) -> None:
        self.tokens = 0
        self.pools = {"gpu": 1, "cpu": 2}
        self.polls = 0
        self.stumbles: list[int] = []
        self.started: list[Any] = []
        self.unreadable: set[int] = set()
        self.calls: list[tuple[str, str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path, body = request.url.path, json.loads(request.content or b"null")
        if path == "/auth/token":
            assert body == {"username": "admin", "password": "pw"}
            self.tokens += 1
            return httpx.Response(201, json={"access_token": f"t{self.tokens}"})
        if path == "/api/v2/monitor/health":
            return httpx.Response(200, json={"scheduler": {"status": "healthy"}, "triggerer": {}})
        used = sum(1 for _ in self.calls)
        if request.headers.get("Authorization") == "Bearer t1" and used:
            return httpx.Response(401)
        self.calls.append((request.method, path, body))
        return self.answer(request, path.removeprefix("/api/v2"), body)

    def answer(self, request: httpx.Request, path: str, body: Any) -> httpx.Response:
        if request.method == "POST" and path == "/dags/d/dagRuns":
            if self.stumbles:
                return httpx.Response(self.stumbles.pop(0))
            self.started.append(body)
            return httpx.Response(200, json=body)
        if path == "/pools":
            found = [{"name": n, "slots": s} for n, s in self.pools.items()]
            return httpx.Response(200, json={"pools": found, "total_entries": 2})
        if path == "/dags/~/dagRuns":
            offset, limit = (int(request.url.params[n]) for n in ("offset", "limit"))
            found = [{"dag_run_id": str(n)} for n in range(250)][offset : offset + limit]
            return httpx.Response(200, json={"dag_runs": found, "total_entries": 250})
        if path == "/assets/events":
            return self.events(int(request.url.params["offset"]), int(request.url.params["limit"]))
        if path == "/dags/d/dagRuns/r":
            self.polls += 1
            state = "failed" if self.polls > 2 else "running"
            return httpx.Response(200, json={"state": state})
        if path == "/dags/d/dagRuns/r/taskInstances":
            found = [{"task_id": "match", "state": "running"}]
            return httpx.Response(200, json={"task_instances": found, "total_entries": 1})
        return httpx.Response(404, json={"detail": path})

    def events(self, offset: int, limit: int) -> httpx.Response:
        """Four events; as in Airflow 3.3, a page with the unreadable ones is an error."""
        page = list(range(4))[offset : offset + limit]
        if self.unreadable & set(page):
            return httpx.Response(500)
        found = [{"id": n, "name": "media" if n % 2 else "matches"} for n in page]
        return httpx.Response(200, json={"asset_events": found, "total_entries": 4})


@pytest.fixture
def airflow() -> FakeAirflow:
    return FakeAirflow()


@pytest.fixture
def api(airflow: FakeAirflow) -> AirflowApi:
    return AirflowApi(
        "http://airflow", username="admin", password="pw", transport=httpx.MockTransport(airflow)
    )


def test_it_logs_in_once_and_again_when_the_token_has_expired(
    api: AirflowApi, airflow: FakeAirflow
) -> None:
    api.run("d", "r")
    assert airflow.tokens == 1
    api.run("d", "r")
    api.run("d", "r")
    assert airflow.tokens == 2


def test_a_run_is_started_once_although_the_server_stumbles(
    api: AirflowApi, airflow: FakeAirflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.airflow_api.time.sleep", lambda seconds: None)
    airflow.stumbles = [500, 500]
    one, two = api.trigger("d", conf={"n": 1}), api.trigger("d")
    assert [run["dag_run_id"] for run in airflow.started] == [one, two]
    assert [run["conf"] for run in airflow.started] == [{"n": 1}, {}]


def test_a_run_that_the_server_started_before_it_stumbled_counts(
    api: AirflowApi, airflow: FakeAirflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.airflow_api.time.sleep", lambda seconds: None)
    airflow.stumbles = [500, 409]
    assert api.trigger("d")
    airflow.stumbles = [409]
    with pytest.raises(httpx.HTTPStatusError, match="409"):
        api.trigger("d")


def test_pools_are_listed_with_their_slots(api: AirflowApi) -> None:
    assert api.pools() == {"gpu": 1, "cpu": 2}


def test_a_listing_follows_all_pages(api: AirflowApi) -> None:
    assert [r["dag_run_id"] for r in api.runs()] == [str(n) for n in range(250)]


def test_asset_events_are_listed_and_chosen_by_name(api: AirflowApi) -> None:
    assert [e["id"] for e in api.asset_events()] == [0, 1, 2, 3]
    assert [e["id"] for e in api.asset_events("media")] == [1, 3]


def test_an_event_that_airflow_cannot_show_does_not_hide_the_others(
    api: AirflowApi, airflow: FakeAirflow
) -> None:
    airflow.unreadable = {0, 3}
    assert [e["id"] for e in api.asset_events()] == [1, 2]


def test_waiting_returns_a_failed_run_too(api: AirflowApi, airflow: FakeAirflow) -> None:
    assert api.wait_for_run("d", "r")["state"] == "failed"
    assert airflow.polls == 3


def test_waiting_in_vain_says_what_the_tasks_do(api: AirflowApi) -> None:
    with pytest.raises(TimeoutError, match=r"running.*match"):
        api.wait_for_run("d", "r", timeout=0.0)


def test_a_refusal_is_an_error(api: AirflowApi) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        api.pause("unknown")


def test_health_names_every_component_even_without_an_answer(api: AirflowApi) -> None:
    names = {"metadatabase", "scheduler", "triggerer", "dag_processor"}
    assert set(api.health()) == names
    assert api.health()["scheduler"] == "healthy"
    assert api.health()["triggerer"] == "unhealthy"

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    dead = AirflowApi(
        "http://airflow", username="a", password="b", transport=httpx.MockTransport(refuse)
    )
    assert dead.health() == dict.fromkeys(names, "unreachable")


def test_a_question_is_asked_again_where_the_answer_is_late_and_a_command_is_not() -> None:
    airflow, late = FakeAirflow(), ["GET", "GET", "POST"]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path != "/auth/token" and request.method in late:
            late.remove(request.method)
            raise httpx.ReadTimeout("busy", request=request)
        return airflow(request)

    api = AirflowApi(
        "http://airflow", username="admin", password="pw", transport=httpx.MockTransport(answer)
    )
    assert api.pools() == {"gpu": 1, "cpu": 2}
    assert late == ["POST"]
    with pytest.raises(httpx.ReadTimeout):
        api.trigger("d")
    assert airflow.started == []
