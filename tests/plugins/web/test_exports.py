"""The filtered list as a file: the same rows, whatever the form."""

from __future__ import annotations

import csv
import io
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.plugins.web.conftest import NASTY, Site


def rows_of(form: str, answer: Any) -> list[dict[str, Any]]:
    if form == "json":
        return answer.json()
    if form == "parquet":
        return pq.read_table(io.BytesIO(answer.content)).to_pylist()
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
@pytest.mark.parametrize("params", [{}, {"licensed_id": "t1", "action": "review"}, {"q": "%"}])
def test_a_file_holds_what_the_list_holds(site: Site, form: str, params: dict[str, str]) -> None:
    client = site.client("viewer")
    answer = client.get(f"/avm/export.{form}", params=params)
    assert answer.status_code == 200
    assert f"avm-matches.{form}" in answer.headers["content-disposition"]
    count = client.get("/avm/matches/count", params=params).json()["claims"]
    rows = rows_of(form, answer)
    assert len(rows) == count
    if not params:
        titles = {row["ugc_title"] for row in rows}
        for name in ("html", "rtl", "four", "long"):
            assert NASTY[name] in titles


def test_a_spreadsheet_runs_no_title(site: Site) -> None:
    client = site.client("viewer")
    text = client.get("/avm/export.csv").content.decode()
    titles = {row["ugc_title"] for row in csv.DictReader(io.StringIO(text))}
    assert "'" + NASTY["formula"] in titles
    assert not [title for title in titles if title.startswith(("=", "+", "-", "@"))]
    told = {row["ugc_title"] for row in client.get("/avm/export.json").json()}
    assert NASTY["formula"] in told


def test_an_unknown_form_is_not_found(site: Site) -> None:
    assert site.client("viewer").get("/avm/export.exe").status_code == 404
