"""`python -m local.cluster_speed`: wall time of the whole flow on one, two and three workers.

Every worker has one core and serves every queue; with more workers than cores they share. The
services of Airflow and the stores take their part of the same cores.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from avm_core.pipeline.platform import Platform
from local import cluster, flow
from local.airflow_api import AirflowApi
from local.cluster_environment import same_workers, service_environment
from local.corpus import build_uploads, load_titles
from local.environment import settings_of
from local.home import State, api, services
from local.processes import family

TITLES = {"fish_fillets_intro", "wanna_work_together", "worlds_reel"}
UPLOADS = {"small_fish", "fast_wanna", "piano_evening", "new_worlds"}
SETTINGS = {"AVM_DISCOVER_SECONDS": "315360000", "AVM_PIPELINE__BATCH_MEDIA_COUNT": "1"}
_PATIENCE = 400.0


def main() -> int:
    """Print one JSON line per number of workers."""
    parser = argparse.ArgumentParser(prog="python -m local.cluster_speed", description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 3])
    counts: list[int] = parser.parse_args().workers
    with tempfile.TemporaryDirectory(prefix="avm-cluster-") as folder:
        home = Path(folder) / "home"
        uploads = [u for u in build_uploads(Path(folder) / "uploads") if u.path.stem in UPLOADS]
        titles = [title for title in load_titles() if title.path.stem in TITLES]
        try:
            state = cluster.up(home, same_workers(counts[0]), settings=SETTINGS)
            platform = _platform(state)
            first = 0.0
            for count in counts:
                if count != counts[0]:
                    state = cluster.enter(home, same_workers(count))
                _one_core_each(state)
                with api(state) as client:
                    _until_dags_are_there(client)
                    flow.put(platform, titles, uploads)
                    seconds, stages = _run(client, platform, len(titles) + len(uploads))
                first = first or seconds
                report = {"workers": count, "seconds": seconds, "times_faster": first / seconds}
                print(json.dumps({**_rounded(report), "stages": _rounded(stages)}), flush=True)
        finally:
            cluster.down(home)
    return 0


def _platform(state: State) -> Platform:
    return Platform(settings_of(service_environment(state)))


def _one_core_each(state: State) -> None:
    cores = sorted(os.sched_getaffinity(0))
    for number, name in enumerate(state["workers"]):
        for process in family(services(state)[name]):
            process.cpu_affinity([cores[number % len(cores)]])


def _until_dags_are_there(client: AirflowApi) -> None:
    flow.until("the DAGs", lambda: "avm_publish_results" in client.dags(), patience=_PATIENCE)


def _run(client: AirflowApi, platform: Platform, media: int) -> tuple[float, dict[str, float]]:
    """Seconds until nothing waits any more, and how long the runs of each DAG took."""
    until = partial(flow.until, patience=_PATIENCE)
    before = len(client.runs())
    began = time.monotonic()
    client.trigger("avm_discover")
    until("the matches", lambda: flow.settled(platform, media))
    seconds = time.monotonic() - began
    until("the end of all runs", lambda: flow.quiet(client))
    stages: dict[str, float] = {}
    for run in client.runs()[before:]:
        stages[run["dag_id"]] = stages.get(run["dag_id"], 0.0) + _duration(run)
    return seconds, stages


def _duration(run: dict[str, Any]) -> float:
    begun, ended = (datetime.fromisoformat(run[name]) for name in ("start_date", "end_date"))
    return (ended - begun).total_seconds()


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in values.items()}


if __name__ == "__main__":
    sys.exit(main())
