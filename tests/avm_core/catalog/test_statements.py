"""Statements are found by their path."""

import re

import pytest

from avm_core.catalog import KINDS, statements
from avm_core.errors import BadSettings


def test_a_name_is_a_path() -> None:
    assert "FROM media" in statements.load("media/ids")
    assert statements.load("matches", "views").count("CREATE OR REPLACE VIEW") == 1


@pytest.mark.parametrize("name", ["media/nothing", "../migrations/0001_bookkeeping", ""])
def test_an_unknown_name_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(BadSettings, match="media/ids"):
        statements.load(name)


def test_every_written_table_deletes_before_it_inserts() -> None:
    written = {table for tables in KINDS.values() for table in tables} | {"commit_ledger"}
    # A removal is never taken back; the statements of `match` begin with what they end; those of
    # `media` end with what is said of it.
    assert first_words("media") == ["DELETE", "INSERT", "WITH"]
    for table in written - {"removal", "match", "media"}:
        words = first_words(table)
        assert words[0] == "DELETE"
        assert words[-1] == "INSERT"
        assert words.count("INSERT") == 1


def test_matches_become_history_before_they_are_deleted() -> None:
    assert first_words("match") == ["CREATE", "INSERT", "DELETE", "INSERT"]
    assert first_words("removal") == ["INSERT", *["INSERT", "DELETE"] * 2]


def first_words(table: str) -> list[str]:
    return [
        next(line for line in text.splitlines() if not line.startswith("--")).split()[0]
        for text in statements.replacements(table)
    ]


def test_a_view_can_be_asked_over_some_rows() -> None:
    query = statements.view_over("matches", "match", "chosen")
    assert "FROM chosen AS m" in query
    assert "CREATE" not in query
    assert not re.search(r"FROM match\b", query)
