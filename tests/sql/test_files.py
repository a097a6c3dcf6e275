"""Every SQL file runs on a freshly migrated catalog and keeps the rules of the folder."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from avm_core.catalog import KINDS, TABLES, Catalog, statements
from avm_core.catalog.connection import connect
from avm_core.config import CatalogConfig
from tests.avm_core.catalog.builders import commit

VALUES: dict[str, object] = {
    "ids": ["a", "b"],
    "unit_ids": ["a", "b"],
    "role": "ugc",
    "modality": "audio",
    "index_name": "ugc_audio",
    "fingerprinter": "audio_test.one-00000001",
    "audio_fingerprinter": "audio_test.one-00000001",
    "video_fingerprinter": None,
    "matcher_version": "matcher-1",
    "limit": 5,
    "kind": "media",
    "match_id": "match",
    "decision_id": "decision",
    "policy_version": 7,
    "name": "name",
    "sha256": "sha256",
    "author": "author",
    "message": "message",
    "base": "s3://ugc/",
    "after": "s3://ugc/",
    "until": "s3://ugc/z",
    "enough": 60.0,
    "media_ids": ["a", "b"],
    "error_classes": ["BadMedia"],
    "names": ["a", "b"],
    "now": datetime(2026, 1, 2, tzinfo=UTC),
    "since": datetime(2026, 1, 1, tzinfo=UTC),
    "before": datetime(2026, 1, 1, tzinfo=UTC),
    "media_id": "a",
    "duration": 60.0,
    "bins": 10,
    "began": datetime(2026, 1, 1, tzinfo=UTC),
    "ended": datetime(2026, 2, 1, tzinfo=UTC),
    "actions": ["block", "review"],
    "modalities": ["audio"],
    "sort": "score",
    "sign": -1.0,
    "rows": 51,
    "first": 100,
    "q": "a",
    "decision": "none",
    "direction": "forward",
    "ugc_id": "a",
    "licensed_id": "b",
    "rights_holder": "a",
    "uploader": "a",
    "territory": "DE",
    "rule": "rest",
    "min_score": 0.5,
    "max_score": 0.9,
    "min_length": 1.0,
    "max_length": 9.0,
    "min_share": 0.1,
    "min_views": 1,
    "precedes": True,
    "speed_changed": None,
    "found_from": None,
    "found_to": datetime(2026, 1, 1, tzinfo=UTC),
}
READING = [
    name
    for name in statements.names("statements")
    if re.match(r"(--.*\n)*(SELECT|WITH)", statements.load(name))
    and name != "claim/changes"
    and "/replace_" not in name
]
# These read what the ones before them made; `changes` comes last.
CHAINED = sorted(
    (n for n in statements.names("statements") if re.match("claim/(judge|renew|changes)", n)),
    key=lambda name: (name == "claim/changes", name),
)
WRITING = [
    n
    for n in statements.names("statements")
    if n not in [*READING, *CHAINED] and "/replace_" not in n
]
ALL_FILES = sorted(statements.sql_root().rglob("*.sql"))


def parameters(text: str) -> dict[str, object]:
    return {name: VALUES[name] for name in re.findall(r"\$(\w+)", text)}


@pytest.fixture(scope="module")
def reader(template: CatalogConfig) -> Iterator[Catalog]:
    with Catalog.open(template, read_only=True) as opened:
        yield opened


@pytest.mark.parametrize("name", READING)
def test_reading_statements_answer_an_empty_catalog(reader: Catalog, name: str) -> None:
    rows = reader.query(name, **parameters(statements.load(name)))
    never_empty = {
        "commit_ledger/latest": [{"committed_at": None}],
        "commit_serial/current": [{"serial": len(statements.names("migrations")) - 1}],
        "claim/judge_1_all": [{"judging": 0}],
        "claim/waiting": [{"waiting": 0}],
        "exclusion/count": [{"known": 0, "ended": 0}],
        "index/recorded_version": [{"version": 0}],
        "maintain/failures": [{"media": 0, "failed": 0}],
        "migration/present": [{"present": True}],
    }
    if name in ("policy/current", "policy/current_rules"):
        assert rows[0].keys() & {"policy_version", "priority"}  # the policy that AVM comes with
    elif name in ("page/count", "page/run_sum", "page/title_sum"):
        assert not any(rows[0].values())
    elif name == "migration/applied":
        assert [r["name"] for r in rows] == statements.names("migrations")
    else:
        assert rows == never_empty.get(name, [])


@pytest.mark.parametrize("section", ["views", "checks", "reports"])
def test_views_checks_and_reports_run_on_an_empty_catalog(reader: Catalog, section: str) -> None:
    for name in statements.names(section):
        text = f"FROM {name}" if section == "views" else statements.load(name, section)
        table = reader.select(text)
        assert table.num_columns > 0
        if section == "checks":
            assert table.num_rows == 0, name


@pytest.mark.parametrize("name", WRITING)
def test_writing_statements_run(config: CatalogConfig, name: str) -> None:
    text = statements.load(name)
    connection = connect(config, read_only=False)
    connection.execute("BEGIN")
    connection.execute(text, parameters(text))
    connection.execute("ROLLBACK")
    connection.close()


def test_claims_are_judged_in_an_empty_catalog(config: CatalogConfig) -> None:
    connection = connect(config, read_only=False)
    for table in ("policy_rule", "policy_value"):
        connection.register(table.replace("policy", "draft"), TABLES[table].empty_table())
    connection.register("touched", pa.table({"media_id": ["a"]}))
    every = statements.view_over("matches", "match", "match")
    connection.execute(f"CREATE OR REPLACE TEMP VIEW judging_match AS {every}")
    for name in CHAINED:
        connection.execute(statements.load(name))
    connection.close()


def test_replacements_run_on_units_without_rows(catalog: Catalog, tmp_path: Path) -> None:
    for number, (kind, tables) in enumerate(KINDS.items()):
        empty: dict[str, list[dict[str, object]]] = {table: [] for table in tables}
        assert commit(catalog, tmp_path / str(number), empty, kind=kind) == 1
    covered = {f"{t}/" for tables in KINDS.values() for t in tables} | {"commit_ledger/"}
    staged = [n for n in statements.names("statements") if "/replace_" in n]
    assert all(any(n.startswith(prefix) for prefix in covered) for n in staged)


def test_reports_read_views_only(reader: Catalog) -> None:
    with duckdb.connect() as views_alone:
        for name in statements.names("views"):
            views_alone.register(name, reader.select(f"FROM {name}"))
        for name in statements.names("reports"):
            assert views_alone.execute(statements.load(name, "reports")).description, name


def test_every_table_has_a_check_for_duplicates() -> None:
    checked = {n.removeprefix("duplicate_") for n in statements.names("checks")}
    assert set(TABLES) - checked == {"commit_serial"}
    assert "single_commit_serial" in checked


@pytest.mark.parametrize("section", ["statements", "views", "checks", "reports"])
def test_a_file_holds_one_statement(reader: Catalog, section: str) -> None:
    connection = reader._connection
    for name in statements.names(section):
        assert len(connection.extract_statements(statements.load(name, section))) == 1, name


@pytest.mark.parametrize("name", statements.names("views"))
def test_a_view_is_named_like_its_file_and_fits_any_database(name: str) -> None:
    text = statements.load(name, "views")
    assert f"CREATE OR REPLACE VIEW {name} AS" in text
    assert "lake." not in text


def test_lines_are_short_and_names_are_numbered() -> None:
    for path in ALL_FILES:
        lines = path.read_text(encoding="utf-8").splitlines()
        assert max(map(len, lines)) <= 100, path
    numbers = [int(name.split("_")[0]) for name in statements.names("migrations")]
    assert numbers == list(range(1, len(numbers) + 1))
