"""Media into a platform, and waiting until it is through with them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from avm_core.pipeline.platform import Platform
from local.airflow_api import AirflowApi
from local.corpus import Title, Upload


def put(platform: Platform, titles: Sequence[Title], uploads: Sequence[Upload]) -> None:
    """Put files where a supplier and users would; equal bytes are the same object version."""
    licensed, ugc = platform.media_store("licensed"), platform.media_store("ugc")
    for title in titles:
        licensed.upload(title.key, title.path, metadata=dict(title.metadata))
    for upload in uploads:
        ugc.upload(upload.key, upload.path, metadata=dict(upload.metadata))


def progress(platform: Platform) -> tuple[int, dict[str, int]]:
    """Media in the catalog, and how many wait before each stage."""
    with platform.catalog() as catalog:
        # In this order: what is known is in the backlog that is read after it.
        known = catalog.select("SELECT count(*) AS n FROM media").to_pylist()[0]["n"]
        rows = catalog.select("SELECT stage, waiting FROM backlog").to_pylist()
    return known, {row["stage"]: row["waiting"] for row in rows}


def settled(platform: Platform, media: int) -> bool:
    """`media` media are known, and nothing waits before any stage."""
    known, waiting = progress(platform)
    return known == media and not any(waiting.values())


def quiet(api: AirflowApi, *, pause: float = 3.0, but: str = "") -> bool:
    """No run waits or runs, and none has begun `pause` seconds later; those of DAG `but` do not
    count."""

    def busy() -> bool:
        return any(
            run["state"] in ("queued", "running") and run["dag_id"] != but for run in api.runs()
        )

    if busy():
        return False
    time.sleep(pause)
    return not busy()


def until(what: str, condition: Callable[[], Any], *, patience: float, step: float = 2.0) -> Any:
    """The first true value of `condition`. Raises `TimeoutError` with `what` after `patience`."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(step)
    raise TimeoutError(f"waited {patience:.0f} s in vain for {what}")
