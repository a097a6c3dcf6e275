"""`python -m local.keeper COMMAND…`: starts a program again whenever it ends, as systemd or a
container engine would with `Restart=always`; SIGTERM ends both."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Sequence

PAUSE = 5.0  # seconds between an end and the next start


def main(command: Sequence[str]) -> int:
    """Keep `command` running until SIGTERM or SIGINT; returns the exit code of its last run."""
    running: list[subprocess.Popen[bytes]] = []
    asked: list[int] = []

    def on_signal(number: int, _: object) -> None:
        asked.append(number)
        for process in running:
            process.send_signal(signal.SIGTERM)

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    while True:
        process = subprocess.Popen(command)
        running[:] = [process]
        if asked:  # between the last look and the start
            process.terminate()
        code = process.wait()
        print(f"keeper: {command[0]} ended with {code}", file=sys.stderr, flush=True)
        deadline = time.monotonic() + PAUSE
        while not asked and time.monotonic() < deadline:
            time.sleep(0.1)
        if asked:
            return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
