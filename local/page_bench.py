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
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from avm_core.catalog import TABLES, Catalog, StagedUnit, migrate
from avm_core.config import CatalogConfig, Settings, load_settings
from local.environment import REPO

Columns = dict[str, Any]
_START = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1e6)
_SECOND = 1_000_000


def plant(settings: Settings, folder: Path, *, matches: int, titles: int) -> float:
    """Fill a fresh catalog; seconds that the commit took, the judging of all claims included."""
    migrate(settings.catalog)
    rng = np.random.default_rng(8)
    uploads = max(matches // 5, 1)
    ugc = [f"u{number:08}" for number in range(uploads)]
    licensed = [f"t{number:06}" for number in range(titles)]
    tables = {
        "media": _media(ugc, licensed),
        "media_content": _content([*ugc, *licensed], rng),
        "match": _matches(ugc, licensed, matches, rng),
    }
    units = [
        _staged(folder, "media", {"media": tables["media"]}),
        _staged(folder, "fingerprint", {"media_content": tables["media_content"]}),
        _staged(folder, "forward", {"match": tables["match"]}),
    ]
    began = time.perf_counter()
    with Catalog.open(settings.catalog) as catalog:
        catalog.commit(units, message="page bench")
        spent = time.perf_counter() - began
        catalog.compact()
    return spent


def _media(ugc: list[str], licensed: list[str]) -> Columns:
    names = [*ugc, *licensed]
    count, uploads = len(names), len(ugc)
    roles = ["ugc"] * uploads + ["licensed"] * len(licensed)
    times = np.full(count, _START) + np.arange(count) * _SECOND
    return {
        "media_id": names,
        "role": roles,
        "uri": [f"s3://{role}/{name}.mp4" for role, name in zip(roles, names, strict=True)],
        "version_id": [""] * count,
        "etag": [f"etag-{name}" for name in names],
        "size_bytes": np.full(count, 10**8),
        "title": [f"Some film about {name}, part {n % 7}" for n, name in enumerate(names)],
        "uploaded_at": times,
        "discovered_at": times,
        "uploader": [f"channel {n % 5000}" for n in range(count)],
        "views": np.arange(count) * 37 % 1_000_003,
    }


def _content(names: list[str], rng: np.random.Generator) -> Columns:
    count = len(names)
    return {
        "media_id": names,
        "content_id": [f"content-{name}" for name in names],
        "duration": rng.uniform(60, 7200, count),
        "probed_at": np.full(count, _START),
    }


def _matches(ugc: list[str], licensed: list[str], count: int, rng: np.random.Generator) -> Columns:
    starts, length = rng.uniform(0, 600, count), rng.uniform(15, 300, count)
    offset = rng.uniform(0, 3000, count)
    # A twentieth is of one title: the hit of the season.
    of_title = np.where(rng.random(count) < 0.05, 0, rng.integers(0, len(licensed), count))
    return {
        "match_id": [f"{value:016x}" for value in rng.permutation(count)],
        "ugc_id": np.take(ugc, rng.integers(0, len(ugc), count)),
        "licensed_id": np.take(licensed, of_title),
        "ugc_start": starts,
        "ugc_end": starts + length,
        "licensed_start": starts + offset,
        "licensed_end": starts + offset + length,
        "speed": np.where(rng.random(count) < 0.1, 1.05, 1.0),
        "score": rng.uniform(0.5, 1, count),
        "modality": np.take(["audio", "video", "both"], rng.integers(0, 3, count)),
        "audio_score": rng.uniform(0, 0.5, count),
        "video_score": rng.uniform(0, 0.5, count),
        "direction": np.take(["forward", "reverse"], rng.integers(0, 2, count)),
        "matcher_version": ["m1"] * count,
        "unit_id": ["bench"] * count,
        "found_at": _START + rng.integers(0, 300 * 86_400, count) * _SECOND,
    }


def _staged(
    folder: Path, kind: str, tables: dict[str, Columns]
) -> tuple[StagedUnit, dict[str, Path]]:
    paths = {}
    for name, columns in tables.items():
        schema, count = TABLES[name], len(next(iter(columns.values())))
        arrays = [
            pa.array(columns[field.name]).cast(field.type)
            if field.name in columns
            else pa.nulls(count, field.type)
            for field in schema
        ]
        paths[name] = folder / f"{kind}-{name}.parquet"
        pq.write_table(pa.table(arrays, schema=schema), paths[name])
    uris = {name: f"s3://bench/{name}" for name in paths}
    return StagedUnit(f"bench-{kind}", kind, "bench", uris), paths


# --- asking -----------------------------------------------------------------------------------


def asked(matches: int) -> Iterator[tuple[str, Callable[[int], str]]]:
    """Routes by name, each with an address for every number."""
    yield "list", lambda n: "/matches"
    yield "list, page 200", lambda n: f"/matches?page={200 - n % 9}"
    yield "list by views", lambda n: f"/matches?sort=views&page={1 + n}"
    yield "list, text", lambda n: f"/matches?q=u{n:04}"
    yield (
        "list, six filters",
        lambda n: (
            f"/matches?action=block&modality=both&min_score=0.{60 + n}&min_length=20"
            f"&speed_changed=false&uploader=channel+{n}&sort=score"
        ),
    )
    yield "sums", lambda n: f"/matches/count?min_score=0.{50 + n}"
    yield "review queue", lambda n: "/matches?action=review&decision=none&sort=views"
    yield "match", lambda n: f"/matches/{n * 7919 % matches:016x}"
    yield "upload", lambda n: f"/uploads/u{n * 31:08}"
    yield "title", lambda n: f"/titles/t{n + 1:06}"
    yield "title with a twentieth of all", lambda n: "/titles/t000000"


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
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "viewer:viewer",
        "AIRFLOW__API__SECRET_KEY": "of this bench alone, and long enough to sign",
        "AIRFLOW__API_AUTH__JWT_SECRET": "of this bench alone, and long enough. " * 3,
    }
    sys.path.insert(0, str(REPO / "plugins"))
    from airflow import settings
    from airflow.api_fastapi.app import create_app, get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.utils.db import initdb
    from starlette.testclient import TestClient

    settings.initialize()  # type: ignore[no-untyped-call]
    initdb()
    client = TestClient(create_app(apps="core"))
    viewer = SimpleAuthManagerUser(username="viewer", role="viewer")
    client.cookies.set("_token", get_auth_manager().generate_jwt(viewer))
    return client


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m local.page_bench", description=__doc__)
    parser.add_argument("--matches", type=int, default=1_000_000)
    parser.add_argument("--titles", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=20, help="answers per route")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="avm-page-bench-") as name:
        home = Path(name)
        os.environ["AVM_CATALOG__DSN"] = f"sqlite:{home / 'catalog.sqlite'}"
        os.environ["AVM_CATALOG__DATA_PATH"] = f"{home}/rows/"
        settings = load_settings(
            catalog=CatalogConfig(
                dsn=f"sqlite:{home / 'catalog.sqlite'}", data_path=f"{home}/rows/"
            )
        )
        spent = plant(settings, home, matches=chosen.matches, titles=chosen.titles)
        client = open_airflow(home / "airflow")
        result = {
            "matches": chosen.matches,
            "commit_s": round(spent, 1),
            "milliseconds": measure(client, chosen.matches, chosen.rounds),
        }
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
