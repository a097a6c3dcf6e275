"""`python -m local.parse_time`: how long Airflow needs for each DAG file, in fresh processes.

A real DagBag loads `dags/`; the best of a few runs counts, as other work on the machine only adds.
The first file that is loaded pays for what all of them import, of Airflow's operators too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from typing import Any

from local.environment import REPO

_HEAVY = ("torch", "timm", "torchaudio", "usearch", "duckdb", "av", "boto3", "numpy")
_LOAD = f"""
import json, sys, time
began = time.perf_counter()
from airflow.dag_processing.dagbag import DagBag
imported = time.perf_counter() - began
cpu = time.process_time()
bag = DagBag("dags")
cpu = time.process_time() - cpu
assert not bag.import_errors, bag.import_errors
print("REPORT" + json.dumps({{
    "airflow_import_s": imported,
    "cpu_s": cpu,
    "files": {{s.file.strip("/").rsplit("/", 1)[-1]: s.duration.total_seconds()
              for s in bag.dagbag_stats}},
    "heavy": [name for name in {_HEAVY!r} if name in sys.modules],
}}))
"""


def measure(runs: int = 3) -> dict[str, Any]:
    """{"files": {name: seconds}, "total_s" and "cpu_s" of them together, "heavy": modules that
    had no business there, "airflow_import_s": what Airflow needs before, in every process}."""
    with tempfile.TemporaryDirectory(prefix="avm-parse-") as home:
        reports = [_load(home) for _ in range(runs)]
    files = {
        name: round(min(report["files"][name] for report in reports), 4)
        for name in sorted(reports[0]["files"])
    }
    return {
        "files": files,
        "total_s": round(min(sum(report["files"].values()) for report in reports), 4),
        "cpu_s": round(min(report["cpu_s"] for report in reports), 4),
        "heavy": reports[0]["heavy"],
        "airflow_import_s": round(min(report["airflow_import_s"] for report in reports), 2),
    }


def _load(home: str) -> dict[str, Any]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "AVM_"))}
    own = {
        "AIRFLOW_HOME": home,
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPO / "plugins"),
        "PYTHONPATH": os.pathsep.join([str(REPO), str(REPO / "plugins")]),
    }
    command = [sys.executable, "-c", _LOAD]
    done = subprocess.run(
        command, cwd=REPO, env=kept | own, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"a DAG file does not load:\n{done.stderr[-3000:]}")
    return dict(json.loads(done.stdout.rpartition("REPORT")[2]))


def main() -> None:
    """Print the measurement as JSON."""
    parser = argparse.ArgumentParser(prog="python -m local.parse_time", description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    print(json.dumps(measure(parser.parse_args().runs), indent=1))


if __name__ == "__main__":
    main()
