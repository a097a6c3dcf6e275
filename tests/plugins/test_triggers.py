"""The doorbell rings once for a burst of messages, over the wire protocol of SQS."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from avm_airflow.triggers import QueueDoorbell

QUEUE = "/123456789012/bell"


class Sqs(BaseHTTPRequestHandler):
    """As much of SQS as receiving and deleting take; `waiting` are the bodies."""

    waiting: dict[str, str]

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        action = self.headers["X-Amz-Target"].rpartition(".")[2]
        answer = {"ReceiveMessage": self.receive, "DeleteMessageBatch": self.delete}[action](asked)
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def receive(self, asked: dict[str, Any]) -> dict[str, Any]:
        chosen = list(self.waiting.items())[: asked.get("MaxNumberOfMessages", 1)]
        return {
            "Messages": [
                {
                    "MessageId": name,
                    "ReceiptHandle": name,
                    "Body": body,
                    "MD5OfBody": hashlib.md5(body.encode()).hexdigest(),
                }
                for name, body in chosen
            ]
        }

    def delete(self, asked: dict[str, Any]) -> dict[str, Any]:
        done = []
        for entry in asked["Entries"]:
            self.waiting.pop(entry["ReceiptHandle"], None)
            done.append({"Id": entry["Id"]})
        return {"Successful": done, "Failed": []}

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    Sqs.waiting = {f"m{number}": f"put {number}" for number in range(23)}
    with ThreadingHTTPServer(("127.0.0.1", 0), Sqs) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        connection = {
            "conn_type": "aws",
            "login": "key",
            "password": "secret",
            "extra": {"endpoint_url": url, "region_name": "us-east-1"},
        }
        monkeypatch.setenv("AIRFLOW_CONN_BELL", json.dumps(connection))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield url
        server.shutdown()


def test_a_burst_rings_once_and_empties_the_queue(endpoint: str) -> None:
    made = QueueDoorbell(queue=endpoint + QUEUE, aws_conn_id="bell", quiet_seconds=1)
    path, arguments = made.serialize()
    assert path == "avm_airflow.triggers.QueueDoorbell"
    doorbell = QueueDoorbell(**arguments)

    async def first() -> object:
        async for event in doorbell.run():
            return event.payload
        return None

    found = asyncio.run(asyncio.wait_for(first(), 300))
    assert found == {"queue": endpoint + QUEUE}
    assert Sqs.waiting == {}
