"""`python -m local.intake_bench`: discovery and fingerprints of many small media, measured.

Makes four seconds of sound each in a SeaweedFS of its own, discovers them twice, fingerprints them
plan by plan in this process, and counts what the store was asked. docs/intake.md has the numbers
of a run.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from avm_core.catalog import migrate
from avm_core.config import CatalogConfig, PipelineConfig, S3Config, Settings
from avm_core.pipeline import stages
from avm_core.pipeline.platform import Platform
from avm_core.storage import ensure_bucket
from avm_core.storage.s3 import S3Store
from local.noise import wav
from local.seaweed import Seaweed

T = TypeVar("T")

_BUCKETS = {"licensed_uri": "s3://licensed", "ugc_uri": "s3://ugc", "lake_uri": "s3://lake"}


def measure(home: Path, *, objects: int, max_batches: int) -> dict[str, Any]:
    """Seconds, calls of the store by name and batches, for `objects` uploads."""
    with Seaweed.start(home / "s3", access_key="avm", secret_key="not-a-secret") as server:
        s3 = S3Config(
            endpoint_url=server.endpoint_url,
            access_key=server.access_key,
            secret_key=server.secret_key,
        )
        for uri in _BUCKETS.values():
            ensure_bucket(uri, s3)
        settings = Settings(
            **_BUCKETS,  # type: ignore[arg-type]
            s3=s3,
            catalog=CatalogConfig(
                dsn=f"sqlite:{home / 'catalog.sqlite'}", data_path=str(home / "rows")
            ),
            pipeline=PipelineConfig(max_batches=max_batches),
        )
        migrate(settings.catalog)
        return _measure(Platform(settings), objects)


def _measure(platform: Platform, objects: int) -> dict[str, Any]:
    store = platform.media_store("ugc")

    def put(number: int) -> None:
        store.put(f"day/{number:06}.wav", wav(number, seconds=4))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(objects)))
    calls = _counted(store)

    def discover() -> list[dict[str, Any]]:
        return stages.discover(platform, role="ugc")

    first, units = _timed(discover, calls)
    record, _ = _timed(lambda: stages.record(platform, units, message="bench"), calls)
    again, nothing = _timed(discover, calls)
    plan, batches = _timed(lambda: stages.plan_fingerprints(platform), calls)
    made, plans = _timed(lambda: _fingerprint(platform), calls)
    per_object = sum(first["calls"].values()) / objects
    return {
        "objects": objects,
        "discover": first | {"calls_per_object": round(per_object, 3), "units": len(units)},
        "record": record,
        "discover_again": again | {"units": len(nothing)},
        "plan": plan
        | {
            "batches": len(batches),
            "max_batches": platform.settings.pipeline.max_batches,
            "media": sum(batch["media_count"] for batch in batches),
        },
        "fingerprint": made | {"plans": plans, "usable": _usable(platform)},
    }


def _fingerprint(platform: Platform) -> list[int]:
    """Fingerprint all there is, as runs of the DAG do; the number of batches in each plan."""
    plans = []
    while batches := stages.plan_fingerprints(platform):
        plans.append(len(batches))
        units = [stages.fingerprint_batch(platform, batch) for batch in batches]
        stages.record(platform, units, message="bench")
    return plans


def _usable(platform: Platform) -> int:
    with platform.catalog() as catalog:
        rows = catalog.select("SELECT count(*) AS n FROM media_fingerprint WHERE status = 'ok'")
    return int(rows.to_pylist()[0]["n"])


def _timed(work: Callable[[], T], calls: Counter[str]) -> tuple[dict[str, Any], T]:
    calls.clear()
    begun, burnt = time.perf_counter(), time.process_time()
    result = work()
    took = {
        "seconds": round(time.perf_counter() - begun, 2),
        "cpu_seconds": round(time.process_time() - burnt, 2),
    }
    return {**took, "calls": dict(calls)}, result


def _counted(store: Any) -> Counter[str]:
    """Counts the requests of this process, as botocore is about to send them."""
    if not isinstance(store, S3Store):
        raise TypeError("only requests of S3 are counted")
    calls: Counter[str] = Counter()

    def note(event_name: str, **_: Any) -> None:
        calls[event_name.rpartition(".")[2]] += 1

    store._client().meta.events.register("before-send.s3", note)
    return calls


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; prints JSON."""
    parser = argparse.ArgumentParser(prog="python -m local.intake_bench", description=__doc__)
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--max-batches", type=int, default=500)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="avm-intake-") as folder:
        found = measure(Path(folder), objects=chosen.objects, max_batches=chosen.max_batches)
    print(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
