"""Migrations go forward only, once each, all or nothing."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pytest

from avm_core.catalog import Catalog, migrate
from avm_core.catalog.migrate import Migration, migrations
from avm_core.config import CatalogConfig
from avm_core.errors import BadSettings

NAMES = [m.name for m in migrations()]


def count(config: CatalogConfig, table: str) -> int:
    with Catalog.open(config, read_only=True) as reader:
        return int(reader.select(f"SELECT count(*) AS n FROM {table}").to_pylist()[0]["n"])


def test_migrating_twice_changes_nothing(empty_config: CatalogConfig) -> None:
    assert migrate(empty_config) == NAMES
    assert migrate(empty_config) == []
    assert count(empty_config, "migration") == len(NAMES)
    assert count(empty_config, "commit_serial") == 1


def test_a_failing_migration_rolls_back_and_stays_pending(config: CatalogConfig) -> None:
    wrong = Migration("9001_wrong", "CREATE TABLE half (x BIGINT); SELECT * FROM nowhere;")
    later = Migration("9002_later", "CREATE TABLE after (x BIGINT);")
    with pytest.raises(BadSettings, match="9001_wrong failed and was rolled back"):
        migrate(config, known=[*migrations(), wrong, later])
    with Catalog.open(config, read_only=True) as reader:
        tables = reader.select("SELECT table_name FROM information_schema.tables").to_pylist()
    assert not {"half", "after"} & {row["table_name"] for row in tables}
    right = Migration(wrong.name, "CREATE TABLE half (x BIGINT);")
    assert migrate(config, known=[*migrations(), right, later]) == ["9001_wrong", "9002_later"]


def test_an_edited_migration_is_refused(config: CatalogConfig) -> None:
    first, *rest = migrations()
    with pytest.raises(BadSettings, match=f"{first.name} was edited"):
        migrate(config, known=[Migration(first.name, first.text + "\n-- better"), *rest])


def test_an_older_version_of_the_code_is_refused(config: CatalogConfig) -> None:
    with pytest.raises(BadSettings, match="upgrade avm"):
        migrate(config, known=migrations()[:-1])


def test_a_writer_needs_every_migration(empty_config: CatalogConfig) -> None:
    with pytest.raises(BadSettings, match="9001_wrong"):
        migrate(empty_config, known=[*migrations()[:2], Migration("9001_wrong", "nonsense")])
    with pytest.raises(BadSettings, match=r"lacks migration 0003_index.*avm migrate"):
        Catalog.open(empty_config)
    assert migrate(empty_config) == NAMES[2:]
    Catalog.open(empty_config).close()


def migrate_with_a_row(config: CatalogConfig) -> list[str]:
    added = Migration("9001_row", "INSERT INTO commit_serial VALUES (100);")
    return migrate(config, known=[*migrations(), added])


def test_processes_migrating_at_once_apply_each_migration_once(
    empty_config: CatalogConfig,
) -> None:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(3, mp_context=spawn) as pool:
        done = list(pool.map(migrate_with_a_row, [empty_config] * 3))
    assert sorted(name for names in done for name in names) == [*NAMES, "9001_row"]
    assert count(empty_config, "commit_serial") == 2
