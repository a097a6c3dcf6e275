"""Claims: what decisions and policy make of matches, judged again where a commit touched them.

Judging joins five tables and tries every rule, seconds for a million matches. So a claim is a row
that is judged in the transaction that changes what it rests on, and readers only scan.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from avm_core.catalog import statements

# Rows of these tables change the claims of the media that they name here.
_MEDIA_OF: dict[str, str] = {
    "media_content": "media_id",
    "match_scan": "probe_id",
    "match": "ugc_id",
    "exclusion": "media_id",
    "removal": "media_id",
}
# Rows of these describe media, also such as they do not name.
_DESCRIBING = ("media", "media_metadata", "metadata_file")


class Touched:
    """Collects what a transaction changes, and judges the claims that depend on it."""

    def __init__(self) -> None:
        self._media: list[pa.ChunkedArray] = []
        self._everything = False
        self._described = False

    def see(self, table: str, rows: pa.Table) -> None:
        """Take note of rows that replace others of `table`."""
        if not rows.num_rows:
            return
        if table == "policy":
            self._everything = True
        elif table in _DESCRIBING:
            self._described = True
        elif table == "decision":
            excludes = pc.equal(rows["verdict"], "exclude")
            self._media.append(pc.if_else(excludes, rows["licensed_id"], rows["ugc_id"]))
        elif table in _MEDIA_OF:
            self._media.append(rows[_MEDIA_OF[table]])

    def renew(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Judge again, inside the transaction that is open."""
        if self._described:
            found = connection.execute(statements.load("claim/described")).to_arrow_table()
            self._media.append(found["media_id"])
        if self._everything:
            renew_all(connection)
        elif any(len(column) for column in self._media):
            chunks = [chunk for column in self._media for chunk in pa.chunked_array(column).chunks]
            media = pc.unique(pa.chunked_array(chunks, pa.string()))
            connection.register("touched", pa.table({"media_id": media}))
            _renew(connection, "touched")


def renew_all(connection: duckdb.DuckDBPyConnection) -> None:
    """Judge every match, inside the transaction that is open."""
    _renew(connection, "all")


def judge_draft(
    connection: duckdb.DuckDBPyConnection, rules: pa.Table, values: pa.Table
) -> pa.Table:
    """What rules that are not saved would change, as `sql/statements/claim/changes.sql` tells.

    `rules` and `values` are rows of `policy_rule` and `policy_value`. Nothing is written.
    """
    connection.register("draft_rule", rules)
    connection.register("draft_value", values)
    _judge(connection, "match", ("judge_2_draft", "judge_2_draft_values"))
    return connection.execute(statements.load("claim/changes")).to_arrow_table()


def judge_waiting(connection: duckdb.DuckDBPyConnection) -> bool:
    """Judge everything if a match has no claim yet, as after a migration; whether it was so."""
    row = connection.execute(statements.load("claim/waiting")).fetchone()
    if not row or not row[0]:
        return False
    renew_all(connection)
    return True


def _renew(connection: duckdb.DuckDBPyConnection, which: str) -> None:
    connection.execute(statements.load(f"claim/renew_1_delete_{which}"))
    row = connection.execute(statements.load(f"claim/judge_1_{which}")).fetchone()
    if row and row[0]:
        rows = "match" if which == "all" else "judging"
        _judge(connection, rows, ("judge_2_policy", "judge_2_values"))
        connection.execute(statements.load("claim/renew_2_insert"))


def _judge(connection: duckdb.DuckDBPyConnection, rows: str, rules: tuple[str, str]) -> None:
    """Fill `judged` from `rows`, which are all of `match` or some."""
    query = statements.view_over("matches", "match", rows)
    connection.execute(f"CREATE OR REPLACE TEMP VIEW judging_match AS {query}")
    for step in (*rules, "judge_3_claims"):
        connection.execute(statements.load(f"claim/{step}"))
