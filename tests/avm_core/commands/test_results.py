"""`avm sql`, `export`, `policy` and `decide` on a small catalog."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from avm_core.catalog import Catalog, statements
from avm_core.cli import OK, USAGE, main
from avm_core.config import CatalogConfig
from tests.avm_core.catalog.builders import commit, content, match, media, scan
from tests.avm_core.catalog.fresh import empty_sqlite, migrated

AWKWARD = '<b>"x"</b>, [red]עברית\u202e 🎬𝔘 \x1b[31m; O\'Hara'


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalog with one match, and a lake."""
    folder = tmp_path_factory.mktemp("results")
    (folder / "lake").mkdir()
    with Catalog.open(migrated(empty_sqlite(folder))) as catalog:
        commit(
            catalog,
            folder,
            {
                "media": [media("u1", title=AWKWARD), media("l1", "licensed", title=AWKWARD)],
                "media_content": [content("u1"), content("l1")],
                "match_scan": [scan("u1", "forward", 1)],
                "match": [match("u1", "l1")],
            },
        )
    return folder


@pytest.fixture
def avm(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """avm(arguments) -> (exit code, stdout, stderr), in a folder of its own."""
    config: CatalogConfig = empty_sqlite(home)
    for name, value in {
        "AVM_CATALOG__DSN": config.dsn,
        "AVM_CATALOG__DATA_PATH": config.data_path,
        "AVM_LAKE_URI": str(home / "lake"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(home)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


TITLES = "SELECT ugc_title, score, licensed_from FROM claims"


def test_sql_gives_the_same_rows_in_every_format(avm: Any, home: Path) -> None:
    row = {"ugc_title": AWKWARD, "score": 0.9, "licensed_from": None}
    _, text, _ = avm("sql", TITLES, "--format", "json")
    assert json.loads(text) == [row]
    _, text, _ = avm("sql", TITLES, "--csv")
    assert list(csv.reader(io.StringIO(text))) == [list(row), [AWKWARD, "0.9", ""]]
    for suffix in ("json", "csv", "parquet"):
        assert avm("sql", TITLES, "--out", f"rows.{suffix}")[0] == OK
    assert json.loads((home / "rows.json").read_text(encoding="utf-8")) == [row]
    assert pq.read_table(home / "rows.parquet").to_pylist() == [row]
    [read] = csv.DictReader((home / "rows.csv").open(encoding="utf-8"))
    assert (read["ugc_title"], read["score"]) == (AWKWARD, "0.9")
    assert not list(home.glob(".rows*"))


def test_a_table_shows_titles_as_text_and_nothing_that_steers_a_terminal(avm: Any) -> None:
    code, text, _ = avm("sql", TITLES)
    assert code == OK
    assert "[red]עברית" in text
    assert "🎬𝔘" in text
    assert not {"\x1b", "\u202e"} & set(text)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("sql",), "give one SELECT"),
        (("sql", "SELECT 1", "--report", "claims"), "give one SELECT"),
        (("sql", "SELECT 1; SELECT 2"), "expected one statement"),
        (("sql", "DROP TABLE claim"), "only SELECT"),
        (("sql", "SELECT nothing FROM claims"), "refused"),
        (("sql", "--report", "nothing"), "no sql/reports/nothing.sql; there are"),
        (("sql", "SELECT 1", "--format", "xml"), "'xml' is none of table, csv, json, parquet"),
        (("sql", "SELECT 1", "--format", "parquet"), "--out FILE"),
        (("sql", "SELECT 1", "--csv", "--format", "json"), "one format"),
        (("sql", "SELECT 1", "--out", "no/such/folder/x.csv"), "cannot write"),
        (("policy", "check"), "name a policy file"),
        (("policy", "show", "p.toml"), "takes no file"),
        (("policy", "check", "nothing.toml"), "cannot read nothing.toml"),
        (("decide", "m1"), "give a match and a verdict"),
        (("decide", "m1", "reject"), "there is no match 'm1'"),
        (("decide", "--undo", "d1"), "there is no decision 'd1'"),
        (("decide", "m1", "--undo", "d1"), "give its id alone"),
    ],
)
def test_wrong_use_is_refused(avm: Any, arguments: tuple[str, ...], complaint: str) -> None:
    code, text, errors = avm(*arguments)
    assert (code, text) == (USAGE, "")
    assert complaint in errors


def test_export_writes_every_view_to_the_lake(avm: Any, home: Path) -> None:
    code, text, _ = avm("export", "--json")
    assert code == OK
    rows = json.loads(text)["rows"]
    assert list(rows) == list(statements.views())
    folder = home / "lake" / "results" / "views"
    exported = {path.stem: pq.read_table(path) for path in folder.glob("*.parquet")}
    assert {name: table.num_rows for name, table in exported.items()} == rows
    assert exported["claims"].to_pylist()[0]["ugc_title"] == AWKWARD


def test_a_policy_is_shown_tried_saved_and_decided_against(avm: Any, home: Path) -> None:
    _, shown, _ = avm("policy", "show")
    strict = shown.replace('action = "review"', 'action = "block"').replace("AVM", "we")
    (home / "strict.toml").write_text(strict, encoding="utf-8")
    assert avm("policy", "check", "strict.toml")[1].startswith("rules: 8")
    _, text, _ = avm("policy", "dry-run", "strict.toml", "--json")
    tried = json.loads(text)
    assert tried["actions"] == [{"before": "review", "after": "block", "matches": 1}]
    assert [(t["licensed_title"], t["rule"]) for t in tried["titles"]] == [(AWKWARD, "rest")]
    assert "review" in avm("policy", "dry-run", "strict.toml")[1]
    assert avm("policy", "save", "strict.toml", "--by", "ann")[1] == "policy_version: 2\n"
    assert "No title would change" in avm("policy", "dry-run", "strict.toml")[1]
    _, text, _ = avm("policy", "history", "--json")
    assert [(p["policy_version"], p["saved_by"]) for p in json.loads(text)] == [
        (2, "ann"),
        (1, "avm"),
    ]
    (claim,) = json.loads(avm("sql", "FROM claims", "--json")[1])
    assert claim["action"] == "block"
    _, text, _ = avm("decide", claim["match_id"], "reject", "--by", "ann", "--note", "x", "--json")
    decided = json.loads(text)
    assert json.loads(avm("sql", "FROM claims", "--json")[1])[0]["reason"] == "rejected by ann"
    assert avm("decide", "--undo", decided["decision_id"], "--by", "bob")[0] == OK
    assert json.loads(avm("sql", "FROM claims", "--json")[1])[0]["action"] == "block"
