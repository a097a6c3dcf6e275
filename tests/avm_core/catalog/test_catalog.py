"""Asking the catalog: statements by name, free SELECTs, reports, checks."""

from datetime import timedelta
from pathlib import Path

import pytest

from avm_core.catalog import Catalog
from avm_core.config import CatalogConfig
from avm_core.errors import BadSettings
from tests.avm_core.catalog.builders import commit, entry, ids, match, media, scan


def test_queries_take_named_parameters(catalog: Catalog, tmp_path: Path) -> None:
    rows = [media("u1"), media("u2"), media("l1", "licensed"), media("l2", "licensed")]
    commit(catalog, tmp_path, {"media": rows})
    assert ids(catalog.query("media/ids", role="ugc")) == ["u1", "u2"]
    assert ids(catalog.query("media/ids", role="licensed")) == ["l1", "l2"]
    assert ids(catalog.query("media/get", ids=["l2", "u1", "nobody"])) == ["l2", "u1"]
    assert catalog.query("media/get", ids=[]) == []


def test_wrong_parameters_and_names_are_refused(catalog: Catalog) -> None:
    with pytest.raises(BadSettings, match="role"):
        catalog.query("media/ids")
    with pytest.raises(BadSettings, match="limit"):
        catalog.query("media/ids", role="ugc", limit=3)
    with pytest.raises(BadSettings, match="media/ids"):
        catalog.query("media/no_such_statement")


def test_select_answers_one_reading_statement(config: CatalogConfig, tmp_path: Path) -> None:
    with Catalog.open(config) as catalog:
        commit(catalog, tmp_path, {"media": [media("u1"), media("u2")]})
    with Catalog.open(config, read_only=True) as reader:
        table = reader.select("SELECT uri FROM media WHERE media_id = $id", {"id": "u2"})
        assert table.to_pylist() == [{"uri": "s3://ugc/u2.mp4"}]
        assert reader.select("FROM media_status;").num_rows == 2
        assert reader.select("WITH m AS (FROM media) SELECT count(*) FROM m").num_rows == 1
        assert reader.select("DESCRIBE matches").num_rows > 20


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1; SELECT 2",
        "",
        "DELETE FROM media",
        "SELECT 1; DROP TABLE media",
        "CREATE TEMP TABLE t AS SELECT 1",
        "COPY media TO 'media.csv'",
        "ATTACH 'other.duckdb'",
        "SET threads = 1",
        "CALL lake.set_option('x', 1)",
        "SELECT * FROM no_such_table",
        "SELEC 1",
    ],
)
def test_select_refuses_everything_else(config: CatalogConfig, text: str) -> None:
    with Catalog.open(config, read_only=True) as reader:
        with pytest.raises(BadSettings):
            reader.select(text)
        assert reader.select("SELECT count(*) AS n FROM media").to_pylist() == [{"n": 0}]


def test_free_sql_needs_a_reader_and_a_commit_a_writer(config: CatalogConfig) -> None:
    with Catalog.open(config) as writer, pytest.raises(BadSettings, match="read_only=True"):
        writer.select("SELECT 1")
    with Catalog.open(config, read_only=True) as reader, pytest.raises(BadSettings):
        reader.commit([], message="nothing")


def test_checks_are_clean_on_healthy_rows_and_count_offenders(
    catalog: Catalog, tmp_path: Path
) -> None:
    commit(
        catalog,
        tmp_path,
        {
            "media": [media("u1"), media("u2"), media("l1", "licensed")],
            "index_entry": [entry("licensed_audio", "l1", 1)],
            "match_scan": [scan("u1", "forward", 1), scan("u2", "forward", 1)],
            "match": [match("u1", "l1"), match("u2", "l1")],
        },
    )
    assert set(catalog.check().values()) == {0}
    bad = [
        match("u1", "l1", start=50.0, ugc_end=50.0),
        match("u2", "l1", start=60.0, score=1.5),
        match("u1", "u2", start=70.0),
        match("stranger", "l1", start=80.0),
        match("u2", "l1", start=90.0, matcher_version="matcher-2"),
    ]
    commit(catalog, tmp_path, {"match": bad}, kind="forward")
    offenders = {name: rows for name, rows in catalog.check().items() if rows}
    assert offenders == {
        "match_bad_interval": 1,
        "match_bad_score": 1,
        "match_unknown_media": 2,
        "match_without_scan": 2,
    }


def test_reports_read_like_the_views(catalog: Catalog, tmp_path: Path) -> None:
    rows = [match("u1", "l1", score=0.7), match("u2", "l1", score=0.8)]
    commit(catalog, tmp_path, {"media": [media("u1"), media("u2"), media("l1", "licensed")]})
    commit(catalog, tmp_path, {"match": rows, "match_scan": [scan("u1", "forward", 1)]})
    report = catalog.report("matches").to_pylist()
    assert [row["ugc_uri"] for row in report] == ["s3://ugc/u2.mp4", "s3://ugc/u1.mp4"]
    summary = {r["measure"]: r["value"] for r in catalog.report("summary").to_pylist()}
    assert summary["matches audio"] == 2
    assert summary["media ugc matched"] == 2
    with pytest.raises(BadSettings, match="summary"):
        catalog.report("no_such_report")


def test_compacting_leaves_fewer_files_and_the_same_rows(
    catalog: Catalog, config: CatalogConfig, tmp_path: Path
) -> None:
    for day in range(4):
        commit(catalog, tmp_path, {"media": [media("same", day=day), media(f"new{day}")]})
    with Catalog.open(config, read_only=True) as reader:
        before = reader.select("FROM media ORDER BY media_id").to_pylist()
        old_files = set(Path(config.data_path).rglob("*.parquet"))
        with pytest.raises(BadSettings, match="without read_only"):
            reader.compact()
        catalog.compact(keep=timedelta(0))
        assert set(Path(config.data_path).rglob("*.parquet")) > old_files
        catalog.compact(keep=-timedelta(days=1))
        assert len(set(Path(config.data_path).rglob("*.parquet"))) < len(old_files) / 2
        assert reader.select("FROM media ORDER BY media_id").to_pylist() == before
    assert len(before) == 5
    commit(catalog, tmp_path, {"media": [media("after"), media("same", day=9)]})
    assert len(catalog.query("media/ids", role="ugc")) == 6
