"""A lost race is tried again; any other failure is not."""

import duckdb
import pytest

from avm_core.catalog.retry import retry
from avm_core.errors import CatalogConflict


class Failing:
    """Fails with the given errors, one per call, then returns the number of calls."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> int:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.calls


def test_conflicts_are_tried_again() -> None:
    lost = Failing(duckdb.TransactionException("lost"), duckdb.IOException("database is locked"))
    assert retry(lost, max_retries=3, what="test") == 3


def test_used_up_retries_are_a_conflict_with_the_cause() -> None:
    lost = Failing(*[duckdb.TransactionException("lost")] * 5)
    with pytest.raises(CatalogConflict, match=r"commit of 2 units: .*3 times.*lost"):
        retry(lost, max_retries=2, what="commit of 2 units")
    assert lost.calls == 3


@pytest.mark.parametrize("error", [duckdb.ParserException("syntax"), ValueError("other")])
def test_other_failures_pass_at_once(error: Exception) -> None:
    wrong = Failing(error, error)
    with pytest.raises(type(error)):
        retry(wrong, max_retries=5, what="test")
    assert wrong.calls == 1
