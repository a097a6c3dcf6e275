"""Several processes at one catalog, and one that is killed in the middle."""

import multiprocessing
import os
import signal
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from avm_core.catalog import Catalog
from avm_core.catalog import commit as commit_module
from avm_core.config import CatalogConfig
from tests.avm_core.catalog.builders import entry, match, scan, stage

SPAWN = multiprocessing.get_context("spawn")
ROWS = 200
UNITS = 4


def unit_of(folder: Path, writer: int, number: int) -> Any:
    ugc_id = f"u{writer}-{number}"
    found = [match(ugc_id, "l1", start=25.0 * i, unit_id=ugc_id) for i in range(ROWS)]
    probes = [scan(ugc_id, "forward", 1), scan(ugc_id, "forward", 1, modality="video")]
    return stage(folder, "forward", {"match": found, "match_scan": probes}, unit_id=ugc_id)


def write(config: CatalogConfig, folder: str, writer: int) -> int:
    new = 0
    for number in range(UNITS):
        unit = unit_of(Path(folder) / f"w{writer}", writer, number)
        with Catalog.open(config) as catalog:
            new += catalog.commit([unit], message=f"writer {writer}")
    return new


def watch(config: CatalogConfig, done: Path) -> list[list[int]]:
    """The different sets of row counts per unit that a reader saw, until `done` is there."""
    seen: list[list[int]] = []
    last_look = False
    with Catalog.open(config, read_only=True) as reader:
        while not last_look:
            last_look = done.exists()
            rows = reader.select("SELECT count(*) AS n FROM match GROUP BY unit_id").to_pylist()
            counts = sorted(row["n"] for row in rows)
            if not seen or counts != seen[-1]:
                seen.append(counts)
            time.sleep(0.02)
    return seen


def test_writers_at_once_store_every_row_once_and_readers_see_whole_units(
    config: CatalogConfig, tmp_path: Path
) -> None:
    with ProcessPoolExecutor(5, mp_context=SPAWN) as pool:
        done = tmp_path / "done"
        reader = pool.submit(watch, config, done)
        writers = [pool.submit(write, config, str(tmp_path), w) for w in range(4)]
        errors = [w.exception() for w in writers]
        done.touch()
        seen = reader.result()
    assert errors == [None] * 4
    assert [w.result() for w in writers] == [UNITS] * 4
    assert len(seen[-1]) == 4 * UNITS
    assert {n for counts in seen for n in counts} == {ROWS}
    with Catalog.open(config, read_only=True) as catalog:
        totals = catalog.select(
            "SELECT count(*) AS n, count(DISTINCT match_id) AS ids FROM match"
        ).to_pylist()
        healthy = catalog.check()
        serial = catalog.select("SELECT serial FROM commit_serial").to_pylist()
    assert totals == [{"n": 4 * UNITS * ROWS, "ids": 4 * UNITS * ROWS}]
    assert {v for name, v in healthy.items() if name.startswith("duplicate")} == {0}
    assert serial[0]["serial"] >= 4 * UNITS


def commit_same(config: CatalogConfig, folder: str, name: str) -> int:
    unit = unit_of(Path(folder) / name, 1, 1)
    with Catalog.open(config) as catalog:
        return catalog.commit([unit], message=name)


def test_twins_of_one_task_commit_their_unit_once(config: CatalogConfig, tmp_path: Path) -> None:
    with ProcessPoolExecutor(3, mp_context=SPAWN) as pool:
        twins = [pool.submit(commit_same, config, str(tmp_path), f"t{i}") for i in range(3)]
        assert sorted(t.result() for t in twins) == [0, 0, 1]
    with Catalog.open(config, read_only=True) as catalog:
        assert catalog.select("SELECT count(*) AS n FROM match").to_pylist() == [{"n": ROWS}]


def stall_before_commit(config: CatalogConfig, folder: str, flag: str) -> None:
    """Do everything but COMMIT, then say so and wait to be killed."""
    replace = commit_module._replace

    def stalling(connection: Any, table: str, rows: Any) -> None:
        replace(connection, table, rows)
        if table == "commit_ledger":
            Path(flag).touch()
            time.sleep(600)

    commit_module._replace = stalling
    with Catalog.open(config) as catalog:
        catalog.commit([unit_of(Path(folder), 1, 1)], message="killed")


def test_a_killed_commit_leaves_nothing_and_can_be_repeated(
    config: CatalogConfig, tmp_path: Path
) -> None:
    kept = unit_of(tmp_path / "kept", 0, 0)
    seen = stage(tmp_path / "kept", "index", {"index_entry": [entry("licensed_audio", "l1", 1)]})
    with Catalog.open(config) as catalog:
        assert catalog.commit([kept, seen], message="before") == 2
    flag = tmp_path / "stalled"
    victim = SPAWN.Process(
        target=stall_before_commit, args=(config, str(tmp_path / "v"), str(flag))
    )
    victim.start()
    while not flag.exists():
        assert victim.is_alive()
        time.sleep(0.05)
    assert victim.pid
    os.kill(victim.pid, signal.SIGKILL)
    victim.join()
    counts = "SELECT unit_id, count(*) AS n FROM match GROUP BY ALL ORDER BY ALL"
    with Catalog.open(config, read_only=True) as reader:
        assert reader.select(counts).to_pylist() == [{"unit_id": "u0-0", "n": ROWS}]
    again = unit_of(tmp_path / "again", 1, 1)
    with Catalog.open(config) as catalog:
        assert catalog.commit([again], message="after") == 1
        assert catalog.commit([again, kept], message="after") == 0
    with Catalog.open(config, read_only=True) as reader:
        assert [row["n"] for row in reader.select(counts).to_pylist()] == [ROWS, ROWS]
        assert reader.select("SELECT unit_id FROM commit_ledger").num_rows == 3
