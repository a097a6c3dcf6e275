"""A doorbell: a queue that says when something happened in a bucket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent


class QueueDoorbell(BaseEventTrigger):
    """Fires when messages arrive in an SQS queue, once for all that wait there.

    What they say is not read: discovery lists the bucket, so a lost message costs minutes and a
    foreign one a listing. Messages are deleted when they are received.
    """

    def __init__(self, *, queue: str, aws_conn_id: str, quiet_seconds: int = 10) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
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
        while True:
            # In a thread: the provider's own trigger needs aiobotocore, an extra of its own.
            if await asyncio.to_thread(self._emptied):
                yield TriggerEvent({"queue": self.queue})  # type: ignore[no-untyped-call]
            await asyncio.sleep(self.quiet_seconds)

    def _emptied(self) -> int:
        """Receive and delete all that waits; how many messages that were. Waits up to 20 s."""
        # Here: this module is loaded whenever a DAG file is parsed, and boto3 takes seconds.
        from airflow.providers.amazon.aws.hooks.sqs import SqsHook

        client: Any = SqsHook(aws_conn_id=self.aws_conn_id).conn
        count = 0
        while True:
            answer = client.receive_message(
                QueueUrl=self.queue, MaxNumberOfMessages=10, WaitTimeSeconds=0 if count else 20
            )
            if not (found := answer.get("Messages", [])):
                return count
            count += len(found)
            handles = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(found)
            ]
            client.delete_message_batch(QueueUrl=self.queue, Entries=handles)
