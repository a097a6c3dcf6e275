"""The DAG files: thin, light, alike in what they must have in common, and wired as designed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPO = Path(__file__).resolve().parents[2]
DAG_FILES = sorted((REPO / "dags").glob("*.py"))
# Of DAGs that record nothing of their own: export and questions are whole by themselves.
LAST_TASKS = {"avm_publish_results": ["publish", "export"], "avm_review": ["ask.store"]}
HEAVY = (
    "torch",
    "timm",
    "torchaudio",
    "usearch",
    "duckdb",
    "av",
    "boto3",
    "numpy",
    "pandas",
    "pyarrow",
)

LOAD = """
import json
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
bag = DagBag("dags")
tasks = lambda dag: {
    t.task_id: {
        "pool": t.pool, "queue": t.queue, "executor": t.executor,
        "executor_config": t.executor_config, "owner": t.owner,
        "retries": t.retries, "retry_policy": t.has_retry_policy,
        "outlets": sorted(o.name for o in t.outlets), "downstream": sorted(t.downstream_task_ids),
        "trigger_rule": t.trigger_rule.value, "is_mapped": t.is_mapped,
        "doc": t.doc_md,
    } for t in dag.tasks
}
print("REPORT" + json.dumps({
    "errors": bag.import_errors,
    "dags": {i: {
        "doc": d.doc_md, "tags": sorted(d.tags), "max_active_runs": d.max_active_runs,
        "catchup": d.catchup, "tasks": tasks(d), "serialized": DagSerialization.to_dict(d),
    } for i, d in bag.dags.items()},
}))
"""


def run_python(code: str, home: Path, **variables: str) -> str:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "AVM_"))}
    variables = {
        "AIRFLOW_HOME": str(home),
        "PYTHONPATH": os.pathsep.join([str(REPO), str(REPO / "plugins")]),
        **variables,
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPO,
        env={**kept, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def load_dags(home: Path, **variables: str) -> dict[str, Any]:
    return json.loads(run_python(LOAD, home, **variables).rpartition("REPORT")[2])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("airflow")


@pytest.fixture(scope="module")
def report(home: Path) -> dict[str, Any]:
    return load_dags(home, PYTHONHASHSEED="1")


@pytest.fixture(scope="module")
def dags(report: dict[str, Any]) -> dict[str, Any]:
    return report["dags"]


def test_every_file_gives_the_dag_of_its_name(report: dict[str, Any]) -> None:
    assert report["errors"] == {}
    assert sorted(report["dags"]) == [file.stem for file in DAG_FILES]
    assert DAG_FILES


def test_loading_the_dag_files_pulls_in_no_heavy_library(home: Path) -> None:
    """Nor AVM itself: every heavy import would be paid at every parse, in every process."""
    code = (
        "import runpy, sys\n"
        f"for file in {[str(file) for file in DAG_FILES]!r}:\n"
        "    runpy.run_path(file)\n"
        f"    found = [m for m in ('avm_core.config', *{HEAVY!r}) if m in sys.modules]\n"
        "    assert not found, (file, found)\n"
        "assert 'avm_airflow.operators.base' in sys.modules\n"
    )
    run_python(code, home)


@pytest.mark.parametrize("file", DAG_FILES, ids=lambda file: file.stem)
def test_a_dag_file_is_thin(file: Path) -> None:
    lines = file.read_text().splitlines()
    assert len(lines) <= 60
    imports = [line for line in lines if line.startswith(("import ", "from "))]
    assert imports
    assert all(line.startswith(("from airflow.sdk ", "from avm_airflow.")) for line in imports)


def test_every_dag_says_what_it_is_and_runs_once_at_a_time(dags: dict[str, Any]) -> None:
    for dag_id, dag in dags.items():
        assert dag["doc"], dag_id
        assert "avm" in dag["tags"], dag_id
        assert len(dag["tags"]) >= 2, dag_id
        assert dag["max_active_runs"] == 1, dag_id
        assert dag["catchup"] is False, dag_id


def test_every_task_has_an_owner_and_retries(dags: dict[str, Any]) -> None:
    for dag_id, dag in dags.items():
        for task_id, task in dag["tasks"].items():
            assert task["owner"] == "avm", (dag_id, task_id)
            assert task["retries"] >= 2, (dag_id, task_id)
            assert task["retry_policy"], (dag_id, task_id)


def test_the_ui_says_what_each_task_does(dags: dict[str, Any]) -> None:
    told = [t for dag in dags.values() for i, t in dag["tasks"].items() if i != "verdict"]
    undocumented = [task for task in told if not task["doc"] and not task["is_mapped"]]
    assert told
    assert undocumented == []


def test_two_processes_serialise_the_dags_alike(home: Path, dags: dict[str, Any]) -> None:
    again = load_dags(home, PYTHONHASHSEED="2")["dags"]
    for dag_id, dag in dags.items():
        assert again[dag_id]["serialized"] == dag["serialized"], dag_id


def test_the_discover_interval_comes_from_the_environment(home: Path, dags: dict[str, Any]) -> None:
    def schedule(found: dict[str, Any]) -> str:
        return json.dumps(found["avm_discover"]["serialized"]["dag"]["timetable"])

    assert "600" in schedule(dags)
    changed = load_dags(home, AVM_DISCOVER_SECONDS="17")["dags"]
    assert "17" in schedule(changed)
    assert "600" not in schedule(changed)


def test_a_queue_rings_for_discovery_beside_the_interval(home: Path, dags: dict[str, Any]) -> None:
    queue = "https://sqs.eu-west-1.amazonaws.com/1/bell"
    assert "avm_bucket" not in json.dumps(dags["avm_discover"]["serialized"])
    found = load_dags(home, AVM_DISCOVER_QUEUE=queue)
    assert found["errors"] == {}
    changed = json.dumps(found["dags"]["avm_discover"]["serialized"])
    for part in ("avm_bucket", "QueueDoorbell", queue, "600"):
        assert part in changed


def test_a_queue_costs_no_heavy_library(home: Path) -> None:
    code = (
        f"import runpy, sys; runpy.run_path({str(REPO / 'dags' / 'avm_discover.py')!r})\n"
        f"assert 'avm_airflow.triggers' in sys.modules\n"
        f"print('HEAVY', [m for m in {HEAVY!r} if m in sys.modules])"
    )
    assert "HEAVY []" in run_python(code, home, AVM_DISCOVER_QUEUE="https://sqs/bell")


def test_a_wrong_discover_interval_is_an_import_error_that_names_it(home: Path) -> None:
    errors = load_dags(home, AVM_DISCOVER_SECONDS="soon")["errors"]
    assert [name for name in errors if "avm_discover" in name]
    assert "AVM_DISCOVER_SECONDS='soon'" in "".join(errors.values())


@pytest.mark.parametrize(
    ("dag_id", "assets"),
    [
        ("avm_fingerprint", {"avm_media"}),
        ("avm_publish_index", {"avm_fingerprints"}),
        ("avm_match", {"avm_licensed_index", "avm_ugc_index"}),
        ("avm_backfill_rematch", {"avm_licensed_index", "avm_ugc_index"}),
        ("avm_publish_results", {"avm_matches"}),
    ],
)
def test_a_dag_listens_to_its_assets_and_to_the_clock(
    dags: dict[str, Any], dag_id: str, assets: set[str]
) -> None:
    timetable = json.dumps(dags[dag_id]["serialized"]["dag"]["timetable"])
    names = {f"avm_{n}" for n in ("media", "fingerprints", "licensed_index", "ugc_index")}
    names |= {"avm_matches", "avm_results"}
    assert {name for name in names if f'"{name}"' in timetable} == assets
    assert " * * * *" in timetable


def test_the_hourly_fallbacks_do_not_start_together(dags: dict[str, Any]) -> None:
    timetables = [json.dumps(d["serialized"]["dag"]["timetable"]) for d in dags.values()]
    minutes = [t.partition(" * * * *")[0].rpartition('"')[2] for t in timetables if " * * * *" in t]
    assert len(minutes) == 5
    assert len(set(minutes)) == 5


def test_every_asset_is_updated_by_the_task_that_records_it(dags: dict[str, Any]) -> None:
    outlets = {
        (dag_id, task_id): task["outlets"]
        for dag_id, dag in dags.items()
        for task_id, task in dag["tasks"].items()
        if task["outlets"]
    }
    assert outlets == {
        ("avm_discover", "record"): ["avm_media"],
        ("avm_fingerprint", "record"): ["again_avm_media", "avm_fingerprints"],
        ("avm_publish_index", "record_exclusions"): ["avm_licensed_index"],
        ("avm_publish_index", "record_ugc"): ["avm_ugc_index"],
        ("avm_match", "record"): ["again_avm_ugc_index", "avm_matches"],
        ("avm_backfill_rematch", "record"): ["again_avm_licensed_index", "avm_matches"],
        ("avm_publish_results", "publish"): ["avm_results"],
        ("avm_nightly_rematch", "record"): ["avm_matches"],
        ("avm_remove_media", "record"): ["avm_matches"],
        ("avm_remove_media", "record_licensed"): ["avm_licensed_index"],
        ("avm_remove_media", "record_ugc"): ["avm_ugc_index"],
        ("avm_rebuild_index", "record"): ["avm_licensed_index", "avm_ugc_index"],
    }


def test_titles_are_compared_before_anything_is_matched_with_them(dags: dict[str, Any]) -> None:
    """Matches start with the asset, which the last task of the chain updates; a run that finds
    nothing to publish still compares what an earlier one left."""
    tasks = dags["avm_publish_index"]["tasks"]
    assert "exclusions" in tasks["record_licensed"]["downstream"]
    assert "record_exclusions" in tasks["exclusions"]["downstream"]
    assert tasks["exclusions"]["trigger_rule"] == "none_failed"


def test_every_task_waits_in_a_pool_that_exists(dags: dict[str, Any]) -> None:
    pools = json.loads((REPO / "plugins" / "avm_airflow" / "pools.json").read_text())
    used = {t["pool"] for dag in dags.values() for t in dag["tasks"].values()}
    assert used == {*pools, "default_pool"}
    assert pools["catalog"]["slots"] == 1
    recorders = [
        task
        for dag in dags.values()
        for task_id, task in dag["tasks"].items()
        if task_id.startswith("record")
    ]
    assert len(recorders) == 15
    assert {task["pool"] for task in recorders} == {"catalog"}


def test_a_failed_batch_neither_loses_the_others_nor_hides(dags: dict[str, Any]) -> None:
    """Record runs whatever happened upstream; the last task, which decides, does not."""
    for dag_id, dag in dags.items():
        mapped = {i: t for i, t in dag["tasks"].items() if t["is_mapped"]}
        recorders = {i: t for i, t in dag["tasks"].items() if i.startswith("record")}
        assert bool(recorders) or not mapped, dag_id
        for task in recorders.values():
            assert task["trigger_rule"] == "all_done", dag_id
        for task in [*mapped.values(), *recorders.values()]:
            assert "verdict" in task["downstream"], dag_id
        leaves = [i for i, t in dag["tasks"].items() if not t["downstream"]]
        assert leaves == (["verdict"] if recorders else LAST_TASKS[dag_id]), dag_id
        if recorders:
            assert dag["tasks"]["verdict"]["trigger_rule"] == "none_failed", dag_id


def test_times_of_day_are_in_utc(dags: dict[str, Any]) -> None:
    crons = {
        dag_id: dag["serialized"]["dag"]["timetable"]["__var"]
        for dag_id, dag in dags.items()
        if "expression" in json.dumps(dag["serialized"]["dag"]["timetable"])
        and "assets" not in json.dumps(dag["serialized"]["dag"]["timetable"])
    }
    assert {dag_id: cron["expression"] for dag_id, cron in crons.items()} == {
        "avm_nightly_rematch": "0 2 * * *",
        "avm_evaluate": "0 4 * * 0",
        "avm_review": "0 6 * * *",
        "avm_rebuild_index": "30 3 * * 0",
        "avm_maintain": "0 10 * * *",
    }
    assert {cron["timezone"] for cron in crons.values()} == {"UTC"}


NOTIFIER = """
from airflow.sdk import BaseNotifier

class Noted(BaseNotifier):
    def __init__(self, text, **kwargs):
        super().__init__(**kwargs)
        self.text = text

    def notify(self, context):
        pass
"""


def test_a_notifier_of_ones_choice_hears_of_failures_and_late_runs(home: Path) -> None:
    folder = home / "notifier"
    folder.mkdir()
    (folder / "noted.py").write_text(NOTIFIER)
    chosen = {
        "AVM_NOTIFIER": "noted.Noted",
        "AVM_NOTIFIER_ARGS": '{"text": "look"}',
        "PYTHONPATH": os.pathsep.join([str(REPO), str(REPO / "plugins"), str(folder)]),
    }
    found = load_dags(home, **chosen)
    assert found["errors"] == {}
    for dag in found["dags"].values():
        assert dag["serialized"]["dag"].get("has_on_failure_callback")
    late = [i for i, dag in found["dags"].items() if dag["serialized"]["dag"].get("deadline")]
    assert sorted(late) == ["avm_maintain", "avm_nightly_rematch"]


def test_a_notifier_that_is_not_there_is_an_import_error_that_names_it(home: Path) -> None:
    errors = load_dags(home, AVM_NOTIFIER="nowhere.Bell")["errors"]
    assert len(errors) == len(DAG_FILES)
    assert all("AVM_NOTIFIER='nowhere.Bell'" in text for text in errors.values())
