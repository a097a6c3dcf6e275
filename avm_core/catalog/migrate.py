"""Forward-only migrations: each in one transaction with its record, then the views."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import duckdb

from avm_core.catalog import statements
from avm_core.catalog.claims import judge_waiting
from avm_core.catalog.connection import connect
from avm_core.catalog.retry import is_conflict, retry
from avm_core.catalog.transaction import transaction
from avm_core.config import CatalogConfig, S3Config
from avm_core.errors import BadSettings


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of `sql/migrations`."""

    name: str
    text: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrations() -> list[Migration]:
    """The migrations that this version of the code knows, in order."""
    return [
        Migration(name, statements.load(name, "migrations"))
        for name in statements.names("migrations")
    ]


def pending(
    connection: duckdb.DuckDBPyConnection, known: Sequence[Migration] | None = None
) -> list[Migration]:
    """Migrations that the attached catalog lacks.

    Raises `BadSettings` if an applied migration was edited or is unknown to this code.
    """
    known = migrations() if known is None else known
    applied = _applied(connection)
    by_name = {migration.name: migration for migration in known}
    foreign = sorted(set(applied) - set(by_name))
    if foreign:
        raise BadSettings(
            f"the catalog has migration {foreign[0]}, which this version of avm does not know; "
            "upgrade avm"
        )
    for name, sha256 in applied.items():
        if by_name[name].sha256 != sha256:
            raise BadSettings(
                f"migration {name} was edited after it had been applied; restore its text and "
                "put the change into a new migration"
            )
    return [migration for migration in known if migration.name not in applied]


def migrate(
    config: CatalogConfig,
    *,
    s3: S3Config | None = None,
    known: Sequence[Migration] | None = None,
) -> list[str]:
    """Bring the catalog up to date, making it if it is not there; return the applied names.

    Safe to repeat and to run in several processes at once. A failing migration leaves nothing
    behind and stays pending: `BadSettings` names it.
    """
    known = migrations() if known is None else list(known)
    done: list[str] = []
    connection = connect(config, read_only=False, create=True, s3=s3)
    try:
        for migration in known:
            if retry(
                partial(_apply, connection, migration, known),
                max_retries=config.max_retries,
                what=f"migration {migration.name}",
            ):
                done.append(migration.name)
        retry(
            lambda: _apply_views(connection),
            max_retries=config.max_retries,
            what="create the views",
        )
    finally:
        connection.close()
    return done


def _applied(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    row = connection.execute(statements.load("migration/present")).fetchone()
    if not row or not row[0]:
        return {}
    return dict(connection.execute(statements.load("migration/applied")).fetchall())


def _apply(
    connection: duckdb.DuckDBPyConnection, migration: Migration, known: Sequence[Migration]
) -> bool:
    """Apply one migration unless it is there; True if this call did it."""
    with transaction(connection) as commit:
        if migration not in pending(connection, known):
            return False
        if _applied(connection):
            connection.execute(statements.load("commit_serial/bump"))
        try:
            connection.execute(migration.text)
        except duckdb.Error as error:
            if is_conflict(error):
                raise
            raise BadSettings(
                f"migration {migration.name} failed and was rolled back: {error}"
            ) from error
        connection.execute(
            statements.load("migration/insert"),
            {"name": migration.name, "sha256": migration.sha256},
        )
        commit()
    return True


def _apply_views(connection: duckdb.DuckDBPyConnection) -> None:
    with transaction(connection) as commit:
        for name in statements.views():
            connection.execute(statements.load(name, "views"))
        judge_waiting(connection)
        commit()
