"""The catalog as the stages see it: queries by name, commits of staged units, publication."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb
import pyarrow as pa

from avm_core.catalog import idle, statements
from avm_core.catalog.claims import judge_draft
from avm_core.catalog.commit import Staged, commit_units
from avm_core.catalog.connection import connect
from avm_core.catalog.migrate import pending
from avm_core.catalog.publish import export_views, publish
from avm_core.catalog.retry import retry
from avm_core.catalog.schema import TABLES
from avm_core.catalog.transaction import transaction
from avm_core.config import CatalogConfig, S3Config
from avm_core.errors import BadSettings

Row = dict[str, Any]

_BATCH_ROWS = 10_000


class Catalog:
    """One open catalog; use it as a context manager and keep it open only for a stage.

    A reader never blocks and sees whole transactions only. One instance serves one thread.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        config: CatalogConfig,
        *,
        read_only: bool,
        key: idle.Key | None = None,
    ) -> None:
        self._connection = connection
        self._config = config
        self._read_only = read_only
        self._key = key

    @classmethod
    def open(
        cls, config: CatalogConfig, *, read_only: bool = False, s3: S3Config | None = None
    ) -> Catalog:
        """Attach the catalog; `s3` is needed when `data_path` is an `s3://` URI.

        Raises `BadSettings` if the catalog does not exist or, for a writer, if migrations are
        pending: run `avm migrate`.
        """
        key = idle.key_of(config, s3) if read_only else None
        if waiting := idle.take(key):
            return cls(waiting, config, read_only=True, key=key)
        connection = connect(config, read_only=read_only, s3=s3)
        try:
            if not read_only:
                _require_migrated(connection)
        except BaseException:
            connection.close()
            raise
        return cls(connection, config, read_only=read_only, key=key)

    def __enter__(self) -> Catalog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None and self._key is not None:
            # Whoever still holds this catalog holds a connection that is closed.
            whole, self._connection = self._connection, self._connection.cursor()
            self._connection.close()
            idle.give(self._key, whole)
            self._key = None
        else:
            self.close()

    def close(self) -> None:
        """Release the connection; harmless to repeat."""
        self._connection.close()

    def query(self, name: str, /, **params: Any) -> list[dict[str, Any]]:
        """Rows of `sql/statements/<name>.sql`, one dict per row; times are aware UTC datetimes.

        Raises `BadSettings` for an unknown statement or parameters that do not fit it.
        """
        return self._fetch(statements.load(name), params).to_pylist()

    def batches(self, name: str, /, **params: Any) -> pa.RecordBatchReader:
        """As `query`, in batches of some thousand rows, for results that are too many to hold.

        The catalog must stay open, and unused for others, until the last one.
        """
        try:
            found = self._connection.execute(statements.load(name), params)
        except duckdb.Error as error:
            raise BadSettings(f"the catalog refused the statement: {error}") from error
        return found.to_arrow_reader(_BATCH_ROWS)

    def interrupt(self) -> None:
        """Stop the query that another thread runs here; it raises `BadSettings`."""
        self._connection.interrupt()

    def report(self, name: str) -> pa.Table:
        """The table of `sql/reports/<name>.sql`; raises `BadSettings` for an unknown name."""
        return self._fetch(statements.load(name, "reports"), {})

    def select(self, sql_text: str, params: dict[str, Any] | None = None) -> pa.Table:
        """The result of one reading statement typed by a person.

        Raises `BadSettings` if the catalog is open for writing, if the text is not exactly one
        SELECT (or EXPLAIN), or if DuckDB refuses it.
        """
        if not self._read_only:
            raise BadSettings("free SQL needs a catalog opened with read_only=True")
        _require_one_select(self._connection, sql_text)
        return self._fetch(sql_text, params or {})

    def judge_draft(self, rules: Sequence[Row], values: Sequence[Row]) -> pa.Table:
        """How claims would change under rows of `policy_rule` and `policy_value` that are not
        saved: one row per title, action before and after, and rule. Nothing is written."""
        tables = [
            pa.Table.from_pylist(list(rows), schema=TABLES[name])
            for name, rows in (("policy_rule", rules), ("policy_value", values))
        ]

        def attempt() -> pa.Table:
            with transaction(self._connection):
                return judge_draft(self._connection, *tables)

        return retry(attempt, max_retries=self._config.max_retries, what="judge a draft")

    def commit(self, units: Sequence[Staged], *, message: str) -> int:
        """Turn staged units into rows in ONE transaction; return how many were new.

        Each unit comes with local copies of its Parquet objects by table. A unit whose id and
        input digest are in the ledger is skipped. Raises `CatalogConflict` when other writers
        were faster through all retries, `BadSettings` for a read-only catalog or a missing
        copy, `ChecksumMismatch` for a damaged copy.
        """
        if self._read_only:
            raise BadSettings("committing needs a catalog opened without read_only")
        if not units:
            return 0
        return retry(
            lambda: commit_units(self._connection, units, message=message),
            max_retries=self._config.max_retries,
            what=f"commit of {len(units)} units",
        )

    def publish(self, path: Path) -> dict[str, int]:
        """Export one snapshot to a plain DuckDB file at `path`, replaced in one rename.

        Returns the row counts of its tables and views.
        """
        return retry(
            lambda: publish(self._connection, path),
            max_retries=self._config.max_retries,
            what=f"publish to {path}",
        )

    def export_views(self, folder: Path) -> dict[str, int]:
        """Write every view of one snapshot as `folder/<view>.parquet`; rows by view."""
        return retry(
            lambda: export_views(self._connection, folder),
            max_retries=self._config.max_retries,
            what="export of the views",
        )

    def compact(self, *, keep: timedelta = timedelta(days=1)) -> None:
        """Merge small data files and forget snapshots older than `keep`; rows stay the same.

        Every commit adds a few small files, so run it daily. Files that no snapshot needs are
        deleted `keep` to `keep` + 1 day later. Raises `BadSettings` for a read-only catalog.
        """
        if self._read_only:
            raise BadSettings("compacting needs a catalog opened without read_only")
        for name in statements.names("statements"):
            if name.startswith("lake/compact_"):
                text = statements.load(name)
                # In a SQLite catalog DuckLake compares these times as text, right to the day
                # only: without the extra day, files of today would go at once.
                before = datetime.now(UTC) - keep - timedelta(days=1)
                self._fetch(text, {"before": before} if "$before" in text else {})

    def check(self) -> dict[str, int]:
        """Offending rows by name of each `sql/checks/*.sql`; all zero means healthy."""
        return {
            name: self._fetch(statements.load(name, "checks"), {}).num_rows
            for name in statements.names("checks")
        }

    def _fetch(self, text: str, params: dict[str, Any]) -> pa.Table:
        def attempt() -> pa.Table:
            # Through Arrow: DuckDB's own conversion of TIMESTAMPTZ needs pytz.
            return self._connection.execute(text, params).to_arrow_table()

        try:
            return retry(attempt, max_retries=self._config.max_retries, what="query")
        except duckdb.Error as error:
            raise BadSettings(f"the catalog refused the statement: {error}") from error


def _require_migrated(connection: duckdb.DuckDBPyConnection) -> None:
    missing = pending(connection)
    if missing:
        raise BadSettings(
            f"the catalog lacks migration {missing[0].name} (and {len(missing) - 1} more); "
            "run `avm migrate`"
        )


def _require_one_select(connection: duckdb.DuckDBPyConnection, sql_text: str) -> None:
    try:
        found = connection.extract_statements(sql_text)
    except duckdb.Error as error:
        raise BadSettings(f"not SQL: {error}") from error
    if len(found) != 1:
        raise BadSettings(f"expected one statement, got {len(found)}; run them one by one")
    if found[0].type not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
        raise BadSettings(
            f"only SELECT may run here, not {found[0].type.name}; rows change through `avm` stages"
        )
