"""`python -m local.latency`: from a put into S3 to a match row, and what each stage can do.

On a stack of its own: some titles are matched with nothing, then single uploads arrive on the
idle system, then many at once. Times of Airflow's tasks say where the seconds went: `wait` is from
the moment that a task may run to its first line (scheduler, executor, a new process), `run` is
the task itself.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from avm_core.benchmark.edits import Clip, Edit, make_copy
from avm_core.media.write import AudioFormat, VideoFormat
from avm_core.pipeline.platform import Platform
from local import flow, stack
from local.airflow_api import AirflowApi
from local.corpus import load_titles
from local.environment import settings_of
from local.home import api

_SECONDS = 20.0  # of each upload
_SMALL = VideoFormat(width=320, height=180, bitrate=150_000)
_PATIENCE = 900.0
_DISCOVER = "avm_discover"
_until = partial(flow.until, patience=_PATIENCE)


def measure(home: Path, *, singles: int, many: int, interval: int) -> dict[str, Any]:
    """{"latency_s": of single uploads, "stages": seconds of each task on their way, "burst"}."""
    made = make_uploads(home / "made", singles + many)
    state = stack.up(
        home / "stack",
        settings={
            "AVM_DISCOVER_SECONDS": str(interval),
            "AVM_PIPELINE__BATCH_MEDIA_COUNT": "4",
        },
        ports=dict.fromkeys(stack.PREFERRED_PORTS, 0),
    )
    try:
        platform = Platform(settings_of(stack.env(state)))
        with api(state) as client:
            return _measure(platform, client, made[:singles], made[singles:]) | {
                "discover_interval_s": interval
            }
    finally:
        stack.down(home / "stack")


def make_uploads(folder: Path, count: int) -> list[Path]:
    """Copies of 20 s, each of another place in a title."""
    folder.mkdir(parents=True, exist_ok=True)
    titles = [title.path for title in load_titles() if not title.late]
    made = []
    for number in range(count):
        title, start = titles[number % len(titles)], 4.0 + 3 * (number // len(titles))
        path = folder / f"upload_{number:03d}.mp4"
        make_copy(
            [Clip(title, start, start + _SECONDS)],
            path,
            Edit(name="reencode"),
            video_format=_SMALL,
            audio_format=AudioFormat(bitrate=64_000),
        )
        made.append(path)
    return made


def _measure(
    platform: Platform, api: AirflowApi, singles: Sequence[Path], many: Sequence[Path]
) -> dict[str, Any]:
    for title in load_titles():
        if not title.late:
            licensed = platform.media_store("licensed")
            licensed.upload(title.key, title.path, metadata=dict(title.metadata))
    _until(
        "the titles to be searchable",
        lambda: _titles_ready(platform) and flow.quiet(api, but=_DISCOVER),
    )
    latencies, tasks = [], []
    for path in singles:
        before = {run["dag_run_id"] for run in api.runs()}
        latencies.append(_put_and_wait(platform, [path]))
        _until("all runs to end", lambda: flow.quiet(api, but=_DISCOVER))
        tasks += _tasks(api, before)
    before = {run["dag_run_id"] for run in api.runs()}
    seconds = _put_and_wait(platform, many)
    _until("all runs to end", lambda: flow.quiet(api, but=_DISCOVER))
    return {
        "latency_s": [round(value, 1) for value in latencies],
        "stages": _stages(tasks),
        "burst": {
            "uploads": len(many),
            "until_all_matched_s": round(seconds, 1),
            "tasks": _throughput(_tasks(api, before), len(many) * _SECONDS),
        },
    }


def _titles_ready(platform: Platform) -> bool:
    with platform.catalog() as catalog:
        [row] = catalog.select(
            "SELECT count(DISTINCT index_name) AS n FROM snapshots "
            "WHERE is_current AND index_name LIKE 'licensed_%'"
        ).to_pylist()
        waiting = catalog.select("SELECT sum(waiting) AS n FROM backlog").to_pylist()
    return bool(row["n"] == 2 and waiting[0]["n"] == 0)


def _put_and_wait(platform: Platform, paths: Sequence[Path]) -> float:
    """Seconds from the first put until every upload has a match row."""
    store = platform.media_store("ugc")
    began = time.monotonic()
    for path in paths:
        store.upload(path.name, path)

    def matched() -> bool:
        with platform.catalog() as catalog:
            rows = catalog.select("SELECT DISTINCT ugc_uri FROM matches").to_pylist()
        found = {row["ugc_uri"].rsplit("/", 1)[-1] for row in rows}
        return found >= {path.name for path in paths}

    _until("the match rows", matched, step=0.3)
    return time.monotonic() - began


# --- Airflow's times --------------------------------------------------------------------------


def _tasks(api: AirflowApi, before: set[str]) -> list[dict[str, Any]]:
    """Finished tasks of the runs that began since, those of idle discovery left out."""
    found = []
    for run in api.runs():
        if run["dag_run_id"] in before or run["state"] != "success":
            continue
        tasks = api.task_instances(run["dag_id"], run["dag_run_id"])
        recorded = [t for t in tasks if t["task_id"] == "record" and t["state"] == "success"]
        if run["dag_id"] != _DISCOVER or recorded:
            found += [task | {"run": run} for task in tasks]
    return found


def _stages(tasks: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Median wait and run of every task by `dag.task`, in seconds."""
    times: dict[str, list[tuple[float, float]]] = {}
    for task in tasks:
        if task["state"] == "success" and task["start_date"] and task["scheduled_when"]:
            wait = _seconds(task["scheduled_when"], task["start_date"])
            run = _seconds(task["start_date"], task["end_date"])
            times.setdefault(f"{task['dag_id']}.{task['task_id']}", []).append((wait, run))
    return {
        name: {
            "wait_s": round(statistics.median(wait for wait, _ in found), 2),
            "run_s": round(statistics.median(run for _, run in found), 2),
            "tasks": len(found),
        }
        for name, found in sorted(times.items())
        if any(run > 0 for _, run in found)
    }


def _throughput(tasks: Sequence[dict[str, Any]], media_seconds: float) -> dict[str, Any]:
    """Of each mapped task how many seconds of media it got through per second of wall time, from
    the first start to the last end, and what a batch costs beside its work."""
    found = {}
    for stage in ("avm_fingerprint.fingerprint", "avm_match.match"):
        mine = [
            task
            for task in tasks
            if f"{task['dag_id']}.{task['task_id']}" == stage and task["state"] == "success"
        ]
        if mine:
            first = min(task["start_date"] for task in mine)
            last = max(task["end_date"] for task in mine)
            waits = [_seconds(task["queued_when"], task["start_date"]) for task in mine]
            found[stage] = {
                "batches": len(mine),
                "media_x": round(media_seconds / max(_seconds(first, last), 1e-3), 1),
                "queued_to_start_s": round(statistics.median(waits), 2),
            }
    return found


def _seconds(first: str, last: str) -> float:
    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()


def main() -> None:
    """Print the measurement as JSON."""
    parser = argparse.ArgumentParser(prog="python -m local.latency", description=__doc__)
    parser.add_argument("--singles", type=int, default=3, help="uploads on the idle system")
    parser.add_argument("--many", type=int, default=16, help="uploads at once")
    parser.add_argument("--interval", type=int, default=10, help="seconds between discoveries")
    parser.add_argument("--home", type=Path, help="kept here; default: a temporary folder")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="avm-latency-") as folder:
        home = chosen.home or Path(folder)
        found = measure(home, singles=chosen.singles, many=chosen.many, interval=chosen.interval)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
