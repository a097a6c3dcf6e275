"""`python -m local.page_bench`: how fast the page answers with a million matches.

Plants uploads, titles and matches in a catalog of its own, then asks every route of the page in
Airflow's real API application, with its login, and prints milliseconds as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from avm_core.benchmark.planted_matches import (
    fresh_catalog,
    match_id,
    plant,
    title_id,
    upload_id,
)
from local.environment import REPO


def asked(matches: int) -> Iterator[tuple[str, Callable[[int], str]]]:
    """Routes by name, each with an address for every number."""
    yield "list", lambda n: "/matches"
    yield "list, page 200", lambda n: f"/matches?page={200 - n % 9}"
    yield "list by views", lambda n: f"/matches?sort=views&page={1 + n}"
    yield "list, text", lambda n: f"/matches?q=upload+{n}"
    yield (
        "list, six filters",
        lambda n: (
            f"/matches?action=block&modality=both&min_score=0.{60 + n}&min_length=20"
            f"&speed_changed=false&uploader=channel+{n}&sort=score"
        ),
    )
    yield "sums", lambda n: f"/matches/count?min_score=0.{50 + n}"
    yield "review queue", lambda n: "/matches?action=review&decision=none&sort=views"
    yield "match", lambda n: f"/matches/{match_id(n * 7919 % matches)}"
    yield "upload", lambda n: f"/uploads/{upload_id(n * 31)}"
    yield "title", lambda n: f"/titles/{title_id(n + 1)}"
    yield "title with a twentieth of all", lambda n: f"/titles/{title_id(0)}"


def measure(client: Any, matches: int, rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds by route: the first answer, the median and the 95th percentile by the clock,
    and the median of the processor, which others on the machine do not change."""
    found = {}
    for name, address in asked(matches):
        times, busy = [], []
        for number in range(rounds + 1):
            began, used = time.perf_counter(), time.process_time()
            answer = client.get(f"/avm{address(number)}")
            times.append(1000 * (time.perf_counter() - began))
            busy.append(1000 * (time.process_time() - used))
            if answer.status_code != 200:
                raise SystemExit(f"{name}: {answer.status_code} {answer.text[:300]}")
        first, rest = times[0], sorted(times[1:])
        found[name] = {
            "first": round(first, 1),
            "p50": round(statistics.median(rest), 1),
            "p95": round(rest[min(int(0.95 * len(rest)), len(rest) - 1)], 1),
            "cpu": round(statistics.median(busy[1:]), 1),
        }
    return found


def open_airflow(home: Path) -> Any:
    """A client, logged in as somebody who may look, of Airflow's application in this process."""
    os.environ |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPO / "plugins"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "viewer:viewer",
        "AIRFLOW__API__SECRET_KEY": "of this bench alone, and long enough to sign",
        "AIRFLOW__API_AUTH__JWT_SECRET": "of this bench alone, and long enough. " * 3,
    }
    sys.path.insert(0, str(REPO / "plugins"))
    from airflow.api_fastapi.app import create_app, get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.utils.db import initdb
    from starlette.testclient import TestClient

    initdb()
    client = TestClient(create_app(apps="core"))
    viewer = SimpleAuthManagerUser(username="viewer", role="viewer")
    client.cookies.set("_token", get_auth_manager().generate_jwt(viewer))
    return client


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m local.page_bench", description=__doc__)
    parser.add_argument("--matches", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20, help="answers per route")
    parser.add_argument("--dsn", default="", help="an empty Postgres database (default: SQLite)")
    chosen = parser.parse_args()
    with fresh_catalog(chosen.dsn) as (config, folder):
        os.environ["AVM_CATALOG__DSN"] = config.dsn
        os.environ["AVM_CATALOG__DATA_PATH"] = config.data_path
        plant(config, folder, chosen.matches)
        client = open_airflow(folder / "airflow")
        result = {
            "matches": chosen.matches,
            "milliseconds": measure(client, chosen.matches, chosen.rounds),
        }
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
