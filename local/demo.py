"""`make demo`: the real platform finds planted copies in real media, and shows what it found.

Nothing is triggered by hand: files are put into the buckets, and the schedule does the rest.
In the second act a licensed title arrives late, and an OLD upload is matched by the backfill.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
from rich.console import Console

from avm_core.errors import AvmError
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.results import RESULTS_KEY
from local import stack
from local.corpus import build_uploads, load_titles
from local.demo_report import compare, draw, print_report, verdict
from local.environment import settings_of
from local.flow import progress, put

SETTINGS = {"AVM_DISCOVER_SECONDS": "20"}
_TIMEOUT = 900.0

console = Console()


def main() -> int:
    """Run both acts; 0 if every planted copy was found and no clean upload was matched."""
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument("--home", type=Path, default=Path(".avm"))
    home = parser.parse_args().home.resolve()
    began = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        making = pool.submit(build_uploads, home / "uploads")
        console.print("[bold]Starting SeaweedFS and Airflow; cutting the uploads …")
        state = stack.up(home, settings={**SETTINGS, "AVM_RESULTS_PATH": str(home / "avm.duckdb")})
        uploads = making.result()
    console.print(f"Airflow is up at {stack.status(home)['url']} ({_since(began)})")
    platform = Platform(settings_of(stack.env(state)))
    titles = load_titles()
    early = [title for title in titles if not title.late]

    console.print(f"\n[bold]Act 1:[/] {len(early)} licensed titles and {len(uploads)} uploads")
    put(platform, early, uploads)
    _wait(platform, home, media=len(early) + len(uploads))
    console.print(f"[bold]Act 2:[/] a licensed title arrives after the uploads ({_since(began)})")
    put(platform, [title for title in titles if title.late], [])
    _wait(platform, home, media=len(titles) + len(uploads))

    rows = compare(home / "avm.duckdb", uploads)
    picture = draw(platform, rows, home / "match.png")
    print_report(console, rows, home / "avm.duckdb", picture)
    problems = verdict(rows, uploads)
    _farewell(home, problems, began)
    return 1 if problems else 0


def _wait(platform: Platform, home: Path, *, media: int) -> None:
    """Until `media` media (or more) are known, nothing waits, and the results are published."""
    deadline = time.monotonic() + _TIMEOUT
    with console.status("waiting for the schedule …") as status:
        while time.monotonic() < deadline:
            known, waiting = progress(platform)
            line = ", ".join(f"{count} before {stage}" for stage, count in waiting.items() if count)
            status.update(f"{known}/{media} media in the catalog; {line or 'nothing waits'}")
            idle = known >= media and not any(waiting.values())
            if idle and _published_scans(home) == _scans(platform):
                return
            time.sleep(2)
    raise SystemExit(
        f"the platform did not finish in {_TIMEOUT:.0f} s: see the runs in the Airflow UI "
        f"and the logs below {home / 'logs'}"
    )


def _scans(platform: Platform) -> int:
    with platform.catalog() as catalog:
        return int(catalog.select("SELECT count(*) AS n FROM match_scan").to_pylist()[0]["n"])


def _published_scans(home: Path) -> int:
    path = home / "avm.duckdb"
    if not path.is_file():
        return -1
    with duckdb.connect(str(path), read_only=True) as connection:
        row = connection.execute("SELECT count(*) FROM match_scan").fetchone()
    return int(row[0]) if row else -1


def _farewell(home: Path, problems: list[str], began: float) -> None:
    found = stack.status(home)
    console.print(f"\nAirflow UI: {found['url']}   user {found['user']}   {found['password']}")
    console.print(f"Results:    duckdb {home / 'avm.duckdb'} (in the lake: {RESULTS_KEY})")
    console.print("The platform keeps running; `make down` stops it.")
    for problem in problems:
        console.print(f"[red]{problem}")
    if not problems:
        console.print("[green]Every planted copy was found, and no clean upload was matched.")
    console.print(f"Wall time: {_since(began)}")


def _since(began: float) -> str:
    return f"{time.monotonic() - began:.0f} s"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (AvmError, RuntimeError) as error:
        sys.exit(f"demo: {error}")
