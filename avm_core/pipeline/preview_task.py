"""`python -m avm_core.pipeline.preview_task`: make a preview in a process of its own.

The page runs in Airflow's API server. A damaged upload that crashes a decoder, takes all memory
or never ends must not take the server with it, so that decoding happens here, within limits.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from typing import Any

from avm_core import errors
from avm_core.config import Settings
from avm_core.errors import AvmError, StoreUnavailable
from avm_core.pipeline.platform import Platform

# Of a processor, and by the clock of a machine that has other things to do.
_CPU_SECONDS, _SECONDS = 30, 120
_MEMORY = 4 << 30


def make_apart(platform: Platform, job: str, match: dict[str, Any], media: Any = None) -> None:
    """As `previews.make`, within 30 s of a processor, two minutes and 4 GiB; raises
    `StoreUnavailable` when these are used up."""
    order = {
        "settings": platform.settings.model_dump(mode="json"),
        "job": job,
        "match": match,
        "media": media,
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", "avm_core.pipeline.preview_task"],
            input=json.dumps(order, default=str),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise StoreUnavailable(
            f"the preview was not ready after {_SECONDS} s; try again later"
        ) from error
    if done.returncode == 0:
        return
    name, _, text = done.stdout.strip().partition(": ")
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, AvmError):
        raise kind(text)
    # The end of a decoder that crashed says nothing to the one who waits; the log has it.
    raise StoreUnavailable(
        f"the preview could not be made (exit code {done.returncode}): "
        f"{done.stderr.strip()[-300:] or 'no message'}"
    )


def main() -> int:
    """Make the preview that standard input orders; 1 and "Class: message" for a known failure."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    order = json.loads(sys.stdin.read())
    from avm_core.pipeline.previews import make

    platform = Platform(Settings(**order["settings"]))
    try:
        make(platform, order["job"], order["match"], order["media"])
    except AvmError as error:
        sys.stdout.write(f"{type(error).__name__}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
