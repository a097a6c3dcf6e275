"""What the operators share: execute() makes one pipeline call and translates its failures."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from avm_airflow.hooks import DEFAULT_CONN_ID, AvmHook

if TYPE_CHECKING:
    from avm_core.pipeline.platform import Platform

Unit = dict[str, Any]
Batch = dict[str, Any]


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn `Terminal` into a failure without retry; let everything else use the retries."""
    from avm_core.errors import Terminal

    try:
        yield
    except Terminal as error:
        raise AirflowFailException(f"{type(error).__name__}: {error}") from error


class StageOperator(BaseOperator):
    """A task that is one stage of the pipeline."""

    def __init__(self, *, avm_conn_id: str = DEFAULT_CONN_ID, **kwargs: Any) -> None:
        # What the UI shows beside the task.
        kwargs.setdefault("doc_md", inspect.getdoc(type(self)))
        super().__init__(**kwargs)
        self.avm_conn_id = avm_conn_id

    def execute(self, context: Context) -> Any:
        """Call the stage; raises `AirflowFailException` or `AirflowSkipException`."""
        with translated_errors():
            return self.call(AvmHook(self.avm_conn_id).get_platform(), context)

    @abstractmethod
    def call(self, platform: Platform, context: Context) -> Any:
        """Make the one pipeline call."""


class BatchOperator(StageOperator):
    """A stage that works on one batch of a plan."""

    template_fields: Sequence[str] = ("batch",)

    def __init__(self, *, batch: Batch, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batch = batch


def or_skip(found: list[Any], reason: str) -> list[Any]:
    """The list, or a skip: then downstream is skipped and no asset is updated."""
    if not found:
        raise AirflowSkipException(reason)
    return found
