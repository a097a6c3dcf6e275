"""The published file is plain DuckDB, whole, and replaced in one step."""

from pathlib import Path

import duckdb
import pytest

from avm_core.catalog import TABLES, Catalog, statements
from avm_core.config import CatalogConfig
from tests.avm_core.catalog.builders import commit, content, match, media, scan


def fill(catalog: Catalog, folder: Path) -> None:
    commit(
        catalog,
        folder,
        {
            "media": [media("u1"), media("u2"), media("l1", "licensed")],
            "media_content": [content("u1", duration=40.0), content("u2", duration=200.0)],
            "match_scan": [scan("u1", "forward", 1), scan("u2", "forward", 1)],
            "match": [match("u1", "l1"), match("u2", "l1")],
        },
    )


def test_plain_duckdb_reads_tables_and_views(config: CatalogConfig, tmp_path: Path) -> None:
    with Catalog.open(config) as catalog:
        fill(catalog, tmp_path)
    target = tmp_path / "out" / "it's.duckdb"
    with Catalog.open(config, read_only=True) as reader:
        counts = reader.publish(target)
        assert len(reader.query("media/ids", role="ugc")) == 2
    assert set(counts) == set(TABLES) | set(statements.names("views"))
    assert (counts["media"], counts["match"], counts["matches"]) == (3, 2, 2)
    assert sorted(p.name for p in target.parent.iterdir()) == [target.name]
    with duckdb.connect(str(target), read_only=True) as plain:
        kinds = plain.execute(
            "SELECT table_type, count(*) FROM information_schema.tables GROUP BY 1"
        ).fetchall()
        found = plain.execute("SELECT ugc_id, coverage FROM matches ORDER BY 1").fetchall()
        for name in statements.names("reports"):
            assert plain.execute(statements.load(name, "reports")).description, name
    assert dict(kinds) == {"BASE TABLE": len(TABLES), "VIEW": len(statements.names("views"))}
    assert found == [("u1", 0.5), ("u2", 0.1)]


def test_publishing_again_replaces_the_file_under_its_readers(
    config: CatalogConfig, tmp_path: Path
) -> None:
    target = tmp_path / "avm.duckdb"
    with Catalog.open(config) as catalog:
        assert catalog.publish(target)["media"] == 0
        with duckdb.connect(str(target), read_only=True) as old:
            fill(catalog, tmp_path)
            assert catalog.publish(target)["media"] == 3
            assert old.execute("SELECT count(*) FROM media").fetchone() == (0,)


def test_a_failed_publication_keeps_the_old_file(
    config: CatalogConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out" / "avm.duckdb"
    with Catalog.open(config) as catalog:
        catalog.publish(target)
        before = target.read_bytes()

        def no_room(*_args: object) -> None:
            raise OSError("no space left on device")

        with monkeypatch.context() as patch:
            patch.setattr("os.fsync", no_room)
            with pytest.raises(OSError, match="no space"):
                catalog.publish(target)
        assert target.read_bytes() == before
        assert [p.name for p in target.parent.iterdir()] == ["avm.duckdb"]
        fill(catalog, tmp_path)
        assert catalog.publish(target)["matches"] == 2
