"""One DuckDB connection with the lake attached, the same way for SQLite and Postgres."""

from __future__ import annotations

import functools
import importlib
import re
from pathlib import Path

import duckdb

from avm_core.catalog.retry import retry
from avm_core.config import CatalogConfig, S3Config
from avm_core.errors import BadSettings, StoreUnavailable

LAKE = "lake"
_BUSY_TIMEOUT_MS = 10_000
_SCANNERS = {"sqlite": "sqlite_scanner", "postgres": "postgres_scanner"}
_MIGRATE = "run `avm migrate`"


def connect(
    config: CatalogConfig,
    *,
    read_only: bool,
    create: bool = False,
    s3: S3Config | None = None,
) -> duckdb.DuckDBPyConnection:
    """A connection whose default schema is the lake; times are UTC.

    `s3` is needed when `config.data_path` is an `s3://` URI. With `create` a missing catalog
    is made. Raises `BadSettings` for a missing catalog or a wrong DSN, `StoreUnavailable` if
    the Postgres server does not answer, `CatalogConflict` if it stays locked.
    """
    backend = _backend(config.dsn)
    if backend == "sqlite":
        _prepare_sqlite(config, create=create)
    attach = _attach_text(config, backend, read_only=read_only, create=create)

    def attempt() -> duckdb.DuckDBPyConnection:
        connection = open_database()
        try:
            _prepare(connection, config, backend, s3)
            connection.execute(attach)
            connection.execute(f"USE {LAKE}")
        except BaseException:
            connection.close()
            raise
        return connection

    try:
        return retry(attempt, max_retries=config.max_retries, what="attach the catalog")
    except duckdb.Error as error:
        raise _explain(config, error) from error


def redacted(dsn: str) -> str:
    """The DSN without its password, for messages."""
    return re.sub(r"(password=)('[^']*'|\S+)|(://[^:/@]*:)[^@]*(?=@)", r"\1\3***", dsn)


def load_extension(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Load an extension straight from its wheel, so nothing is installed, downloaded or shared.

    Raises `BadSettings` if the wheel is missing.
    """
    connection.load_extension(_verified(name))


def open_database() -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory that takes extensions from `load_extension` and from nowhere else."""
    return duckdb.connect(
        config={
            "threads": 2,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            # `_verified` has checked the signatures; doing so again takes ten times as long as
            # all else that a new connection needs.
            "allow_unsigned_extensions": True,
        },
    )


@functools.cache
def _verified(name: str) -> str:
    """The file of an extension whose signature DuckDB has checked in this process."""
    try:
        package = importlib.import_module(f"duckdb_extension_{name}")
    except ModuleNotFoundError as error:
        raise BadSettings(
            f"DuckDB extension {name} is not installed; "
            f"install duckdb-extension-{name.replace('_', '-')}=={duckdb.__version__}"
        ) from error
    folder = Path(str(package.__file__)).parent / "extensions" / f"v{duckdb.__version__}"
    file = str(folder / f"{name}.duckdb_extension")
    with duckdb.connect(config={"autoload_known_extensions": False}) as strict:
        strict.load_extension(file)
    return file


def _backend(dsn: str) -> str:
    backend = dsn.partition(":")[0]
    if backend not in _SCANNERS:
        raise BadSettings(f"catalog.dsn {redacted(dsn)!r} must begin with 'sqlite:' or 'postgres:'")
    return backend


def _prepare_sqlite(config: CatalogConfig, *, create: bool) -> None:
    """DuckDB would leave an empty file behind when it refuses to open a missing catalog."""
    path = Path(config.dsn.removeprefix("sqlite:")).absolute()
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
    elif not path.is_file() or path.stat().st_size == 0:
        raise BadSettings(f"there is no catalog at {path}; {_MIGRATE}")


def _attach_text(config: CatalogConfig, backend: str, *, read_only: bool, create: bool) -> str:
    """ATTACH takes no parameters, so its literals are quoted here."""
    # Small inserts as rows of the metadata database (inlining) were slower on both sides with
    # SQLite, and while two writers create its helper tables a reader can fail.
    options = [f"DATA_PATH {_literal(_data_path(config.data_path))}", "DATA_INLINING_ROW_LIMIT 0"]
    if backend == "sqlite":
        options += ["META_JOURNAL_MODE 'WAL'", f"META_BUSY_TIMEOUT {_BUSY_TIMEOUT_MS}"]
    if read_only:
        options.append("READ_ONLY")
    elif not create:
        options.append("CREATE_IF_NOT_EXISTS false")
    return f"ATTACH {_literal('ducklake:' + config.dsn)} AS {LAKE} ({', '.join(options)})"


def _data_path(data_path: str) -> str:
    if "://" in data_path:
        return data_path.rstrip("/") + "/"
    return str(Path(data_path).absolute()) + "/"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _prepare(
    connection: duckdb.DuckDBPyConnection,
    config: CatalogConfig,
    backend: str,
    s3: S3Config | None,
) -> None:
    load_extension(connection, _SCANNERS[backend])
    load_extension(connection, "ducklake")
    connection.execute("SET TimeZone = 'UTC'")
    # DuckLake retries the commit of non-conflicting writers by itself, on the server's side.
    connection.execute("SET ducklake_max_retry_count = 50")
    connection.execute("SET ducklake_retry_wait_ms = 20")
    if config.data_path.startswith("s3://"):
        load_extension(connection, "httpfs")
        connection.execute(_secret_text(s3 or S3Config()))


def _secret_text(s3: S3Config) -> str:
    """CREATE SECRET takes no parameters either."""
    options = {"KEY_ID": s3.access_key or "", "SECRET": s3.secret_key or "", "REGION": s3.region}
    flags = ""
    if s3.endpoint_url:
        scheme, _, host = s3.endpoint_url.partition("://")
        options["ENDPOINT"] = host.rstrip("/")
        flags = f", URL_STYLE 'path', USE_SSL {str(scheme == 'https').lower()}"
    pairs = ", ".join(f"{name} {_literal(value)}" for name, value in options.items())
    return f"CREATE SECRET avm_s3 (TYPE s3, {pairs}{flags})"


def _explain(config: CatalogConfig, error: duckdb.Error) -> BadSettings | StoreUnavailable:
    text = str(error).replace(config.dsn, redacted(config.dsn))
    where = f"catalog {redacted(config.dsn)}"
    if "does not exist - and creating" in text or "does not exist" in text:
        return BadSettings(f"{where} is not there yet; {_MIGRATE} ({text})")
    if "onnection" in text and config.dsn.startswith("postgres"):
        return StoreUnavailable(f"{where}: the Postgres server does not answer ({text})")
    return BadSettings(f"cannot attach {where}; correct catalog.dsn and data_path ({text})")
