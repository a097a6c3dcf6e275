"""The plugin as Airflow sees it: the page in its menu, the links on its tasks."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from avm_airflow.operators.links import MatchesLink
from avm_airflow.operators.match import MatchOperator, RematchOperator
from avm_airflow.operators.record import RecordOperator

from tests.plugins.web.conftest import Site


def test_airflow_loads_the_plugin_without_errors(site: Site) -> None:
    client = site.client("admin")
    assert client.get("/api/v2/plugins/importErrors").json()["total_entries"] == 0
    plugins = {p["name"]: p for p in client.get("/api/v2/plugins").json()["plugins"]}
    views = {view["url_route"]: view for view in plugins["avm"]["external_views"]}
    assert views["avm"]["destination"] == "nav"
    assert views["avm-run"]["destination"] == "dag_run"
    # Where the menu leads is where the page is.
    front = client.get("/" + views["avm"]["href"])
    assert (front.status_code, front.headers["location"]) == (307, "/avm/matches")


@pytest.mark.parametrize(
    ("base", "prefix"),
    [("http://testserver", ""), ("https://example.org/airflow/", "/airflow")],
)
def test_a_task_links_to_its_run_in_airflows_frame(
    monkeypatch: pytest.MonkeyPatch, base: str, prefix: str
) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", base)
    key = SimpleNamespace(dag_id="avm_match", run_id="manual__2026-03-01T00:00:00+00:00")
    task = MatchOperator(task_id="match", batch={})
    link = MatchesLink().get_link(task, ti_key=key)
    assert link == (
        f"{prefix}/plugin/avm/avm/runs?dag_id=avm_match"
        "&run_id=manual__2026-03-01T00%3A00%3A00%2B00%3A00"
    )
    for operator in (MatchOperator, RematchOperator, RecordOperator):
        assert [link.name for link in operator.operator_extra_links] == ["AVM results"]


def test_a_run_page_shows_what_came_while_it_ran(site: Site) -> None:
    from datetime import UTC, datetime, timedelta

    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunType

    from tests.avm_core.catalog.builders import DAY

    with create_session() as session:
        run = DagRun(
            dag_id="avm_match",
            run_id="manual_r1",
            run_type=DagRunType.MANUAL,
            state=DagRunState.SUCCESS,
            start_date=DAY,
            queued_at=DAY,
            run_after=datetime.now(UTC),
        )
        run.end_date = DAY + timedelta(hours=4)
        session.add(run)
    client = site.client("viewer")
    answer = client.get("/avm/runs", params={"dag_id": "avm_match", "run_id": "manual_r1"})
    assert answer.status_code == 200, answer.text
    wanted = site.sql(
        "SELECT match_id FROM claims WHERE direction = 'forward' "
        "AND found_at < '2026-03-01T16:00:00Z' AND found_at >= '2026-03-01T12:00:00Z'"
    )
    assert answer.text.count("data-row=") == len(wanted) > 0
    assert "manual_r1" in answer.text
    missing = client.get(
        "/avm/runs",
        params={"dag_id": "avm_match", "run_id": "<b>none"},
        headers={"Accept": "text/html"},
    )
    assert missing.status_code == 404
    assert "&lt;b&gt;none" in missing.text
    assert client.get("/avm/runs").status_code == 400
