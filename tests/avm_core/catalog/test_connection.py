"""Opening a catalog: what it needs, what it refuses, and that many processes may do it at once."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from avm_core.catalog import Catalog
from avm_core.catalog.connection import connect, load_extension, redacted
from avm_core.config import CatalogConfig, S3Config
from avm_core.errors import BadSettings
from tests.avm_core.catalog.builders import DAY, commit, media


@pytest.mark.parametrize("read_only", [True, False])
def test_a_missing_catalog_is_named_and_not_made(
    empty_config: CatalogConfig, tmp_path: Path, read_only: bool
) -> None:
    with pytest.raises(BadSettings, match="run `avm migrate`"):
        Catalog.open(empty_config, read_only=read_only)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("dsn", ["catalog.sqlite", "mysql:host=a password=secret"])
def test_an_unknown_backend_is_refused_without_its_password(dsn: str) -> None:
    with pytest.raises(BadSettings, match="must begin with 'sqlite:' or 'postgres:'") as caught:
        Catalog.open(CatalogConfig(dsn=dsn))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("dsn", "shown"),
    [
        ("postgres:host=h password=secret dbname=d", "postgres:host=h password=*** dbname=d"),
        ("postgres:host=h password='se cret' user=u", "postgres:host=h password=*** user=u"),
        ("postgres:postgresql://u:secret@h/d", "postgres:postgresql://u:***@h/d"),
        ("sqlite:/data/catalog.sqlite", "sqlite:/data/catalog.sqlite"),
    ],
)
def test_passwords_stay_out_of_messages(dsn: str, shown: str) -> None:
    assert redacted(dsn) == shown


def test_another_data_path_is_refused(config: CatalogConfig, tmp_path: Path) -> None:
    moved = config.model_copy(update={"data_path": str(tmp_path / "elsewhere")})
    with pytest.raises(BadSettings, match="data_path"):
        Catalog.open(moved, read_only=True)


def test_times_are_utc_and_aware(config: CatalogConfig, tmp_path: Path) -> None:
    with Catalog.open(config) as catalog:
        commit(catalog, tmp_path, {"media": [media("a"), media("b", day=1)]})
        rows = catalog.query("media/get", ids=["a", "b"])
    assert [row["discovered_at"] for row in rows] == [DAY, DAY + timedelta(days=1)]
    assert rows[0]["discovered_at"].utcoffset() == timedelta(0)


def test_a_reader_cannot_write(config: CatalogConfig) -> None:
    connection = connect(config, read_only=True)
    with pytest.raises(duckdb.Error, match="read-only"):
        connection.execute("DELETE FROM media")
    connection.close()


def test_a_reader_sees_what_is_committed_while_it_is_open(
    config: CatalogConfig, tmp_path: Path
) -> None:
    with Catalog.open(config, read_only=True) as reader, Catalog.open(config) as writer:
        assert reader.query("media/ids", role="ugc") == []
        commit(writer, tmp_path, {"media": [media("a"), media("b")]})
        assert len(reader.query("media/ids", role="ugc")) == 2


def test_a_missing_extension_says_what_to_install() -> None:
    with (
        duckdb.connect() as connection,
        pytest.raises(BadSettings, match="install duckdb-extension-not-there=="),
    ):
        load_extension(connection, "not_there")


def test_an_s3_data_path_brings_a_secret_for_its_endpoint(tmp_path: Path) -> None:
    config = CatalogConfig(dsn=f"sqlite:{tmp_path / 'c.sqlite'}", data_path="s3://lake/warehouse")
    s3 = S3Config(endpoint_url="http://127.0.0.1:1", access_key="it's", secret_key="hidden")
    connection = connect(config, read_only=False, create=True, s3=s3)
    secrets = connection.execute("SELECT secret_string FROM duckdb_secrets()").fetchall()
    connection.close()
    assert len(secrets) == 1
    for part in ("endpoint=127.0.0.1:1", "use_ssl=false", "url_style=path", "key_id=it's"):
        assert part in secrets[0][0]


def fresh_home(folder: str) -> list[str]:
    with duckdb.connect(config={"home_directory": folder}) as connection:
        for name in ("ducklake", "sqlite_scanner"):
            load_extension(connection, name)
        loaded = connection.execute(
            "SELECT extension_name FROM duckdb_extensions() "
            "WHERE loaded AND install_mode = 'NOT_INSTALLED' ORDER BY 1"
        ).fetchall()
    return [row[0] for row in loaded]


def test_processes_may_load_the_extensions_at_once(tmp_path: Path) -> None:
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = list(pool.map(fresh_home, [str(tmp_path)] * 6))
    assert found == [["ducklake", "sqlite_scanner"]] * 6
    assert not list(tmp_path.iterdir())
