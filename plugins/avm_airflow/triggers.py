"""A doorbell: a queue that says when something happened in a bucket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent


class QueueDoorbell(BaseEventTrigger):
    """Fires when messages arrive in an SQS queue, once for all that wait there.

    What they say is not read: discovery lists the bucket, so a lost message costs minutes and a
    foreign one a listing. Messages are deleted when they are received.
    """

    def __init__(self, *, queue: str, aws_conn_id: str, quiet_seconds: int = 10) -> None:
        super().__init__()
        self.queue = queue
        self.aws_conn_id = aws_conn_id
        self.quiet_seconds = quiet_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, for the triggerer."""
        arguments = {
            "queue": self.queue,
            "aws_conn_id": self.aws_conn_id,
            "quiet_seconds": self.quiet_seconds,
        }
        return f"{type(self).__module__}.{type(self).__qualname__}", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """An event for every burst of messages."""
        # Here: this module is loaded whenever a DAG file is parsed, boto3 takes seconds.
        from airflow.providers.amazon.aws.triggers.sqs import SqsSensorTrigger

        while True:
            queue = SqsSensorTrigger(
                sqs_queue=self.queue,
                aws_conn_id=self.aws_conn_id,
                max_messages=10,
                num_batches=10,
                wait_time_seconds=20,
                waiter_delay=self.quiet_seconds,
            )
            async for _ in queue.run():
                yield TriggerEvent({"queue": self.queue})
